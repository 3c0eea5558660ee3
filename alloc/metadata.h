// The engine's own memory: what spans, processors and tables are made of.
//
// An allocator cannot allocate from itself what it needs to describe its memory, and it must not mix the two: a
// program that writes past its block must not reach the list that its next malloc walks. So metadata lives in chunks
// of its own, taken from the system, cut from front to back, and never given back: what was once a T stays readable
// for as long as the process lives. That last promise is worth more than the few pages it costs, because it lets a
// thread look at a span it found without a lock, and learn afterwards that the span is no longer what it was.
//
// What comes and goes (spans above all) is recycled by the `storage` of its type. What only grows (tables) is allocated
// and forgotten. A chunk is address space first and is committed in small steps, so a process that allocates little
// has little metadata, in its RSS and in what the system has promised.
//
// Memory that was never used before reads as zero, and callers rely on it; what storage gives may have been used.
//
// Invariants
//   [metadata.1] `allocate` returns memory that reads as zero, aligned as asked, that overlaps no other.
//   [metadata.2] a failed call changes nothing that a later call could notice.
//   [metadata.3] the storage of a released T is only ever used for a T again.
// Concurrency
//   `allocate` and `bytes` may be called from any thread; a lock of rank `metadata`, the last of all, guards the
//   chunk, so every floor may call with its own lock held. `storage` is externally synchronised by its owner.
// Uses / used by
//   Uses os, sync, rank, base. Used by arena (tables), mheap (storage of spans), processor.
#pragma once

#include "base.h"
#include "check.h"

#include <new>

namespace umber::alloc {

namespace metadata {

// Zeroed memory that is never returned; nullptr when the system has none. `alignment` is a power of two.
[[nodiscard]] void* allocate(std::size_t bytes, std::size_t alignment = cache_line);

// Bytes committed for metadata so far.
std::size_t bytes();

// Around fork: the lock is held across it, so that the child never inherits a chunk half cut. The parent calls
// `unlock_after_fork`; the child, whose one thread is the one that locked, calls `reset_in_child`.
void lock_for_fork();
void unlock_after_fork();
void reset_in_child();

}  // namespace metadata

// Storage for Ts, one after the other on cache lines of their own. Only storage: the owner constructs and destroys.
// The first word of a released T is overwritten; the rest keeps its last value until the storage is used again.
template <class T>
class storage {
 public:
  constexpr storage() = default;
  storage(const storage&) = delete;
  storage& operator=(const storage&) = delete;

  // Storage for one T, with whatever its last user left in it; nullptr when there is no memory.
  [[nodiscard]] T* allocate() {
    if (released_ != nullptr) {
      free_slot* const slot = released_;
      released_ = slot->next;
      --released_count_;
      return reinterpret_cast<T*>(slot);
    }
    if (UMBER_UNLIKELY(carved_ == batch_end_) && !refill()) return nullptr;
    T* const fresh = pointer_to<T>(carved_);
    carved_ += slot_size;
    return fresh;
  }

  void release(T* object) {
    UMBER_DCHECK(object != nullptr && address_of(object) % slot_alignment == 0);
    released_ = new (object) free_slot{released_};
    ++released_count_;
  }

  // How many Ts were released and wait to be used again.
  std::size_t released_count() const { return released_count_; }

 private:
  struct free_slot {
    free_slot* next;
  };
  static constexpr std::size_t slot_alignment = alignof(T) > cache_line ? alignof(T) : cache_line;
  static constexpr std::size_t slot_size = round_up(sizeof(T), slot_alignment);
  // About a page of the machine: small enough that a type with one instance does not cost much.
  static constexpr std::size_t slots_per_batch = slot_size >= 4 * kib ? 1 : 4 * kib / slot_size;

  // Not on the free list but cut on demand: storage that was never used is never touched.
  UMBER_SLOW bool refill() {
    void* const batch = metadata::allocate(slots_per_batch * slot_size, slot_alignment);
    if (batch == nullptr) return false;
    carved_ = address_of(batch);
    batch_end_ = carved_ + slots_per_batch * slot_size;
    return true;
  }

  free_slot* released_ = nullptr;
  std::size_t released_count_ = 0;
  std::uintptr_t carved_ = 0;
  std::uintptr_t batch_end_ = 0;
};

}  // namespace umber::alloc

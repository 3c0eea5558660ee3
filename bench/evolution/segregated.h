// Segregated fit: four sizes to an octave, each with spans of its own, so that a block is found without any search. A
// span is a run of units that begins with its own description; from a block's address it is reached by a mask.
#pragma once

#include "units.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <mutex>

namespace evolution {

inline constexpr std::size_t largest_small = 16384;
inline constexpr std::size_t size_count = 36;

// Sizes go 16, 32, 48, 64, 80, 96, 112, 128, 160 ... 16384.
[[nodiscard]] constexpr std::size_t index_of_size(std::size_t size) {
  if (size <= 64) return size <= 16 ? 0 : (size - 1) / 16;
  const auto octave = static_cast<std::size_t>(std::bit_width(size - 1)) - 1;
  return (octave - 5) * 4 + ((size - 1) >> (octave - 2)) - 4;
}

[[nodiscard]] constexpr std::size_t size_of_index(std::size_t index) {
  if (index < 4) return (index + 1) * 16;
  const std::size_t octave = index / 4 + 5;
  return (index % 4 + 5) << (octave - 2);
}

// A free block is a link.
struct free_link {
  free_link* next;
};

// One lock for all sizes, or one for each.
enum class locking { whole, by_size };

template <typename Units, locking Locks>
class segregated_heap {
 public:
  [[nodiscard]] void* allocate(std::size_t size) {
    if (size > largest_small) return allocate_large(size);
    free_link* block = nullptr;
    return take(index_of_size(size), 1, block) == 1 ? block : nullptr;
  }

  void deallocate(void* block) {
    if (block == nullptr) return;
    span* const home = span_of(block);
    if (home->size_index == large) return give_units(home);
    auto* const link = static_cast<free_link*>(block);
    link->next = nullptr;
    give(home->size_index, link);
  }

  // Puts up to `most` blocks of a size in front of the list, and returns how many.
  std::size_t take(std::size_t index, std::size_t most, free_link*& list) {
    const std::lock_guard lock(lock_of(index));
    std::size_t count = 0;
    while (count < most) {
      span* from = open_[index];
      if (from == nullptr) from = add_span(index);
      if (from == nullptr) break;
      free_link* const block = pop(from);
      block->next = list;
      list = block;
      ++count;
      if (from->live == from->capacity) unlink(from);
    }
    return count;
  }

  // Takes back a list of blocks of one size.
  void give(std::size_t index, free_link* list) {
    const std::lock_guard lock(lock_of(index));
    while (list != nullptr) {
      free_link* const block = list;
      list = block->next;
      span* const home = span_of(block);
      if (home->live == home->capacity) link(home);
      block->next = home->free;
      home->free = block;
      // The last of a size is kept, or a program that takes and frees one block would map and unmap every time.
      if (--home->live != 0 || (home->next == nullptr && home->previous == nullptr)) continue;
      unlink(home);
      give_units(home);
    }
  }

  // The size of a block as an index; `large` or above for those that have a span to themselves.
  [[nodiscard]] static std::size_t index_of_block(void* block) { return span_of(block)->size_index; }
  static constexpr std::size_t large = size_count;

 private:
  struct alignas(64) span {
    std::size_t size_index;
    std::size_t units;
    std::size_t capacity;
    std::size_t live;
    // Blocks from here on were never handed out.
    std::size_t untouched;
    free_link* free;
    span* next;
    span* previous;
  };

  static span* span_of(void* block) {
    auto* const bytes = static_cast<char*>(block);
    return reinterpret_cast<span*>(bytes - reinterpret_cast<std::uintptr_t>(bytes) % unit_bytes);
  }

  std::mutex& lock_of(std::size_t index) { return locks_[Locks == locking::by_size ? index : 0]; }

  static free_link* pop(span* from) {
    ++from->live;
    if (free_link* const block = from->free) {
      from->free = block->next;
      return block;
    }
    auto* const first = reinterpret_cast<char*>(from + 1);
    return reinterpret_cast<free_link*>(first + size_of_index(from->size_index) * from->untouched++);
  }

  span* take_units(std::size_t count) {
    const std::lock_guard lock(units_lock_);
    return reinterpret_cast<span*>(units_.take(count));
  }

  void give_units(span* gone) {
    const std::lock_guard lock(units_lock_);
    units_.give(reinterpret_cast<char*>(gone), gone->units);
  }

  span* add_span(std::size_t index) {
    const std::size_t size = size_of_index(index);
    const std::size_t units = 1 + (size > 4096 ? 1 : 0);
    span* const fresh = take_units(units);
    if (fresh == nullptr) return nullptr;
    // A block must lie in the first unit, where the mask finds its span, or begin there.
    const std::size_t room = units == 1 ? unit_bytes - sizeof(span) : unit_bytes - sizeof(span) + size - 1;
    *fresh = {index, units, room / size, 0, 0, nullptr, nullptr, nullptr};
    link(fresh);
    return fresh;
  }

  void* allocate_large(std::size_t size) {
    if (size > reserved_bytes) return nullptr;
    const std::size_t units = (size + sizeof(span) + unit_bytes - 1) / unit_bytes;
    span* const fresh = take_units(units);
    if (fresh == nullptr) return nullptr;
    *fresh = {large, units, 1, 1, 1, nullptr, nullptr, nullptr};
    return fresh + 1;
  }

  void link(span* with_room) {
    span*& first = open_[with_room->size_index];
    with_room->next = first;
    with_room->previous = nullptr;
    if (first != nullptr) first->previous = with_room;
    first = with_room;
  }

  void unlink(span* full) {
    (full->previous != nullptr ? full->previous->next : open_[full->size_index]) = full->next;
    if (full->next != nullptr) full->next->previous = full->previous;
    full->next = full->previous = nullptr;
  }

  std::array<std::mutex, Locks == locking::by_size ? size_count : 1> locks_;
  std::array<span*, size_count> open_ = {};
  std::mutex units_lock_;
  Units units_;
};

}  // namespace evolution

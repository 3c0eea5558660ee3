// Finalizers and cleanups: who waits for the death of which object, and what of that is due.
//
//     unused --set, add--> waiting --the object dies--> queued --take--> unused, and the caller runs it
//        ^                    |
//        \----clear, cancel---/
//
// Entries live outside of the managed heap, in blocks that are only ever added. `object` is no reference: while
// somebody can register or clear, that somebody holds the object, so nothing has to keep it alive. `kept` is one, and a
// root as a persistent handle is: the managed argument of a cleanup from the start; the object of a finalizer from the
// moment it is queued, for now it must live until it has been finalized. Every mutator's store to `kept` has a barrier
// (barrier.h: who takes an entry may have a black stack, and the cycle under way may not have scanned the roots yet),
// so it does not matter when in a cycle it is scanned. The collector needs none: what it queues it has marked.
//
// When marking has ended and weak references are cleared, the collector decides (cycle.cc):
//
//   1. what the objects with finalizers that have no mark *refer to* is marked, the objects themselves are not
//   2. those that still have none are not referred to by another one: they are marked, and their finalizers queued
//   3. cleanups of objects that have no mark even now are queued
//
// So of A -> B, both with finalizers, A's runs now and B's when A is gone; A -> B -> A mark each other, and neither
// ever runs. The order is Go's. Before step 1 a round of `flush` makes sure that no weak load is under way that read
// its reference before it was cleared; from then on no mutator can reach what is marked here, until a finalizer runs.
//
// Only finalizers are looked up by their object, in a table that grows by one bucket at a time (linear hashing; Litwin
// 1980): nobody waits for a table to be rebuilt. The collector looks at entries block by block and gives the lock back
// in between.
//
// Invariants
//   [finalizer.1] an object has at most one finalizer that waits.
//   [finalizer.2] an entry is taken once, and after that never again.
//   [finalizer.3] `kept` is null in an entry that is unused.
//   [finalizer.4] an object is not queued while another one that waits for its finalizer refers to it.
// Concurrency
//   All methods lock (rank finalizers). Scanning `kept` needs no lock.
// Uses / used by
//   Uses object, os, metadata, sync. Used by managed_heap, retrace, cycle, finalizer_thread, embed.
#pragma once

#include "object.h"

#include "alloc/planted.h"
#include "alloc/sync.h"

#include <umber/finalizer.h>

namespace umber::gc {

class finalizer_table {
 public:
  using call = detail::deferred_call;

  // Replaces the object's finalizer. False: no memory.
  [[nodiscard]] bool set(void* object, const call& c);
  void clear(const void* object);
  [[nodiscard]] bool add_cleanup(void* object, const call& c, void* kept, detail::cleanup_id& id);
  // Moves what it keeps into `kept`. False: it is not waiting any more.
  static bool cancel(const detail::cleanup_id& id, void*& kept);

  // Takes the oldest call that is due, and moves what it keeps into `kept`. False: none is.
  bool take(call& c, local<std::byte>& kept);
  std::size_t due() const { return due_.load(std::memory_order_relaxed); }  // relaxed: a number on its own
  // Whether nothing was ever registered, by this heap or by one whose tables it has.
  bool is_unused() const { return blocks_.load(std::memory_order_relaxed) == nullptr; }  // relaxed: as due
  // Changes when something has become due; a futex.
  const std::atomic<std::uint32_t>& arrivals() const { return arrivals_; }
  void wake();

  // The collector's. visit(object) for each that has no mark and waits for its finalizer.
  template <class Visit>
  void for_each_dying(Visit visit) {
    for_each_dead(finalizer, [&](entry& e) { visit(e.object); });
  }
  // Those are marked and queued, with visit(object) for each.
  template <class Visit>
  void queue_finalizers(Visit visit) {
    for_each_dead(finalizer, [&](entry& e) {
      if (!is_planted(fault::finalizer_object_unmarked)) object_map::mark(e.object);
      visit(e.object);
      unlink(e);
      // release: pairs with the acquire in for_each_kept.
      e.kept.store(pointer_to(e.object), std::memory_order_release);
      queue(e);
    });
  }
  // Cleanups of objects without a mark.
  void queue_cleanups();
  // All that wait. The heap is being destroyed.
  void queue_all_cleanups();
  // visit(object) for all that entries keep.
  template <class Visit>
  void for_each_kept(Visit visit) const {
    // acquire, both: pair with the releases in add_block, and of the stores.
    for (const block* b = blocks_.load(std::memory_order_acquire); b != nullptr; b = b->next)
      for (const entry& e : b->entries)
        if (void* object = e.kept.load(std::memory_order_acquire); object != nullptr) visit(object);
  }

  // Leaves an empty table. Nobody uses the heap any more.
  void forget();

 private:
  enum state : std::uint32_t { unused, finalizer, cleanup, queued };
  struct entry {
    std::atomic<void*> kept{nullptr};
    std::uintptr_t object = 0;             // guarded by lock_, as all below but serial
    entry* next = nullptr;                 // unused: of those; finalizer: of its bucket; queued: of those
    std::atomic<std::uint64_t> serial{0};  // of a cleanup; 0: none
    call what;
    state now = unused;
  };
  struct alignas(4 * kib) block {
    finalizer_table* table = nullptr;
    block* next = nullptr;
    entry entries[63];
  };
  static_assert(sizeof(block) == 4 * kib);
  static constexpr std::size_t first_segment = 512;  // buckets; each segment has as many as all before it together

  static bool is_dead(const entry& e) {
    return !object_map::is_marked(e.object) || (e.now == cleanup && is_planted(fault::cleanup_of_the_living));
  }
  bool add_block();
  entry* new_entry(void* object, const call& c, state which);
  void release(entry& e);
  void queue(entry& e);
  static std::size_t segment_of(std::size_t bucket);
  entry*& bucket(std::size_t i);
  std::size_t bucket_index(std::uintptr_t object) const;
  entry** find(std::uintptr_t object);
  bool make_segment(std::size_t segment);
  void add_bucket();
  void unlink(entry& e);

  // Block by block, so that nobody waits for long.
  template <class Visit>
  void for_each_dead(state which, Visit visit) {
    // acquire: pairs with the release in add_block.
    for (block* b = blocks_.load(std::memory_order_acquire); b != nullptr; b = b->next) {
      const lock_guard guard(lock_);
      for (entry& e : b->entries)
        if (e.now == which && is_dead(e)) visit(e);
    }
  }

  mutex<rank::finalizers> lock_;
  entry* unused_ = nullptr;        // guarded by lock_, as all below
  entry* first_queued_ = nullptr;  // the oldest
  entry* last_queued_ = nullptr;
  std::size_t finalizers_ = 0;  // waiting
  std::size_t buckets_ = 0;
  entry** segments_[40] = {};
  std::atomic<block*> blocks_{nullptr};
  std::atomic<std::size_t> due_{0};
  std::atomic<std::uint32_t> arrivals_{0};
};

}  // namespace umber::gc

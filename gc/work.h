// What is still to be looked at: candidates, in chunks that change hands as a whole.
//
// A candidate is an object that somebody points to. It may have been marked already: marking looks at that when it
// takes the candidate out, because the bit is then in the cache (mark.h prefetches it), and not when it is put in,
// where each look would be a cache miss. So an object can wait in several places; it is scanned once.
//
// Large arrays are scanned in pieces. What is left of one is two items: where to go on, and above it the array's
// address with its lowest bit set.
//
// A worker fills and empties chunks of its own; full ones, and all that a mutator has, go to the heap's `work_list`,
// from which anybody takes. So stealing is taking a chunk from there: a lock for 500 candidates.
//
// Invariants
//   [work.1] the two items of a piece lie in one chunk.
// Concurrency
//   A chunk belongs to one thread, or to the list. The list has a lock (rank work).
// Uses / used by
//   Uses metadata, sync. Used by mark, mutator, roots, cycle.
#pragma once

#include "alloc/metadata.h"
#include "alloc/sync.h"

namespace umber::gc {

using namespace alloc;

struct work_chunk {
  static constexpr std::size_t capacity = 510;

  work_chunk* next = nullptr;
  std::size_t count = 0;
  std::uintptr_t items[capacity];

  bool has_room(std::size_t n = 1) const { return count + n <= capacity; }
};

class work_list {
 public:
  // An empty chunk; null: no memory.
  [[nodiscard]] work_chunk* make_chunk();
  void drop_chunk(work_chunk* chunk);

  // Gives a chunk with candidates to everybody.
  void publish(work_chunk* chunk);
  // Takes one; null if there is none.
  [[nodiscard]] work_chunk* take();
  bool empty() const { return count_.load(std::memory_order_acquire) == 0; }  // pairs with the release in publish

 private:
  mutex<rank::work> lock_;
  work_chunk* full_ = nullptr;         // guarded by lock_
  pool<work_chunk> chunks_;            // guarded by lock_
  std::atomic<std::size_t> count_{0};  // of chunks in full_
};

}  // namespace umber::gc

// What is still to be looked at: candidates, in chunks that change hands as a whole.
//
// A candidate is an object that somebody points to. It may have been marked already: marking looks at that when it
// takes the candidate out, because the bit is then in the cache (mark.h prefetches it), and not when it is put in,
// where each look would be a cache miss. So an object can wait in several places; it is scanned once.
//
// Large objects are scanned in pieces. What is left of one is two items: where to go on, in bytes, and above it the
// object's address with its lowest bit set.
//
// A worker fills and empties chunks of its own; full ones, and all that a mutator has, go to the heap's `work_list`,
// from which anybody takes. So stealing is taking a chunk from there: a lock for 500 candidates.
//
// From the end of marking until the end of the next cycle's settle the list is closed, and gives nothing. Else one who
// is late would mark what nobody expects to have a mark; here the next cycle would not look into x:
//
// litmus: late_helper
//
//     helper                                 mutators
//       sees that the heap marks
//                                              A answers finish, and sweeps x: alive, its mark is cleared
//                                              B, before it answers, records x and publishes it
//       looks for work: gets none
//                                              B answers finish; what is left on the list is dropped
//
// Whoever wants to know whether anything was published during a while compares `published` before and after. That the
// list is empty in the end says nothing: a marker may hold what was.
//
// Invariants
//   [work.1] the two items of a piece lie in one chunk.
//   [work.2] while the list is closed nobody gets a chunk of it.
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
  // Takes one; null if there is none, or if the list is closed.
  [[nodiscard]] work_chunk* take();
  void open();
  void close();
  // Drops all that is listed.
  void forget();
  bool empty() const { return count_.load(std::memory_order_acquire) == 0; }  // pairs with the release in publish

  // How often something was published, or marked with its fields still to be read.
  std::size_t published() const { return published_.load(std::memory_order_acquire); }  // pairs with count_published
  void count_published() { published_.fetch_add(1, std::memory_order_release); }        // pairs with published

 private:
  mutex<rank::work> lock_;
  work_chunk* full_ = nullptr;         // guarded by lock_
  storage<work_chunk> chunks_;         // guarded by lock_
  bool closed_ = false;                // guarded by lock_
  std::atomic<std::size_t> count_{0};  // of chunks in full_
  std::atomic<std::size_t> published_{0};
};

}  // namespace umber::gc

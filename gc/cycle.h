// One collection, from the first question to the last swept span.
//
//     finish_sweep     what the last cycle left
//     barrier_on       round 1: each mutator records from now on what its stores overwrite, and what they store
//     settle           round 2: no store is under way that read the old value without recording it
//     scan             round 3: each mutator's handles are candidates, and it allocates black from now on
//     mark, flush      round 4 and more: until a whole round of flushed buffers brings nothing new
//     weak             references to what has no mark are cleared, in weak maps, too
//     finalizers       what they will need is marked, and they are queued (finalizer.h)
//     finish           the last round: barrier off, allocate white, spans given up
//     sweep            the collector's thread, and every mutator that needs slots
//
// Nobody waits for all others but the collector. Why each round is needed is shown by tests/model, where leaving one
// out loses an object; why the first three are, by the tables of barrier.h as well. That flush is repeated, and what
// ends it, is shown by two more; a, b and c are white.
//
// litmus: one_round. A flush that brings something may bring all that hangs on it.
//
//     A (black)                              collector
//       takes a out of o.f; o.f = null: records a
//                                              has nothing left to mark; asks flush
//       answers: here is a
//                                              marks a, finds b in it, c in b ...; asks flush again
//
// litmus: published. A round that brings nothing is the last only if nothing was published meanwhile either. Else
// somebody who has answered could hand over what another still has, and both would seem to have nothing:
//
//     A (black)                              B (black)                 helper
//                                              has recorded a
//       answers flush: nothing
//       records a, and as much as a chunk holds: published
//                                                                        takes a and marks it
//                                              answers: a has a mark
//                                                                        finds b in a
//
// Invariants
//   [cycle.1] when marking ends, what any mutator can reach is marked.
// Concurrency
//   mark_along: any helper. All else: the collector's thread. A test runs the steps itself, on a heap whose own thread
//   has nothing to do (tests/cycle_by_hand.h).
// Uses / used by
//   Uses handshake, mark, weak, weak_map, finalizer, sweep, pacer, trace. Used by driver.
#pragma once

#include "mark.h"
#include "trace.h"

namespace umber::gc {

struct stopwatch {
  std::uint64_t started;      // os::now
  std::uint64_t cpu_started;  // os::thread_cpu_time
  std::uint64_t passed() const;
  std::uint64_t cpu() const;
};

// The steps of a cycle, each once and in this order but for mark, which nobody needs, flush_round and sweep. Who calls
// is attached to no heap, or in a `blocking` region where a step asks mutators: all but mark and sweep.
class collection {
 public:
  // All that the last cycle left is swept.
  collection(managed_heap& h, span_stock& stock);
  // From here on stores are recorded, and all is allocated black; what roots hold are candidates.
  void start();
  // Marks about `most` objects. False: there is nothing that it could take.
  bool mark(std::size_t most);
  // Marks until there is nothing left, and asks for what the barriers have recorded. True: that was nothing, and
  // marking has ended.
  [[nodiscard]] bool flush_round();
  // Weak references and finalizers; the checks.
  void decide();
  // From here on what has no mark is gone, and all is allocated white.
  void finish();
  // Sweeps at most so many spans. False: none is left, and the cycle has ended.
  [[nodiscard]] bool sweep(std::size_t most);

 private:
  managed_heap& h_;
  span_stock& stock_;
  stopwatch watch_;
  cycle_trace trace_;
  marker mark_;
  std::size_t allocated_before_ = 0;  // since the last cycle ended, when this one began
};

// All of them.
void run_cycle(managed_heap& h, span_stock& stock);

// When the next cycle is due, by what the last one found. The second does not look again at what is owned outside:
// garbage since the last cycle would be taken for live.
void make_plan(managed_heap& h);
void revise_plan(managed_heap& h);
// Between cycles: has the plan made as the options are wanted by now. Whether they were changed.
bool take_wishes(managed_heap& h);
// Between cycles, now and then while the plan is held back: no longer, if the program has had its half of the time.
bool let_go(managed_heap& h);

// A helper's part: marks until marking ends.
void mark_along(managed_heap& h);

}  // namespace umber::gc

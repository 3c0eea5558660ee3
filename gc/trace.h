// `UMBER_TRACE=gc`: one line on stderr for each cycle, when all is swept. Fields never move; new ones go to the end.
//
//   umber: gc 7 @1.042s 3%: 0.020+0.011+0.035+8.120+0.004+0.051+3.310 ms clock, 8.2+1.4+3.3 ms cpu,
//          40.2->44.9->21.3 MiB, 44.0 MiB goal, 3 mutators, 2 processors, 0.035 ms handshake     (all one line)
//
//   gc 7                the cycles of this heap, counted from 1
//   @1.042s             when it began, since the heap was made
//   3%                  of all processors' time since then that went to collecting
//   a+b+c+d+e+f+g       wall clock of: barrier on, settle, scan (a round of handshakes each), marking with its
//                       rounds of flushes, weak references with what follows them, finish (a round), sweeping by the
//                       collector's thread
//   a+b+c               processor time of: the collector's threads marking, mutators assisting, sweeping
//   a->b->c             the heap when marking began, when it ended, and what of it is live
//   goal                what the heap was meant to have at the end of marking
//   mutators            attached when the cycle ended
//   handshake           the longest round of this cycle, from the question to the last answer: what mutators kept the
//                       collector waiting, not what it kept them (that is `stalls` in the statistics)
//
// `UMBER_TRACE=gc,pacer` adds one more:
//
//   umber: pacer 7: trigger 33.0 MiB, began 33.1, 10.9 expected, 11.2 marked, 3.1 made, assist 0.84, rate 0.120,
//          limiter 12%, next trigger 30.1, goal 42.6                                                (all one line)
//
//   trigger, began      heap at which the cycle should have begun, and did; MiB as all sizes
//   expected, marked    bytes to mark as planned, and as it was
//   made                allocated while the heap marked
//   assist              bytes to mark for each byte allocated, at the end
//   rate                the mutators' rate of allocation over the rate of marking (pacer.h, `cons_mark`)
//   limiter             how full the bucket of the collector's processor time is; at 100 nobody assists
//   next                what was planned from this for the next cycle; "none" if it does not begin by itself
//
// Invariants
//   None.
// Concurrency
//   The collector's thread.
// Uses / used by
//   Uses managed_heap, settings, timeline. Used by cycle.
#pragma once

#include "managed_heap.h"

namespace umber::gc {

enum class phase : std::uint8_t { barrier_on, settle, scan, mark, weak, finish, sweep };

class cycle_trace {
 public:
  // A cycle begins.
  explicit cycle_trace(managed_heap& h);
  // The phase has ended, which began when the one before it did.
  void ended(phase p);
  // All phases have: lines, and the time line's file.
  void print();

 private:
  static constexpr std::size_t phases = static_cast<std::size_t>(phase::sweep) + 1;

  void print_cycle() const;
  void print_pacer() const;
  std::uint64_t clock(phase p) const { return clock_[static_cast<std::size_t>(p)]; }

  managed_heap& heap_;
  std::uint64_t began_at_;
  std::uint64_t last_;
  std::uint64_t clock_[phases] = {};
  // Of the heap when the cycle began.
  std::uint64_t mark_ns_;
  std::uint64_t assist_ns_;
  std::uint64_t sweep_ns_;
  plan plan_;
};

}  // namespace umber::gc

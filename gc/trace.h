// `UMBER_TRACE=gc`: one line on stderr for each cycle, when all is swept. Fields never move; new ones go to the end.
//
//   umber: gc 7 @1.042s 3%: 0.020+0.011+0.035+8.120+0.004+0.051+3.310 ms clock, 8.2+1.4+3.3 ms cpu,
//          40.2->44.9->21.3 MiB, 44.0 MiB goal, 3 mutators, 2 processors, 0.035 ms handshake,
//          0.3+0.1+11.9 ms mutators                                                    (all one line)
//
//   gc 7                the cycles of this heap, counted from 1
//   @1.042s             when it began, since the heap was made
//   3%                  of all processors' time since then that went to collecting
//   a+b+c+d+e+f+g       wall clock of: barrier on, settle, scan (a round of handshakes each), marking with its
//                       rounds of flushes, weak references with what follows them, finish (a round), sweeping by the
//                       collector's thread
//   a+b+c               processor time of: the heap's threads marking, mutators assisting, the heap's thread sweeping
//   a->b->c             the heap when marking began, when it ended, and what of it is live
//   goal                what the heap was meant to have at the end of marking
//   mutators            attached when the cycle ended
//   handshake           the longest round of this cycle, from the question to the last answer: what mutators kept the
//                       collector waiting, not what it kept them (that is `stalls` in the statistics)
//   a+b+c ms mutators   processor time of: mutators sweeping for slots, mutators at barriers and answers, all else that
//                       the process did while the cycle ran (`cpu_times` in heap.h)
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
//   limiter             how full the bucket of the collector's processor time is; from 100 on nobody assists, and no
//   cycle
//                       begins for a limit's sake
//   next                what was planned from this for the next cycle; "none" if it does not begin by itself
//
// Invariants
//   None.
// Concurrency
//   The collector's thread.
// Uses / used by
//   Uses accounts, settings, timeline. Used by cycle.
#pragma once

#include "accounts.h"

namespace umber::gc {

using phase = cycle_phase;

class cycle_trace {
 public:
  // A cycle begins.
  explicit cycle_trace(managed_heap& h);
  // The phase has ended, which began when the one before it did.
  void ended(phase p);
  // All phases have: the log, lines, and the time line's file.
  void tell();

 private:
  void print_cycle() const;
  void print_pacer() const;

  managed_heap& heap_;
  std::uint64_t last_;    // when the last phase ended
  cpu_times cpu_before_;  // when the cycle began, as the next
  plan plan_;
  cycle_statistics now_{};
};

}  // namespace umber::gc

// Whose processor time went where: what the counters of a heap and of its mutators say together.
//
// Threads of the heap read their own clocks. A mutator reads its clock where what it does is long enough to pay for two
// system calls (assists, answers, destructors); sweeping for slots and emptying a buffer it takes from the clock on the
// wall, which it has read anyway (stalls.h). What the process used besides is the program's: threads that are not
// attached do its work, too.
//
// Invariants
//   [accounts.1] between two cycles the classes add up to the processor time of the process since the heap was made.
// Concurrency
//   Any thread.
// Uses / used by
//   Uses managed_heap. Used by trace, embed.
#pragma once

#include "managed_heap.h"

namespace umber::gc {

// Since the heap was made. The marking that the collector's own thread does is counted when its cycle ends.
[[nodiscard]] cpu_times cpu_used(managed_heap& h);
[[nodiscard]] cpu_times operator-(const cpu_times& later, const cpu_times& earlier);

}  // namespace umber::gc

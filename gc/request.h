// Asking for a cycle, and waiting for one.
//
// Invariants
//   [request.1] a cycle that is asked for begins after it was asked for.
// Concurrency
//   Any thread.
// Uses / used by
//   Uses handshake. Used by refill, driver, embed.
#pragma once

#include "managed_heap.h"

namespace umber::gc {

// Wakes the collector's thread: there is something that it is to look at.
void call_collector(managed_heap& h);
// Has a cycle begin if none is under way. Does not wait.
void start_cycle(managed_heap& h);
// Whether one is due by the plan.
[[nodiscard]] bool is_due(const managed_heap& h);
// A whole cycle that begins now: returns when it has ended and all is swept. A thread that is attached uses
// `collect_for`, which lets the collector answer for it meanwhile.
void collect(managed_heap& h);
void collect_for(mutator& m);

}  // namespace umber::gc

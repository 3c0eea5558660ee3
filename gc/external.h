// Malloc memory that managed objects own: counted as heap by the pacer and by the limits.
//
// The collector cannot see it, so the program says what there is, and says so again when it is freed: that is mostly in
// a destructor, on a thread that sweeps. What was said since the last plan counts as if it had been allocated, so it
// starts cycles, and makes mutators that say it owe marking (paid at their next refill: saying it is no safepoint). A
// plan is made when marking ends and again after the sweep, when what the dead owned has been given back (pacer.h).
//
// Sums are signed and may be below zero for a moment, when one thread says less before another has said more.
//
// Invariants
//   [external.1] what is said counts at once for the trigger and for the hard limit, and from the next plan on for goal
//                and soft limit.
// Concurrency
//   Any thread, attached or not.
// Uses / used by
//   Uses managed_heap, request. Used by embed.
#pragma once

#include "managed_heap.h"

namespace umber::gc {

// `m`: the calling thread's mutator, or null.
void add_external(managed_heap& h, mutator* m, std::ptrdiff_t bytes);

}  // namespace umber::gc

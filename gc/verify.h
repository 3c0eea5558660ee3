// Check-mark: when marking has ended, everything that the program can reach is looked at once more, with the world
// stopped, by code that shares nothing with the marker (retrace.h). The option `check_marks` turns it on (heap.h).
//
// What is wrong ends the process with the path to it:
//
//   an object without a mark      a barrier, a handle or a root was missed, or marking ended too soon
//   an object that was freed      it was swept though it had a mark; or the program kept a plain pointer over a
//   safepoint no object of this heap        a layout is wrong, or a field was overwritten a weak reference, its it
//   would survive its object
//     target without a mark
//
// Objects made while the heap marks are marked from the start, so the check needs no notion of when something was made.
// It costs as much as marking, and stops every mutator meanwhile: a tool for tests.
//
// Invariants
//   [verify.1] after check_marks [cycle.1] holds: what any mutator can reach is marked.
// Concurrency
//   The collector's thread, between the end of marking and `finish`.
// Uses / used by
//   Uses retrace, weak. Used by cycle.
#pragma once

#include "managed_heap.h"

namespace umber::gc {

void check_marks(managed_heap& h);

}  // namespace umber::gc

// Who runs finalizers and cleanups: a thread of the heap, whoever calls `run_finalizers`, and at last who destroys the
// heap.
//
// The thread starts when the first finalizer or cleanup is registered. It is a mutator like any other, so what it takes
// out of the queue is a local, and its code may make objects and collect; while it waits it is in a `blocking` region.
// If it cannot be had, the next registration tries again, and until then calls wait in the queue.
//
// Invariants
//   [finalizer_thread.1] no call runs under a lock.
//   [finalizer_thread.2] when ~heap returns, every cleanup that was not cancelled has run, once.
// Concurrency
//   As said at each function.
// Uses / used by
//   Uses finalizer, attach, driver. Used by embed.
#pragma once

#include "managed_heap.h"

namespace umber::gc {

// Something was registered. Any mutator.
void want_finalizer_thread(managed_heap& h);
// Runs what is due, at most `most` calls, on the mutator's thread. How many.
std::size_t run_due(mutator& m, std::size_t most = SIZE_MAX);
// Ends the thread, runs what is due, shuts the heap, and runs the cleanups that are left. No mutator is attached.
void finish_finalizers(managed_heap& h);

}  // namespace umber::gc

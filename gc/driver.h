// The collector's threads: one that runs cycles, and helpers that mark along.
//
// Invariants
//   None of its own.
// Concurrency
//   start and stop: whoever creates and destroys the heap.
// Uses / used by
//   Uses cycle, request. Used by embed.
#pragma once

#include "managed_heap.h"

namespace umber::gc {

// How many threads mark.
[[nodiscard]] unsigned worker_count(const heap_options& options);
// False: a thread could not be had. Then none is left behind.
[[nodiscard]] bool start_threads(managed_heap& h);
// A thread of the heap, not attached; it ends by end_thread. False: it could not be had.
[[nodiscard]] bool start_thread(managed_heap& h, void* (*body)(void* heap));
void end_thread(managed_heap& h);
// Lets a cycle under way end, and waits until the threads are gone.
void stop_threads(managed_heap& h);

}  // namespace umber::gc

// Sweeping when it is convenient: by who needs slots, and by the collector's thread for what is left.
//
// Invariants
//   None of its own: see space.h.
// Concurrency
//   Any thread.
// Uses / used by
//   Uses managed_heap. Used by refill, cycle.
#pragma once

#include "managed_heap.h"

namespace umber::gc {

// A swept span of the space with free slots, which the caller then holds, found by sweeping at most `most` spans.
// Null: none was found, or none is left.
[[nodiscard]] mspan* sweep_for(space& home, mutator& m, std::size_t most);

// Sweeps what is left of all spaces, or `most` spans of it: then there may be more, and it gives true. The caller has
// answered for the sweep, or is the collector.
[[nodiscard]] bool sweep_some(managed_heap& h, span_stock& stock, std::size_t most);
void sweep_rest(managed_heap& h, span_stock& stock);

// Frees all objects: their destructors run, their pages go back. Nobody uses the heap any more.
void sweep_everything(managed_heap& h, span_stock& stock);

}  // namespace umber::gc

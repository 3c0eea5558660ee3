// The write barrier of what is no field: roots that the engine keeps, and values of weak maps.
//
// The same two halves as for a field. What is overwritten or taken away is recorded, for the thread may have a black
// stack, and be the only one left that knows of it (Yuasa). What is stored is recorded while the thread is white, for
// the place may have been scanned, and the thread may forget it before it is (Dijkstra). The historical collectors use
// one half each; see embed.cc, which has the barrier of fields, and tells the barrier checker of them.
//
// Invariants
//   None of its own: see cycle.h.
// Concurrency
//   The mutator's own thread; no safepoint between this and the store, in either order.
// Uses / used by
//   Uses managed_heap. Used by weak_map, finalizer_thread, embed.
#pragma once

#include "managed_heap.h"

namespace umber::gc {

// A place that held `old` holds `value` from now on; either may be null.
inline void record_store(mutator& m, const void* old, const void* value) {
  if (!m.barrier) return;
  if (old != nullptr && m.records_old()) m.record(address_of(old));
  if (value != nullptr && m.records_new()) m.record(address_of(value));
}

}  // namespace umber::gc

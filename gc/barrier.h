// The write barrier of what is no field: roots that the engine keeps, and values of weak maps.
//
// The same two halves as for a field: embed.cc has the barrier of fields, and tells the barrier checker of them. What
// is overwritten or taken away is recorded (Yuasa), and what is stored is, while the thread is white (Dijkstra). Why
// both, and why they go on before anything else happens, each shown by how it goes without. Threads are A and B; o is
// an object that somebody else holds, and x a white one that hangs on nothing but what is shown. Each table is run as
// it stands by tests/litmus.
//
// litmus: deletion. A black thread's handles are not looked at again, so it must not take the last edge away unseen.
//
//     A (black)                              B (white)
//       takes x out of o.f
//       o.f = null        records x
//                                              answers scan: o is scanned, and holds nothing
//
// litmus: insertion. A white thread may forget what it holds before it is asked, so it must not hide that in an object
// that was scanned. (A black one may: what it holds was a root, or was recorded as it was taken out, or is marked.)
//
//     A (white)                              B (black)
//                                              o has been scanned
//       o.f = x           records x
//       forgets x
//       answers scan: holds nothing
//
// litmus: settle. Two threads store to one field, against all advice; memory must stay safe. A reads what it overwrites
// before B stores, and writes after it, so it overwrites x without having recorded it. B, whose barrier was off, did
// not record x either. The round `settle` ends when A's store has ended, and no thread is black before.
//
//     A (barrier on)                         B (barrier off)
//       o.f = null begins: records what was there
//                                              o.f = x, and forgets x
//                                              answers barrier_on, and settle
//       o.f = null ends
//       answers settle
//                                              answers scan: black from here on
//                                              takes x out of o.f; finds null
//
// litmus: black_too_early. Who made objects black when its own barrier goes on would have them passed over while others
// have none; so new objects are white until scan.
//
//     A (barrier on)                         B (barrier off)
//       makes o, white
//                                              o.f = x, and forgets x
//       answers scan: o is scanned
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
  if (old != nullptr && m.records_old()) m.record(address_of(old));
  if (value != nullptr && m.records_new()) m.record(address_of(value));
}

}  // namespace umber::gc

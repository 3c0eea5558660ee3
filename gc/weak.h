// References that do not keep their object alive.
//
// A weak reference is a small managed object, its *box*, that holds the target and has no pointers as far as marking is
// concerned. So the boxes of dead references die as all objects do, and those to be cleared are found by walking the
// spans of the type: no registry, and no lock where weak references are made.
//
// Loading one makes the target strong, and that must not happen behind the collector's back:
//
//     target marked, or this mutator's barrier off   it is alive, and will be
//     otherwise, while marking is `open`             recorded, as an overwritten value is: marking will get to it
//               while it is `closing`                a round of flushes decides whether marking has ended: the load
//                                                    waits
//               when that is `decided`               the target is dead: null, whether or not it was cleared yet
//               when all is `cleared`                what the box says: sweeping clears marks from now on
//
// litmus: window. A black thread may have answered the last flush; were x recorded by then, nobody would ask for it.
//
//     A (black)                              B                          collector
//                                                                         closing; asks flush
//       answers flush
//       loads the reference to x: waits
//                                              answers flush
//                                                                         nothing was found: decided
//       gets null
//
// Invariants
//   [weak.1] no load gives an object that is then swept.
// Concurrency
//   lock_reference: the mutator's thread. clear_weak: the collector, mutators running.
// Uses / used by
//   Uses handshake, refill. Used by cycle's caller, embed.
#pragma once

#include "managed_heap.h"

namespace umber::gc {

[[nodiscard]] detail::weak_box* make_box(mutator& m, void* target);  // null: no memory
// What a place holds that does not keep it alive, made strong; null: it is dead, or there was nothing.
void* lock_reference(mutator& m, const std::atomic<void*>& place);

// Clears the references to what is not marked, also dead ones, which a finalizer may bring back. The verdict is
// `decided`.
void clear_weak(managed_heap& h);
// The type of boxes; null: no memory.
const type_layout* weak_box_layout();
// A reference with a mark to what has none; null: there is none, as is so after clear_weak.
[[nodiscard]] const detail::weak_box* find_uncleared(managed_heap& h);

}  // namespace umber::gc

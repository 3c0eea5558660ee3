// Ephemerons: the entries of weak maps. An entry keeps its value alive while its key is alive, and only then.
//
// An entry is a managed object of its own type, and marking follows only its link to the next one. So, as with weak
// references, all entries are found by walking the spans of the type, and no map has to be known to anybody.
//
//   found      entry and key have marks, the value has none: the value is a candidate now. When marking has run out of
//              other work the entries are walked, until a walk finds nothing; that may take several, because a value
//              may lead to the key of another entry.
//   cleared    when the verdict is `decided`, every entry whose key has no mark loses key and value, in dead maps too:
//              a map that a finalizer brings back has no entry for an object that was unreachable with it.
//
// *Cost*: each walk looks at every entry (its mark, its key's, its value's). A cycle makes two walks, and one more for
// each time that values lead to keys against the order of addresses: with the first one done, what a walk finds is
// marked before it goes on, so a chain of entries in the order of their allocation takes a walk a span and not one a
// link. The worst case is the square of the entries, beside the mutators; no other entry of a heap pays for it.
//
// *What mutators do meanwhile.* The value is a slot as any other for who stores: what is overwritten is recorded, and
// what is stored is, while the storing thread is white. Reading is the point. Who reads the value holds the key, so
// entry and value would be found alive in the end, but by then the reader may have taken the entry out of the map; so a
// value without a mark is recorded when it is read, as by a weak load. Unlike that a read never waits for a round
// of `flush` to be decided:
//
//     collector                                         mutator (black, has answered the last flush)
//       closing: weak loads wait from now on
//       walks the entries, then asks for `flush`          reads a value through a key it holds
//
//   If the round is to be the last, nothing was grey when the walk began (greys are in buffers, and would be found by
//   the flush that follows the walk), so every object that a mutator held had a mark, and it got more only through
//   fields of such objects (marked as well), and values. The first value without a mark that anybody read after the
//   walk came by: its key had a mark when the walk passed, so the walk has found the value, and the round is not the
//   last. Entries made or changed after the walk passed hold what somebody held.
//
// So the order is closing, walk, flush; with the walk after the flush a value could be read and its entry removed in
// between, and nobody would know. What weak loads wait for gets longer by one walk: hence the walks before, while the
// verdict is `open`.
//
// Invariants
//   [weak_map.1] an entry whose key is alive gives its value, alive.
//   [weak_map.2] a value does not keep its key alive, nor does any chain of values and keys keep itself alive.
//   [weak_map.3] no entry has the address of an object that was swept as its key.
// Concurrency
//   mark_weak_maps, clear_weak_maps: the collector's thread, mutators running. The others: the mutator's.
// Uses / used by
//   Uses mark, barrier, refill. Used by verify, cycle, embed.
#pragma once

#include "mark.h"

#include <umber/weak_map.h>

namespace umber::gc {

[[nodiscard]] detail::weak_entry* make_entry(mutator& m, void* key, void* value);  // null: no memory
void set_value(mutator& m, detail::weak_entry& entry, void* value);
void keep_value(mutator& m, const void* value);

// Walks the entries, and gives the values that are alive now to the marker. Whether there were any.
enum class values { gathered, marked_at_once };
bool mark_weak_maps(managed_heap& h, marker& mark, values found);
// Clears the entries of keys that have no mark. The verdict is `decided`.
void clear_weak_maps(managed_heap& h);
// After that: an entry that is alive, with a key or a value that has no mark; null if all is well. For checks.
const detail::weak_entry* find_broken_entry(managed_heap& h);

}  // namespace umber::gc

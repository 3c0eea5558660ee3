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
// *Cost*: each walk looks at every entry (its mark, its key's, its value's). A cycle makes one walk, and one for each
// round of `flush` that brings something. A walk that finds something is followed by another one; if that finds
// something, too, values lead to keys, and it puts what still waits into a table by what it waits for (ephemerons.h).
// From then on marking itself finds the rest, each entry once, however long the chains are, and one more walk finds
// nothing. So a cycle is linear in the entries, but for those that two threads mark in the same moment.
//
// *What mutators do meanwhile.* The value is a slot as any other for who stores: what is overwritten is recorded, and
// what is stored is, while the storing thread is white (barrier.h). Reading is the point. Who reads the value holds the
// key, so entry and value would be found alive in the end, but by then the reader may have taken the entry out of the
// map; so a value without a mark is recorded when it is read, as by a weak load. Unlike that, a read never has to wait
// for a round of `flush` to be decided. The order is (litmus: weak_value)
//
//     collector                                             mutator (black)
//       found_grey = false
//       marks, and walks, until a walk finds nothing          reads a value through a key it holds
//       closing: weak loads wait from now on
//       flush                                                 answers; reads another one
//       nothing grey was found: decided
//
//   Say that nothing was found. Then nothing was grey when the last walk began: it would have been in a mutator's
//   buffer or chunk, and its owner would have said so. For the same reason nothing became grey since. So all that
//   mutators held when the walk began had marks, and what they got hold of since they got from fields of such objects
//   (with marks, too), by weak loads (with a mark; or recorded, and found), or out of entries. The first value without
//   a mark that anybody read lay in an entry since before the walk came by (what is put into one is held by somebody),
//   and the entry and its key had marks then: so the walk has found it, and was not the last. A value read in the end,
//   when nobody asks for buffers any more, has a mark.
//
// A walk after `flush` would be too late: a value could be read, recorded where nobody looks any more, and its entry be
// taken out before the walk came by.
//
// Invariants
//   [weak_map.1] an entry whose key is alive gives its value, alive.
//   [weak_map.2] a value does not keep its key alive, nor does any chain of values and keys keep itself alive.
//   [weak_map.3] no entry has the address of an object that was swept as its key.
// Concurrency
//   mark_weak_maps, clear_weak_maps: the collector's thread, mutators running. The others: the mutator's.
// Uses / used by
//   Uses mark, barrier, refill, ephemerons. Used by verify, cycle, embed.
#pragma once

#include "mark.h"

#include <umber/weak_map.h>

namespace umber::gc {

[[nodiscard]] detail::weak_entry* make_entry(mutator& m, void* key, void* value);  // null: no memory
void set_value(mutator& m, detail::weak_entry& entry, void* value);
void keep_value(mutator& m, const void* value);

// Walks the entries, and gives the values that are alive now to the marker. Whether there were any. If so and `watched`
// is asked for, markers will find the others.
enum class values { gathered, watched };
bool mark_weak_maps(managed_heap& h, marker& mark, values found);
void stop_watching(managed_heap& h);
// Clears the entries of keys that have no mark. The verdict is `decided`.
void clear_weak_maps(managed_heap& h);
// The type of entries; null: no memory.
const type_layout* weak_entry_layout();
// After that: an entry that is alive, with a key or a value that has no mark; null if all is well. For checks.
const detail::weak_entry* find_broken_entry(managed_heap& h);

}  // namespace umber::gc

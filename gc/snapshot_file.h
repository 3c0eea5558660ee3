// A snapshot as a .heapsnapshot file: the JSON of V8's heap profiler, which Chrome's DevTools open (Memory, Load), and
// `umber heap`.
//
//   ""  --  (GC roots)  --  locals of thread NAME 4711, one for each thread with some
//                           persistent handles
//                           finalizers and cleanups: what they keep
//                           held by nothing that was seen: see snapshot.h; garbage since, or what changed hands
//   all of these but (GC roots) also hang off "", so that DevTools count distances from them
//
//   node     type "object", named as the compiler names its type, "T[]" for an array; the size is that of its slot
//   id       from its address, so the same object has the same id in the next snapshot (up to 32 GiB of heap)
//   edge     "property": a field, by its name if that is known, else by its offset, "+8"
//            "element": the index in an array; one for each pointer of the element
//            "weak": the target of a weak reference; the key in a weak map, whose value is a property of the entry
//
// Every object is reached from the root: what is not, by edges that were seen, is given one from the last group.
//
// Invariants
//   [snapshot_file.1] after a failure there is no file that was not there before, and what was there stays.
// Concurrency
//   One thread at a time.
// Uses / used by
//   Uses snapshot_tables, output, type. Used by embed.
#pragma once

#include "snapshot_tables.h"

namespace umber::gc {

// 0, or what errno says of the failure. A regular file is replaced when all is written, by way of `path`.tmp; anything
// else is written to as it is.
[[nodiscard]] int write_snapshot_file(const snapshot_tables& tables, const char* path);

}  // namespace umber::gc

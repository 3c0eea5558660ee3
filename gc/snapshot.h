// A snapshot of the heap, taken by a cycle while the program runs. `heap.write_snapshot` asks for it.
//
// Nothing waits for it that would not wait for the cycle. Handles are noted as each thread answers `scan`. When marking
// has ended, and before `finish`, every object that lives has a mark, none is freed, and new ones come with marks: so
// the collector's thread walks them, beside the mutators, and notes what each field holds. The text is written later,
// by the thread that wants it (snapshot_file.h), and no cycle waits for a disk.
//
// *What it shows*: the objects that this cycle kept alive, and those made while it marked, but for the last few of each
// thread. What handles hold is from the moment when their thread was scanned; what fields hold is from when they were
// read, later. An edge to an object that was made in between, and is not shown, is left out; and an object that is held
// by nothing any more, or only by what changed hands in between, is shown as such. If no mutator runs, or all wait,
// it is exact, but for what died while the cycle marked.
//
// Invariants
//   [snapshot.1] every object that any mutator could reach when it was scanned, and still can when the cycle ends, is
//                shown.
// Concurrency
//   take_snapshot: the collector's thread, between the end of marking and `finish`. The rest: any thread.
// Uses / used by
//   Uses snapshot_tables, retrace, weak, weak_map. Used by cycle.
#pragma once

#include "managed_heap.h"
#include "snapshot_tables.h"

namespace umber::gc {

void take_snapshot(managed_heap& h, snapshot_tables& into);

}  // namespace umber::gc

// The order in which locks may be taken, as data.
//
// A thread that holds a lock takes only locks of a higher rank. The order is the walk of an allocation downwards:
// who is asked first is locked first. `fork` takes every lock in this order and so cannot deadlock with anyone.
//
// Invariants
//   [rank.1] a thread never acquires a lock whose rank is not above all ranks it holds (checked in debug builds by
//            `mutex`).
// Concurrency
//   Constants.
// Uses / used by
//   Uses base. Used by sync and every owner of a lock.
#pragma once

#include "base.h"

namespace umber::alloc {

enum class rank : std::uint8_t {
  snapshots,      // who takes a snapshot of a heap (gc/, as the next fourteen)
  managed_heaps,  // the list of managed heaps
  cycle_log,      // what past cycles were
  mutators,       // the threads attached to a heap
  managed_types,  // layouts
  spaces,         // the list of a heap's spaces
  roots,          // persistent handles
  finalizers,     // finalizers and cleanups
  space,          // the spans of one type
  object_map,     // mark bits
  work,           // candidates
  shadow,         // what a barrier checker has noted
  snapshot,       // what a snapshot has seen
  timeline,       // the file of events
  samples,        // objects of a managed heap that are samples
  scavenger,      // state of the background thread
  private_heaps,  // the list of private heaps
  processor,      // a processor used by several threads: visitors' and first-class heaps'
  idle_list,      // the list of processors no thread holds
  mcentral,       // spans of one class
  mheap,          // pages and spans of the process
  profile_file,   // who writes the profile of allocations
  profile,        // what its samples were
  metadata,       // the engine's own memory
  count
};

}  // namespace umber::alloc

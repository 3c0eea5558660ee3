// What the heap knows of itself, counted when asked and free when not.
//
// The fast paths count nothing. A question walks the spans and adds up their bitmaps, so the answer is exact for every
// thread that is not inside the allocator at that moment, and costs the asker O(spans).
//
// Invariants
//   [stats.1] live_bytes + free_slot_bytes + free_page_bytes == mapped_bytes, up to tail waste inside spans
//             (waste_bytes).
// Concurrency
//   collect_stats takes the mheap's lock; any thread may ask.
// Uses / used by
//   Plain numbers. Filled by mheap, printed by override (malloc_stats, mallinfo2, malloc_info) and api.
#pragma once

#include "base.h"

namespace umber::alloc {

struct class_stats {
  std::size_t object_size = 0;  // bytes of a slot; 0 for large objects
  std::size_t spans = 0;
  std::size_t live_objects = 0;
  std::size_t free_slots = 0;
};

struct heap_stats {
  std::size_t live_bytes = 0;  // in allocated blocks, slot sizes
  std::size_t live_objects = 0;
  std::size_t free_slot_bytes = 0;  // in spans, not allocated
  std::size_t waste_bytes = 0;      // in spans, of no slot
  std::size_t free_page_bytes = 0;  // in no span
  std::size_t mapped_bytes = 0;     // pages taken from arenas so far: everything above together
  std::size_t released_bytes = 0;   // of mapped_bytes, given back to the system
  std::size_t peak_used_bytes = 0;
  std::size_t metadata_bytes = 0;
  std::size_t large_objects = 0;
  std::size_t large_bytes = 0;
  std::size_t arenas = 0;
  std::size_t processors = 0;
  std::size_t idle_processors = 0;
  std::size_t memory_limit = SIZE_MAX;
  std::size_t cgroup_limit = SIZE_MAX;
  std::size_t scavenged_bytes_total = 0;  // given back since the start, in the background or on request
  std::uint64_t scavenger_cpu_ns = 0;
  class_stats classes[68] = {};
};

heap_stats collect_stats();

}  // namespace umber::alloc

#include "census.h"

#include "mheap.h"
#include "os.h"
#include "processors.h"
#include "scavenger.h"

namespace umber::alloc {

namespace {

void count_span(heap_stats& stats, const mspan& s) {
  const std::size_t bytes = s.run.count.bytes();
  if (s.slot_size == 0) {
    ++stats.large_objects;
    stats.large_bytes += bytes;
    ++stats.classes[0].spans;
    ++stats.classes[0].live_objects;
    ++stats.live_objects;
    stats.live_bytes += bytes;
    return;
  }
  class_stats& of_class = stats.classes[s.spans_class().size().value];
  const std::size_t free = s.count_free_or_remote();
  const std::size_t live = s.slots - free;
  ++of_class.spans;
  of_class.live_objects += live;
  of_class.free_slots += free;
  stats.live_objects += live;
  stats.live_bytes += live * s.slot_size;
  stats.free_slot_bytes += free * s.slot_size;
  stats.waste_bytes += bytes - std::size_t{s.slots} * s.slot_size;
}

}  // namespace

heap_stats collect_stats() {
  heap_stats stats;
  for (std::size_t c = 1; c < size_class_count; ++c) stats.classes[c].object_size = classes[c].slot_size;
  heap.for_each_span([&stats](const mspan& s) { count_span(stats, s); });
  const page_figures pages = heap.figures();
  stats.mapped_bytes = pages.known.bytes();
  stats.free_page_bytes = stats.mapped_bytes - stats.live_bytes - stats.free_slot_bytes - stats.waste_bytes;
  stats.released_bytes = (pages.free - pages.unscavenged).bytes();
  stats.peak_used_bytes = pages.peak_in_use.bytes();
  stats.metadata_bytes = pages.metadata_bytes;
  stats.arenas = divide_up(stats.mapped_bytes, arena_size);
  const processors::census counted = processors::count();
  stats.processors = counted.all;
  stats.idle_processors = counted.idle;
  stats.memory_limit = heap.limit();
  stats.cgroup_limit = os::cgroup_memory_limit();
  const scavenger::figures scavenged = scavenger::so_far();
  stats.scavenged_bytes_total = scavenged.released_bytes;
  stats.scavenger_cpu_ns = scavenged.cpu_ns;
  return stats;
}

}  // namespace umber::alloc

#include "measured_heap.h"

#include "bench/measure/clock.h"

#include <umber/malloc.h>

#include <algorithm>
#include <iterator>
#include <span>

namespace bench {

cause cause_of(umber::stall_cause told, bool stops) {
  switch (told) {
    case umber::stall_cause::handshake:
      return cause::handshake;
    case umber::stall_cause::assist:
      return cause::assist;
    case umber::stall_cause::sweep:
      return cause::sweep;
    case umber::stall_cause::barrier:
      return cause::flush;
    case umber::stall_cause::wait:
      break;
  }
  return stops ? cause::stop : cause::wait;
}

measured_heap::measured_heap(const umber::heap_options& options) : heap_(options), made_at_(system_clock_ns()) {}

std::string measured_heap::version() const { return UMBER_VERSION; }

system_reading measured_heap::read() {
  const umber::heap_statistics s = heap_.statistics();
  system_reading r;
  r.allocated_bytes = s.total_allocated_bytes;
  r.allocated_objects = s.total_allocated_objects;
  // What was there when the last cycle ended, and is not now, is free, or will be when it is swept.
  r.freed_bytes = s.total_allocated_bytes - std::min(s.total_allocated_bytes, s.live_bytes + s.allocated_bytes);
  r.cycles = s.cycles;
  r.mutator_ns = s.cpu.mutator_ns;
  r.mark_ns = s.cpu.mark_ns;
  r.assist_ns = s.cpu.assist_ns;
  r.sweep_ns = s.cpu.sweep_ns + s.cpu.mutator_sweep_ns;
  r.barrier_ns = s.cpu.barrier_ns;
  r.collector_ns = *r.mark_ns + *r.assist_ns + *r.sweep_ns + *r.barrier_ns;
  r.live_bytes = s.live_bytes;
  r.heap_bytes = s.heap_bytes;
  if (s.goal_bytes < umber::heap_options::off / 2) r.goal_bytes = s.goal_bytes;
  return r;
}

system_reading measured_heap::read_all() {
  system_reading r = read();
  const umber::malloc_statistics pages = umber::statistics();
  r.returned_bytes = pages.scavenged_bytes_total;
  r.metadata_bytes = pages.metadata_bytes;
  return r;
}

std::vector<cycle_seen> measured_heap::new_cycles() {
  std::vector<cycle_seen> result;
  umber::cycle_statistics some[16];
  for (std::size_t n = 1; n != 0;) {
    n = heap_.cycles(last_cycle_, some, std::size(some));
    for (const umber::cycle_statistics& each : std::span(some, n)) {
      last_cycle_ = each.number;
      std::uint64_t ns = 0;
      for (std::size_t p = 0; p < static_cast<std::size_t>(umber::cycle_phase::sweep); ++p) ns += each.phase_ns[p];
      result.push_back({made_at_ + each.began_ns, ns, each.cpu.mark_ns + each.cpu.assist_ns, each.live_bytes, {}});
      if (each.goal_bytes < umber::heap_options::off / 2) result.back().goal_bytes = each.goal_bytes;
    }
  }
  return result;
}

}  // namespace bench

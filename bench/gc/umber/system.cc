#include "system.h"

#include "bench/measure/clock.h"
#include "bench/measure/recorder.h"

#include <fmt/format.h>
#include <umber/malloc.h>

#include <algorithm>
#include <charconv>
#include <span>

namespace bench {

namespace {

constexpr const char* kind_names[] = {"hybrid", "deletion", "insertion", "stop_the_world"};

bool parse(std::string_view text, std::size_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

// With the world stopped, answering and waiting are the stop.
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

template <bool Stops>
void tell_lane(void*, umber::stall_cause told, std::uint64_t, std::uint64_t ns) noexcept {
  if (lane* l = lane::of_this_thread(); l != nullptr) l->stalled(cause_of(told, Stops), ns);
}

umber::heap_options options_of(const memory_choices& chosen) {
  umber::heap_options options;
  if (chosen.percent) options.percent = *chosen.percent;
  if (chosen.never_by_itself) options.percent = umber::heap_options::off;
  if (chosen.limit) options.limit = *chosen.limit;
  options.workers = chosen.workers;
  options.kind = chosen.kind;
  options.on_stall = chosen.kind == umber::barrier::hybrid ? tell_lane<false> : tell_lane<true>;
  return options;
}

}  // namespace

const char* take_option(std::string_view name, std::string_view value, memory_choices& chosen) {
  if (name == "--collector") {
    const auto* found = std::find(std::begin(kind_names), std::end(kind_names), value);
    if (found == std::end(kind_names)) return "--collector takes hybrid, deletion, insertion or stop_the_world";
    chosen.kind = static_cast<umber::barrier>(found - std::begin(kind_names));
    return nullptr;
  }
  std::size_t number = 0;
  if (name != "--percent" && name != "--limit" && name != "--workers") return "there is no such option";
  if (!parse(value, number)) return "it takes a whole number";
  if (name == "--percent")
    chosen.percent = number;
  else if (name == "--limit")
    chosen.limit = number;
  else if (number > 1024)
    return "at most 1024 threads can mark";
  else
    chosen.workers = static_cast<unsigned>(number);
  return nullptr;
}

std::vector<std::pair<const char*, std::string>> listed(const memory_choices& chosen) {
  std::vector<std::pair<const char*, std::string>> result;
  if (chosen.percent) result.emplace_back("percent", std::to_string(*chosen.percent));
  if (chosen.limit) result.emplace_back("limit", std::to_string(*chosen.limit));
  if (chosen.workers != 0) result.emplace_back("workers", std::to_string(chosen.workers));
  result.emplace_back("collector", kind_names[static_cast<std::size_t>(chosen.kind)]);
  return result;
}

memory::memory(const memory_choices& chosen) : heap_(options_of(chosen)), made_at_(system_clock_ns()) {}

std::string memory::version() const { return UMBER_VERSION; }

system_reading memory::read() {
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

system_reading memory::read_all() {
  system_reading r = read();
  const umber::malloc_statistics pages = umber::statistics();
  r.returned_bytes = pages.scavenged_bytes_total;
  r.metadata_bytes = pages.metadata_bytes;
  return r;
}

std::vector<cycle_seen> memory::new_cycles() {
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

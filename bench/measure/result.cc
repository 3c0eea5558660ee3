#include "result.h"

#include <algorithm>

namespace bench {

using json = nlohmann::ordered_json;

namespace {

constexpr std::size_t most_pauses = 1000;
constexpr std::uint64_t least_of_ten_parts = 100;  // fewer operations say nothing of a tenth of them

using figure = system_reading::figure;

void set(json& object, const char* name, const figure& value) {
  if (value) object[name] = *value;
}

figure difference(const figure& after, const figure& before) {
  if (!after || !before) return std::nullopt;
  return *after > *before ? *after - *before : 0;
}

json cpu_of(const measurement& m) {
  json cpu{{"process", m.process.cpu_ns}};
  const system_reading &a = m.after, &b = m.before;
  set(cpu, "mutator", difference(a.mutator_ns, b.mutator_ns));
  set(cpu, "mark", difference(a.mark_ns, b.mark_ns));
  set(cpu, "sweep", difference(a.sweep_ns, b.sweep_ns));
  set(cpu, "assist", difference(a.assist_ns, b.assist_ns));
  set(cpu, "barrier", difference(a.barrier_ns, b.barrier_ns));
  set(cpu, "collector", difference(a.collector_ns, b.collector_ns));
  return cpu;
}

// Instants count from the start of the measured part; what began before it, from there.
std::uint64_t since_start(const measurement& m, std::uint64_t at) { return at > m.began ? at - m.began : 0; }

json pauses_of(const measurement& m) {
  std::vector<stall> all;
  for (const std::vector<stall>& each : m.pauses) all.insert(all.end(), each.begin(), each.end());
  // What stopped all mutators is known to each of them.
  std::sort(all.begin(), all.end(), [](const stall& a, const stall& b) { return a.at < b.at; });
  const auto same = [](const stall& a, const stall& b) { return a.at == b.at && a.ns == b.ns && a.why == b.why; };
  all.erase(std::unique(all.begin(), all.end(), same), all.end());
  const auto longer = [](const stall& a, const stall& b) { return a.ns > b.ns; };
  const std::size_t kept = std::min(all.size(), most_pauses);
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(kept), all.end(), longer);
  all.resize(kept);
  std::sort(all.begin(), all.end(), [](const stall& a, const stall& b) { return a.at < b.at; });
  json result = json::array();
  for (const stall& each : all)
    result.push_back({{"at_ns", since_start(m, each.at)},
                      {"ns", each.ns},
                      {"cause", cause_names[static_cast<std::size_t>(each.why)]}});
  return result;
}

json utilisation_of(const measurement& m) {
  std::vector<std::vector<interval>> mutators;
  for (const std::vector<stall>& each : m.pauses) {
    std::vector<interval> pauses;
    for (const stall& s : each) pauses.push_back({since_start(m, s.at), s.ns});
    mutators.push_back(disjoint(std::move(pauses), m.wall_ns));
  }
  json result = json::array();
  for (const utilisation& each : utilisation_curve(mutators, m.wall_ns)) result.push_back({each.window_ns, each.share});
  return result;
}

json timeline_of(const measurement& m) {
  json result = json::array();
  for (const memory_sample& each : m.samples) {
    json row{{"at_ns", since_start(m, each.at)}, {"rss", each.resident}};
    set(row, "live", each.live);
    set(row, "goal", each.goal);
    set(row, "heap", each.heap);
    result.push_back(std::move(row));
  }
  return result;
}

json marking_of(const measurement& m) {
  json result = json::array();
  for (const cycle_seen& each : m.cycles) {
    json row{{"at_ns", since_start(m, each.at)}, {"ns", each.ns}};
    set(row, "mark_ns", each.mark_ns);
    set(row, "live", each.live_bytes);
    set(row, "goal", each.goal_bytes);
    result.push_back(std::move(row));
  }
  return result;
}

json memory_of(const measurement& m) {
  json memory{{"peak_rss", m.peak_resident},
              {"end_rss", m.end_resident},
              {"minor_faults", m.process.minor_faults},
              {"major_faults", m.process.major_faults}};
  set(memory, "returned_bytes", difference(m.after.returned_bytes, m.before.returned_bytes));
  set(memory, "settled_rss", m.settled_resident);
  set(memory, "live_bytes", m.settled_live ? m.settled_live : m.after.live_bytes);
  set(memory, "heap_bytes", m.after.heap_bytes);
  set(memory, "metadata_bytes", m.after.metadata_bytes);
  return memory;
}

}  // namespace

json to_json(const histogram& h) {
  json result{{"count", h.count()}};
  if (h.count() == 0) return result;
  result["min"] = h.min();
  result["max"] = h.max();
  result["mean"] = static_cast<std::uint64_t>(h.mean() + 0.5);
  for (const auto& [name, per_cent] :
       {std::pair{"p50", 50.0}, {"p90", 90.0}, {"p99", 99.0}, {"p99.9", 99.9}, {"p99.99", 99.99}, {"p99.999", 99.999}})
    result[name] = h.percentile(per_cent);
  json& buckets = result["buckets"] = json::array();
  for (std::size_t i = 0; i < h.counts().size(); ++i)
    if (h.counts()[i] != 0) buckets.push_back({histogram::highest_of(i), h.counts()[i]});
  return result;
}

json to_json(const measurement& m) {
  json result;
  if (m.service.count() != 0) result["operations"] = m.service.count();
  result["wall_ns"] = m.wall_ns;
  result["cpu_ns"] = cpu_of(m);
  set(result, "allocated_bytes", difference(m.after.allocated_bytes, m.before.allocated_bytes));
  set(result, "allocated_objects", difference(m.after.allocated_objects, m.before.allocated_objects));
  set(result, "freed_bytes", difference(m.after.freed_bytes, m.before.freed_bytes));
  set(result, "cycles", difference(m.after.cycles, m.before.cycles));
  if (m.service.count() >= least_of_ten_parts && m.parts.front() != 0) result["warm_up"] = m.parts;
  if (m.service.count() != 0) result["service_ns"] = to_json(m.service);
  if (m.response != nullptr && m.response->count() != 0) result["response_ns"] = to_json(*m.response);
  if (m.tells_stalls) {
    json& stalls = result["stalls"] = json::object();
    for (std::size_t i = 0; i < cause_names.size(); ++i)
      if (m.stalls[i] != nullptr) stalls[cause_names[i]] = to_json(*m.stalls[i]);
    result["pauses"] = pauses_of(m);
    result["mmu"] = utilisation_of(m);
  }
  result["timeline"] = timeline_of(m);
  if (!m.cycles.empty()) result["marking"] = marking_of(m);
  if (m.jitter != nullptr) result["jitter_ns"] = to_json(*m.jitter);
  result["memory"] = memory_of(m);
  return result;
}

}  // namespace bench

// A table of what is copied, then the few that are computed. A field of another type than it should have counts as
// absent.
#include "gc_figures.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "statistics.h"

namespace umber::tool {

namespace {

using json = nlohmann::ordered_json;

struct source {
  const char* figure;
  const char* path;
};

constexpr source sources[] = {
    {"wall_ns", "/wall_ns"},
    {"process_ns", "/cpu_ns/process"},
    {"mutator_ns", "/cpu_ns/mutator"},
    {"mark_ns", "/cpu_ns/mark"},
    {"sweep_ns", "/cpu_ns/sweep"},
    {"assist_ns", "/cpu_ns/assist"},
    {"barrier_ns", "/cpu_ns/barrier"},
    {"collector_ns", "/cpu_ns/collector"},
    {"cycles", "/cycles"},
    {"allocated_objects", "/allocated_objects"},
    {"peak_rss", "/memory/peak_rss"},
    {"end_rss", "/memory/end_rss"},
    {"settled_rss", "/memory/settled_rss"},
    {"returned_bytes", "/memory/returned_bytes"},
    {"minor_faults", "/memory/minor_faults"},
    {"major_faults", "/memory/major_faults"},
    {"live_bytes", "/memory/live_bytes"},
    {"heap_bytes", "/memory/heap_bytes"},
    {"metadata_bytes", "/memory/metadata_bytes"},
};

constexpr const char* histograms[] = {"response", "service", "probe", "probe_collecting", "jitter"};
constexpr const char* points[] = {"p50", "p90", "p99", "p99.9", "p99.99", "p99.999", "max"};

std::optional<double> number_at(const json& object, const std::string& path) {
  const json::json_pointer pointer(path);
  if (!object.contains(pointer)) return std::nullopt;
  const json& value = object[pointer];
  if (!value.is_number()) return std::nullopt;
  return value.get<double>();
}

// A member that is there and of the kind asked for, or an empty one.
template <typename Kind>
const json& member(const json& object, const char* name, Kind is_kind) {
  static const json nothing = json::array();
  return object.contains(name) && (object[name].*is_kind)() ? object[name] : nothing;
}

void set(figure_map& figures, const std::string& name, std::optional<double> value) {
  if (value && std::isfinite(*value)) figures[name] = *value;
}

std::optional<double> per(std::optional<double> amount, std::optional<double> nanoseconds) {
  if (!amount || !nanoseconds || *nanoseconds <= 0) return std::nullopt;
  return *amount / *nanoseconds * 1e9;
}

// The windows of the curve are a quarter of a decade apart: the nearest is meant.
std::optional<double> utilisation(const json& run, double window) {
  std::optional<double> found;
  for (const json& each : member(run, "mmu", &json::is_array)) {
    if (!each.is_array() || each.size() != 2 || !each[0].is_number() || !each[1].is_number()) continue;
    if (std::fabs(each[0].get<double>() / window - 1) < 0.1) found = each[1].get<double>();
  }
  return found;
}

std::optional<double> longest_stall(const json& run) {
  std::optional<double> longest;
  const auto look = [&](const json& entry, const char* field) {
    if (!entry.is_object() || !entry.contains(field) || !entry[field].is_number()) return;
    longest = std::max(longest.value_or(0), entry[field].get<double>());
  };
  for (const json& each : member(run, "stalls", &json::is_object)) look(each, "max");
  for (const json& each : member(run, "pauses", &json::is_array)) look(each, "ns");
  return longest;
}

// How much slower the first repetition is than those that follow.
std::optional<double> warm_up(const json& run) {
  std::vector<double> repetitions;
  for (const json& each : member(run, "warm_up", &json::is_array)) {
    if (each.is_number()) repetitions.push_back(each.get<double>());
  }
  if (repetitions.size() < 3) return std::nullopt;
  const double rest = median({repetitions.begin() + 1, repetitions.end()});
  return rest > 0 ? std::optional(repetitions.front() / rest) : std::nullopt;
}

std::optional<double> quotient(std::optional<double> amount, std::optional<double> of) {
  if (!amount || !of || *of <= 0) return std::nullopt;
  return *amount / *of;
}

std::optional<double> difference(std::optional<double> amount, std::optional<double> before) {
  if (!amount || !before || *amount < *before) return std::nullopt;
  return *amount - *before;
}

// How often the system says that it held a mutator up.
std::optional<double> stalls(const json& run) {
  std::optional<double> sum;
  for (const json& each : member(run, "stalls", &json::is_object)) {
    if (each.is_object() && each.contains("count") && each["count"].is_number())
      sum = sum.value_or(0) + each["count"].get<double>();
  }
  return sum;
}

// How long all mutators together were held up, by what the system says.
std::optional<double> stalled_time(const json& run) {
  std::optional<double> sum;
  for (const json& each : member(run, "stalls", &json::is_object)) {
    const auto count = number_at(each, "/count"), mean = number_at(each, "/mean");
    if (count && mean) sum = sum.value_or(0) + *count * *mean;
  }
  return sum;
}

bool is_histogram(const json& value) { return value.is_object() && value.contains("buckets"); }

}  // namespace

figure_map figures_of(const json& run) {
  figure_map figures;
  for (const auto& [name, value] : member(run, "figures", &json::is_object).items()) {
    if (value.is_number()) set(figures, name, value.get<double>());
  }
  for (const source& each : sources) set(figures, each.figure, number_at(run, each.path));
  if (figures.count("peak_rss") == 0) set(figures, "peak_rss", number_at(run, "/outside/peak_rss"));
  for (const char* histogram : histograms) {
    for (const char* point : points)
      set(figures, fmt::format("{}_{}_ns", histogram, point),
          number_at(run, fmt::format("/{}_ns/{}", histogram, point)));
  }
  const auto wall = number_at(run, "/wall_ns");
  set(figures, "operations_per_s", per(number_at(run, "/operations"), wall));
  set(figures, "allocated_bytes_per_s", per(number_at(run, "/allocated_bytes"), wall));
  set(figures, "garbage_bytes_per_cpu_s", per(number_at(run, "/freed_bytes"), number_at(run, "/cpu_ns/collector")));
  set(figures, "operations_per_cpu_s", per(number_at(run, "/operations"), number_at(run, "/cpu_ns/process")));
  set(figures, "cores_used", quotient(number_at(run, "/cpu_ns/process"), wall));
  set(figures, "stalls_per_s", per(stalls(run), wall));
  set(figures, "stall_max_ns", longest_stall(run));
  set(figures, "stall_sum_ns", stalled_time(run));
  set(figures, "mmu_1ms", utilisation(run, 1e6));
  set(figures, "mmu_10ms", utilisation(run, 1e7));
  set(figures, "mmu_100ms", utilisation(run, 1e8));
  set(figures, "held_bytes", difference(number_at(run, "/memory/settled_rss"), number_at(run, "/memory/baseline_rss")));
  set(figures, "warm_up", warm_up(run));
  return figures;
}

void drop_details(json& run) {
  for (const char* each : {"timeline", "pauses", "marking", "mmu"}) run.erase(each);
  for (auto& [name, value] : run.items()) {
    if (is_histogram(value)) value.erase("buckets");
    if (name != "stalls" || !value.is_object()) continue;
    for (json& cause : value) {
      if (is_histogram(cause)) cause.erase("buckets");
    }
  }
}

}  // namespace umber::tool

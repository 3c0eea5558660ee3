// Each figure has a median of its own: that of the response need not be from the run of the median time.
#include "gc_results.h"

#include <algorithm>
#include <cmath>

namespace umber::tool {

namespace {

constexpr const char* usual_baseline = "malloc:mimalloc";

std::map<std::string, std::vector<double>> gather(const std::vector<figure_map>& runs) {
  std::map<std::string, std::vector<double>> values;
  for (const figure_map& run : runs) {
    for (const auto& [name, value] : run) values[name].push_back(value);
  }
  return values;
}

// The run nearest to the median of what the row is about: its tail when it keeps a rate, else its time.
std::size_t typical_run(const gc_cell& cell, const std::vector<figure_map>& runs) {
  const std::string about = cell.paced ? "response_p99.9_ns" : "wall_ns";
  const auto wanted = cell.figure(about);
  if (!wanted) return 0;
  std::size_t nearest = 0;
  double distance = -1;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const auto own = runs[i].find(about);
    if (own == runs[i].end()) continue;
    const double away = std::fabs(own->second - *wanted);
    if (distance < 0 || away < distance) nearest = i;
    if (distance < 0 || away < distance) distance = away;
  }
  return nearest;
}

std::optional<double> smallest(const gc_row_result& result, const char* figure) {
  std::optional<double> least;
  for (const gc_cell& each : result.cells) {
    const auto own = each.figure(figure);
    if (own && *own > 0 && (!least || *own < *least)) least = own;
  }
  return least;
}

std::optional<double> quotient(std::optional<double> own, std::optional<double> other) {
  if (!own || !other || *other <= 0) return std::nullopt;
  return *own / *other;
}

// What the program of a row holds at the end, by who adds least to it: the same for all, for they do the same work.
// Where that is little, what a system holds besides tells nothing of how it lays out memory.
std::optional<double> payload(const gc_row_result& result) {
  constexpr double too_little = 1 << 20;
  const auto least = smallest(result, "live_bytes");
  return least && *least >= too_little ? least : std::nullopt;
}

void add_fragmentation(gc_cell& cell, double payload) {
  const auto held = cell.spread.find("held_bytes");
  if (held == cell.spread.end()) return;
  cell.median["fragmentation"] = *cell.figure("held_bytes") / payload;
  cell.spread["fragmentation"] = {held->second.first / payload, held->second.second / payload};
}

}  // namespace

std::optional<double> gc_cell::figure(const std::string& name) const {
  const auto found = median.find(name);
  return found == median.end() ? std::nullopt : std::optional(found->second);
}

std::optional<double> gc_cell::relative_spread(const std::string& name) const {
  const auto range = spread.find(name);
  if (range == spread.end() || runs.size() < 2) return std::nullopt;
  return quotient(range->second.second - range->second.first, figure(name));
}

bool gc_row_result::failed() const {
  const bool broken = std::any_of(cells.begin(), cells.end(),
                                  [](const gc_cell& each) { return !each.problem.empty() && !each.unsupported; });
  return broken || !checksums.holds();
}

const gc_cell* gc_row_result::cell_of(const std::string& system) const {
  const auto found =
      std::find_if(cells.begin(), cells.end(), [&](const gc_cell& each) { return each.system == system; });
  return found == cells.end() ? nullptr : &*found;
}

bool gc_results::failed() const {
  return std::any_of(rows.begin(), rows.end(), [](const gc_row_result& each) { return each.failed(); });
}

std::string gc_results::version_of(const std::string& system) const {
  for (const gc_row_result& result : rows) {
    const gc_cell* cell = result.cell_of(system);
    if (cell == nullptr) continue;
    for (const gc_run& run : cell->runs) {
      if (run.problem.empty() && run.object.contains("version") && run.object["version"].is_string())
        return run.object["version"].get<std::string>();
    }
  }
  return "";
}

void summarise(gc_cell& cell) {
  std::vector<figure_map> figures;
  for (const gc_run& run : cell.runs) {
    if (!run.problem.empty()) {
      cell.problem = run.problem;
      cell.unsupported = run.unsupported;
      return;
    }
    cell.paced = run.object.contains("response_ns");
    figures.push_back(figures_of(run.object));
  }
  for (const auto& [name, values] : gather(figures)) {
    cell.median[name] = median(values);
    const auto [least, most] = std::minmax_element(values.begin(), values.end());
    cell.spread[name] = {*least, *most};
  }
  cell.shown = typical_run(cell, figures);
  for (std::size_t i = 0; i < cell.runs.size(); ++i) {
    if (i != cell.shown) drop_details(cell.runs[i].object);
  }
}

void compare_cells(gc_row_result& result) {
  for (const gc_cell& each : result.cells) {
    for (const gc_run& run : each.runs) {
      if (run.problem.empty()) result.checksums.add(each.system, run.object["checksum"].get<std::string>());
    }
  }
  const auto cheapest_wall = smallest(result, "wall_ns");
  const auto cheapest_cpu = smallest(result, "process_ns");
  const gc_cell* usual = result.cell_of(usual_baseline);
  const auto baseline = usual != nullptr && usual->measured() ? usual->figure("wall_ns") : cheapest_wall;
  const auto held_by_all = payload(result);
  for (gc_cell& each : result.cells) {
    if (held_by_all) add_fragmentation(each, *held_by_all);
    // Where the rate is given the time is too.
    if (!each.paced) each.time_ratio = quotient(each.figure("wall_ns"), baseline);
    if (!each.paced) each.lower_bound_wall = quotient(each.figure("wall_ns"), cheapest_wall);
    each.lower_bound_cpu = quotient(each.figure("process_ns"), cheapest_cpu);
  }
}

}  // namespace umber::tool

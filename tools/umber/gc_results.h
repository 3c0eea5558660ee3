// The runs of `umber bench gc` and what they come to: medians, spreads, ratios, agreement, and the studies made of
// several rows.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gc_figures.h"
#include "gc_plan.h"
#include "gc_run.h"
#include "gc_systems.h"
#include "statistics.h"

namespace umber::tool {

// A row under one system. With a `problem` there are no figures.
struct gc_cell {
  std::string system;
  std::string command;
  std::string description;
  std::vector<gc_run> runs;
  std::string problem;
  bool unsupported = false;
  bool paced = false;
  // The run that kept its details.
  std::size_t shown = 0;
  figure_map median;
  std::map<std::string, std::pair<double, double>> spread;
  std::optional<double> time_ratio;
  std::optional<double> lower_bound_wall;
  std::optional<double> lower_bound_cpu;

  [[nodiscard]] std::optional<double> figure(const std::string& name) const;
  // The distance of the largest from the smallest, as a part of the median.
  [[nodiscard]] std::optional<double> relative_spread(const std::string& name) const;
  [[nodiscard]] bool measured() const { return problem.empty() && !runs.empty(); }
};

struct gc_row_result {
  gc_row row;
  std::vector<gc_cell> cells;
  agreement checksums;
  int runs_asked = 0;
  // Fewer than asked where the row had taken too long by then.
  int runs_done = 0;

  // What no system can do is no failure, nor is what one of them cannot.
  [[nodiscard]] bool failed() const;
  [[nodiscard]] const gc_cell* cell_of(const std::string& system) const;
};

struct gc_results {
  std::vector<gc_system> systems;
  std::vector<missing_system> missing;
  std::vector<gc_row_result> rows;
  int runs = 0;

  [[nodiscard]] bool failed() const;
  // What the system's own runs said, or nothing.
  [[nodiscard]] std::string version_of(const std::string& system) const;
};

// Reduces the runs of a cell to figures, or to the first problem, and drops the details of all but one.
void summarise(gc_cell& cell);

// Fills in what compares the cells of a row: ratios, bounds and the agreement of checksums.
void compare_cells(gc_row_result& result);

}  // namespace umber::tool

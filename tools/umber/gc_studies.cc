// Studies are put together from the rows of their part; a row without figures is left out of them.
#include "gc_studies.h"

#include <algorithm>

namespace umber::tool {

namespace {

struct reason {
  const char* from;
  const char* to;
  const char* why;
};

constexpr reason reasons[] = {
    {"stop_the_world", "insertion",
     "marking runs beside the program, for a store shades what it stores; what is left of the stop is the second scan "
     "of "
     "the stacks, whose changes no store tells of"},
    {"insertion", "deletion",
     "a store shades what it overwrites, so that what could be reached at the beginning is marked and no stack is "
     "scanned twice; the stop is the snapshot at the beginning"},
    {"deletion", "hybrid",
     "both halves together: each thread's stack is scanned once, at its own next safepoint, and nobody waits for all "
     "the others; of many threads that mostly sleep each would have been stopped until the last was awake"},
};

std::vector<std::string> figures_to_scale(const gc_cell& cell) {
  if (cell.paced) return {"response_p99.9_ns", "response_max_ns"};
  return {"wall_ns", "process_ns"};
}

std::vector<std::string> figures_of_a_step(const gc_cell& cell) {
  if (cell.paced) return {"stall_max_ns", "stall_sum_ns", "response_p99.9_ns", "response_max_ns"};
  return {"stall_max_ns", "stall_sum_ns", "wall_ns", "process_ns"};
}

// Finds the study that a point belongs to, or opens it.
template <typename Study, typename Same>
Study& study_in(std::vector<Study>& studies, Study fresh, Same same) {
  const auto found = std::find_if(studies.begin(), studies.end(), same);
  if (found != studies.end()) return *found;
  studies.push_back(std::move(fresh));
  return studies.back();
}

}  // namespace

std::vector<scaling_study> scaling_studies(const gc_results& all) {
  std::vector<scaling_study> studies;
  for (const gc_row_result& result : all.rows) {
    if (result.row.part != gc_part::scaling) continue;
    for (const gc_cell& cell : result.cells) {
      for (const std::string& figure : figures_to_scale(cell)) {
        const auto value = cell.figure(figure);
        if (!value) continue;
        const auto same = [&](const scaling_study& each) {
          return each.workload == result.row.workload && each.system == cell.system && each.figure == figure;
        };
        const auto [low, high] = cell.spread.at(figure);
        study_in(studies, scaling_study{result.row.workload, cell.system, figure, {}, {}}, same)
            .points.push_back({static_cast<double>(result.row.live_bytes), *value, low, high});
      }
    }
  }
  for (scaling_study& each : studies) {
    std::vector<std::pair<double, double>> points;
    for (const scaling_point& point : each.points) points.emplace_back(point.live_bytes, point.value);
    each.exponent = fitted_exponent(points);
  }
  return studies;
}

std::vector<tuning_study> tuning_studies(const gc_results& all) {
  std::vector<tuning_study> studies;
  for (const gc_row_result& result : all.rows) {
    if (result.row.part != gc_part::tuning) continue;
    for (const gc_cell& cell : result.cells) {
      if (!cell.measured()) continue;
      const auto same = [&](const tuning_study& each) {
        return each.workload == result.row.study() && each.system == cell.system;
      };
      study_in(studies, tuning_study{result.row.study(), cell.system, {}}, same).points.push_back({&result.row, &cell});
    }
  }
  return studies;
}

std::vector<evolution_step> evolution_steps(const gc_results& all) {
  std::vector<evolution_step> steps;
  for (const reason& each : reasons) {
    evolution_step step{each.from, each.to, each.why, {}};
    for (const gc_row_result& result : all.rows) {
      if (result.row.part != gc_part::evolution) continue;
      const gc_cell* from = result.cell_of("umber:" + step.from);
      const gc_cell* to = result.cell_of("umber:" + step.to);
      if (from == nullptr || to == nullptr || !from->measured() || !to->measured()) continue;
      for (const std::string& figure : figures_of_a_step(*from)) {
        const auto before = from->figure(figure);
        const auto after = to->figure(figure);
        if (before && after) step.figures.push_back({result.row.name(), figure, *before, *after});
      }
    }
    if (!step.figures.empty()) steps.push_back(step);
  }
  return steps;
}

}  // namespace umber::tool

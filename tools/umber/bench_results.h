// The figures of a comparison: medians of runs, ratios to a baseline, and geometric means over rows.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bench_job.h"

namespace umber::tool {

// A row under one allocator. With a `problem` there are no figures.
struct cell {
  std::vector<measurement> runs;
  std::string problem;
  double seconds = 0;
  double fastest = 0;
  double slowest = 0;
  double peak_rss_kb = 0;
  double value = 0;

  // The distance of the slowest from the fastest run, as a part of the median.
  [[nodiscard]] double spread() const { return seconds > 0 ? (slowest - fastest) / seconds : 0; }
};

struct row_result {
  job row;
  // By the name of the allocator.
  std::map<std::string, cell> cells;
  // What the allocators computed, when they do not agree.
  std::string disagreement;

  [[nodiscard]] bool failed() const;
  [[nodiscard]] bool is_timed() const { return row.kind != job_kind::memory_scenario; }
};

struct comparison {
  std::vector<allocator> allocators;
  std::string baseline;
  std::vector<row_result> rows;

  [[nodiscard]] bool failed() const;
};

struct ratio {
  double time;
  double memory;
};

// Reduces the runs of a cell to its figures, or to the first problem.
[[nodiscard]] cell summarise(std::vector<measurement> runs);

// Fills in `disagreement` from the checksums of all runs that succeeded.
void compare_checksums(row_result& result);

// Relative to the baseline, or nothing when one of the two has no figures.
[[nodiscard]] std::optional<ratio> relative(const row_result& result, const std::string& name,
                                            const std::string& baseline);

// The geometric mean over the timed rows of a group ("" for all) in which both have figures.
[[nodiscard]] std::optional<ratio> geometric_mean(const comparison& all, const std::string& name,
                                                  const std::string& group);

}  // namespace umber::tool

// What several rows say together: how a figure grows with the live set, what a setting buys, what each historical step
// was taken for.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "evolution.h"
#include "gc_results.h"

namespace umber::tool {

struct scaling_point {
  double live_bytes = 0;
  double value = 0;
  double low = 0;
  double high = 0;
};

// `figure` grows as the live set to the power of `exponent`.
struct scaling_study {
  std::string workload;
  std::string system;
  std::string figure;
  std::vector<scaling_point> points;
  std::optional<double> exponent;
};

[[nodiscard]] std::vector<scaling_study> scaling_studies(const gc_results& all);

// One workload under one system with one setting after the other. The rows and cells are those of the results.
struct tuning_point {
  const gc_row* row;
  const gc_cell* cell;
};

struct tuning_study {
  std::string workload;
  std::string system;
  std::vector<tuning_point> points;
};

[[nodiscard]] std::vector<tuning_study> tuning_studies(const gc_results& all);

[[nodiscard]] std::vector<evolution_step> evolution_steps(const gc_results& all);

}  // namespace umber::tool

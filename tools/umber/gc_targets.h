// What our heap is to reach, and whether a run of the bench found it there. The targets stand in one table, each for
// the rows whose parameters it names; only figures that the run measured are judged, a peer's by the same run.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "gc_results.h"

namespace umber::tool {

struct judged_target {
  std::string row;
  std::string figure;
  bool at_least = false;
  double bound = 0;
  // What the bound was made of, such as `0.3 x go`; empty for a number that holds everywhere.
  std::string basis;
  double measured = 0;
  // The same percentile of what an idle thread of this machine saw: no stall below that is the heap's.
  std::optional<double> machine;

  [[nodiscard]] bool met() const { return at_least ? measured >= bound : measured <= bound; }
};

[[nodiscard]] std::vector<judged_target> judge_targets(const gc_results& all);

// A table, and a line that says how many were missed; empty where nothing was judged.
[[nodiscard]] std::string targets_text(const std::vector<judged_target>& targets);

// The array `targets` of bench/results.md.
[[nodiscard]] nlohmann::ordered_json targets_json(const std::vector<judged_target>& targets);

}  // namespace umber::tool

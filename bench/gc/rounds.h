// A thing that is measured some times over in one run: what it usually takes, and how far that varies.
#pragma once

#include "harness.h"

#include <algorithm>
#include <string>
#include <vector>

namespace bench {

class rounds {
 public:
  void see(double value) { seen_.push_back(value); }
  [[nodiscard]] bool any() const { return !seen_.empty(); }

  // Not of none.
  [[nodiscard]] double low() const { return *std::min_element(seen_.begin(), seen_.end()); }
  [[nodiscard]] double high() const { return *std::max_element(seen_.begin(), seen_.end()); }
  [[nodiscard]] double median() const {
    std::vector<double> sorted = seen_;
    std::sort(sorted.begin(), sorted.end());
    const std::size_t half = sorted.size() / 2;
    return sorted.size() % 2 != 0 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  }

  // As `what`_ns the median, as `what`_low_ns and `what`_high_ns the extremes; each divided by `by`.
  void add_spread_to(std::vector<figure>& figures, const std::string& what, double by = 1) const {
    if (!any()) return;
    figures.push_back({what + "_ns", median() / by});
    figures.push_back({what + "_low_ns", low() / by});
    figures.push_back({what + "_high_ns", high() / by});
  }
  // Durations, as a run tells of its repetitions.
  [[nodiscard]] std::vector<std::uint64_t> durations() const { return {seen_.begin(), seen_.end()}; }

 private:
  std::vector<double> seen_;
};

}  // namespace bench

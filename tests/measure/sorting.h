// What a plain sort says of the values that a histogram has counted.
#pragma once

#include "bench/measure/histogram.h"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace bench::testing {

// The smallest value that at least this share of all does not exceed.
inline std::uint64_t by_sorting(const std::vector<std::uint64_t>& sorted, double per_cent) {
  const double exact = per_cent / 100 * static_cast<double>(sorted.size());
  const auto rank = static_cast<std::size_t>(std::ceil(exact - 1e-6));
  return sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1];
}

// Never below what sorting says, and at most 1 % above.
inline void check_percentile(std::uint64_t told, const std::vector<std::uint64_t>& sorted, double per_cent) {
  const std::uint64_t exact = by_sorting(sorted, per_cent);
  INFO(per_cent << " %: " << told << ", sorted " << exact);
  CHECK(told >= exact);
  CHECK(static_cast<double>(told - exact) <= 0.01 * static_cast<double>(exact));
}

// All percentiles of a histogram into which each of these was recorded.
inline void compare_with_sort(const histogram& h, std::vector<std::uint64_t> values) {
  std::sort(values.begin(), values.end());
  REQUIRE(h.count() == values.size());
  CHECK(h.min() == values.front());
  CHECK(h.max() == values.back());
  for (int tenth = 0; tenth <= 1000; ++tenth) check_percentile(h.percentile(tenth / 10.0), values, tenth / 10.0);
  for (const double per_cent : {99.99, 99.999, 99.9999}) check_percentile(h.percentile(per_cent), values, per_cent);
}

}  // namespace bench::testing

#include "histogram.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace bench {

void histogram::record(std::uint64_t value, std::uint64_t times) {
  if (times == 0) return;
  record(value);
  counts_[index_of(std::min(value, highest))] += times - 1;
  sum_ += std::min(value, highest) * (times - 1);
}

void histogram::add(const histogram& other) {
  for (std::size_t i = 0; i < buckets; ++i) counts_[i] += other.counts_[i];
  sum_ += other.sum_;
  max_ = std::max(max_, other.max_);
  min_ = std::min(min_, other.min_);
}

std::uint64_t histogram::count() const { return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0}); }

std::uint64_t histogram::percentile(double per_cent) const {
  const std::uint64_t all = count();
  // 99.9 is not quite 999 in 1000 as a binary fraction: what is whole but for that is taken as whole.
  const double exact = per_cent / 100 * static_cast<double>(all);
  const double whole = std::round(exact);
  const double wanted = std::abs(exact - whole) < 1e-9 * (exact + 1) ? whole : std::ceil(exact);
  const std::uint64_t target = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(wanted), 1, all);
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < buckets; ++i) {
    seen += counts_[i];
    if (seen >= target) return std::min(highest_of(i), max_);
  }
  return max_;
}

}  // namespace bench

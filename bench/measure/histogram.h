// Values counted in buckets at most 1 % wide, as HdrHistogram does with two significant digits (Gil Tene): up to 255
// each value has its own, above that each power of two has 128 of one width. So the index of a value is a shift and an
// addition, recording one takes some 3 ns, and what a percentile is wrong by is at most the width of its bucket.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace bench {

class histogram {
 public:
  static constexpr int half_bits = 7;                                     // 128 buckets in a power of two
  static constexpr std::uint64_t highest = (std::uint64_t{1} << 43) - 1;  // in ns 2.4 hours; what is above counts here
  static constexpr std::size_t buckets = static_cast<std::size_t>(43 - half_bits + 1) << half_bits;

  static constexpr std::size_t index_of(std::uint64_t value) {
    constexpr std::uint64_t linear = (std::uint64_t{2} << half_bits) - 1;
    const int shift = static_cast<int>(std::bit_width(value | linear)) - half_bits - 1;
    return (static_cast<std::size_t>(shift) << half_bits) + static_cast<std::size_t>(value >> shift);
  }
  // The largest value of a bucket.
  static constexpr std::uint64_t highest_of(std::size_t index) {
    constexpr std::size_t linear = std::size_t{2} << half_bits;
    if (index < linear) return index;
    const std::size_t shift = (index >> half_bits) - 1;
    return ((static_cast<std::uint64_t>(index) - (shift << half_bits) + 1) << shift) - 1;
  }

  histogram() : counts_(buckets) {}

  void record(std::uint64_t value) {
    if (__builtin_expect(value > highest, false)) value = highest;
    ++counts_[index_of(value)];
    sum_ += value;
    if (value > max_) max_ = value;
    if (value < min_) min_ = value;
  }
  // The same so many times over.
  void record(std::uint64_t value, std::uint64_t times);
  void add(const histogram& other);

  // None of these is of an empty histogram, but count.
  [[nodiscard]] std::uint64_t count() const;
  [[nodiscard]] std::uint64_t min() const { return min_; }
  [[nodiscard]] std::uint64_t max() const { return max_; }
  [[nodiscard]] std::uint64_t sum() const { return sum_; }
  [[nodiscard]] double mean() const { return static_cast<double>(sum_) / static_cast<double>(count()); }
  // The smallest recorded value, by bucket, that at least this share of all does not exceed. `per_cent` is 0 to 100.
  [[nodiscard]] std::uint64_t percentile(double per_cent) const;
  [[nodiscard]] const std::vector<std::uint64_t>& counts() const { return counts_; }

 private:
  std::vector<std::uint64_t> counts_;
  std::uint64_t sum_ = 0;
  std::uint64_t max_ = 0;
  std::uint64_t min_ = UINT64_MAX;
};

}  // namespace bench

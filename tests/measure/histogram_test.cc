#include "bench/measure/histogram.h"

#include "sorting.h"

#include "bench/basics.h"

#include <random>

namespace bench {
TEST_CASE("histogram: each value lies in its bucket, which is at most 1 % wide, and buckets follow each other") {
  std::uint64_t lowest = 0;
  for (std::size_t i = 0; i < histogram::buckets; ++i) {
    const std::uint64_t highest = histogram::highest_of(i);
    REQUIRE(highest >= lowest);
    REQUIRE(histogram::index_of(lowest) == i);
    REQUIRE(histogram::index_of(highest) == i);
    REQUIRE(static_cast<double>(highest - lowest) <= 0.01 * static_cast<double>(lowest));
    lowest = highest + 1;
  }
  CHECK(lowest == histogram::highest + 1);
}

TEST_CASE("histogram: percentiles agree with a sort, whatever the values are like") {
  const std::uint64_t seed = std::random_device()();
  INFO("seed " << seed);
  random_source random(seed);
  std::vector<std::uint64_t> values;
  SECTION("one value") { values = {12345}; }
  SECTION("a thousand, of which one is far out") {
    for (int i = 0; i < 999; ++i) values.push_back(100 + random.below(5));
    values.push_back(5'000'000);
  }
  SECTION("of all sizes alike") {
    for (int i = 0; i < 200'000; ++i) values.push_back(random.next() >> (21 + random.below(43)));
  }
  SECTION("like a run: fast, with a tail") {
    for (int i = 0; i < 100'000; ++i)
      values.push_back(80 + random.below(40) + (i % 1000 == 0 ? random.below(200'000) : 0));
  }
  histogram h;
  for (const std::uint64_t each : values) h.record(each);
  testing::compare_with_sort(h, values);
}

TEST_CASE("histogram: what was added of another is as if it had been recorded here") {
  histogram a, b, both;
  for (std::uint64_t i = 1; i < 3000; ++i) {
    (i % 3 == 0 ? a : b).record(i * i);
    both.record(i * i);
  }
  a.add(b);
  CHECK(a.counts() == both.counts());
  CHECK(a.min() == both.min());
  CHECK(a.max() == both.max());
  CHECK(a.mean() == both.mean());
}

TEST_CASE("histogram: what is longer than it knows counts as the longest") {
  histogram h;
  h.record(UINT64_MAX);
  CHECK(h.max() == histogram::highest);
  CHECK(h.percentile(50) == histogram::highest);
}

}  // namespace bench

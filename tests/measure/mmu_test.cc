#include "bench/measure/mmu.h"

#include "bench/basics.h"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <random>

namespace bench {
namespace {

using Catch::Approx;

// Every window that begins at a whole nanosecond.
double by_trying_all(const std::vector<interval>& pauses, std::uint64_t run, std::uint64_t window) {
  std::vector<std::uint64_t> paused(run + 1, 0);
  for (std::uint64_t t = 0; t < run; ++t) {
    const bool now =
        std::any_of(pauses.begin(), pauses.end(), [t](const interval& p) { return p.at <= t && t < p.at + p.ns; });
    paused[t + 1] = paused[t] + (now ? 1 : 0);
  }
  std::uint64_t worst = 0;
  for (std::uint64_t t = 0; t + window <= run; ++t) worst = std::max(worst, paused[t + window] - paused[t]);
  return 1 - static_cast<double>(worst) / static_cast<double>(window);
}

}  // namespace

TEST_CASE("mmu: traces worked out by hand") {
  constexpr std::uint64_t ms = 1'000'000;
  SECTION("one pause of 10 ms in a run of a second") {
    const std::vector<interval> pauses = {{300 * ms, 10 * ms}};
    CHECK(least_utilisation(pauses, 1000 * ms, 1 * ms) == 0);
    CHECK(least_utilisation(pauses, 1000 * ms, 10 * ms) == 0);
    CHECK(least_utilisation(pauses, 1000 * ms, 20 * ms) == Approx(0.5));
    CHECK(least_utilisation(pauses, 1000 * ms, 100 * ms) == Approx(0.9));
    CHECK(least_utilisation(pauses, 1000 * ms, 1000 * ms) == Approx(0.99));
  }
  SECTION("three of 2 ms that begin 4 ms apart: a window of 10 ms holds all of them") {
    const std::vector<interval> pauses = {{50 * ms, 2 * ms}, {54 * ms, 2 * ms}, {58 * ms, 2 * ms}};
    CHECK(least_utilisation(pauses, 100 * ms, 2 * ms) == 0);
    CHECK(least_utilisation(pauses, 100 * ms, 4 * ms) == Approx(0.5));
    CHECK(least_utilisation(pauses, 100 * ms, 6 * ms) == Approx(1.0 / 3));
    CHECK(least_utilisation(pauses, 100 * ms, 10 * ms) == Approx(0.4));
    CHECK(least_utilisation(pauses, 100 * ms, 60 * ms) == Approx(0.9));
  }
  SECTION("a long one after a short one: the worst window ends with the long one") {
    const std::vector<interval> pauses = {{10 * ms, 1 * ms}, {14 * ms, 5 * ms}};
    CHECK(least_utilisation(pauses, 100 * ms, 8 * ms) == Approx(3.0 / 8));
    CHECK(least_utilisation(pauses, 100 * ms, 9 * ms) == Approx(3.0 / 9));
  }
  SECTION("at both ends of the run") {
    const std::vector<interval> pauses = {{0, 1 * ms}, {99 * ms, 1 * ms}};
    CHECK(least_utilisation(pauses, 100 * ms, 2 * ms) == Approx(0.5));
    CHECK(least_utilisation(pauses, 100 * ms, 100 * ms) == Approx(0.98));
  }
  SECTION("none") { CHECK(least_utilisation({}, 100 * ms, 1 * ms) == 1); }
}

TEST_CASE("mmu: agrees with trying every window") {
  const std::uint64_t seed = std::random_device()();
  INFO("seed " << seed);
  random_source random(seed);
  for (int round = 0; round < 60; ++round) {
    constexpr std::uint64_t run = 400;
    std::vector<interval> pauses;
    for (std::size_t n = random.below(12); n > 0; --n) pauses.push_back({random.below(run), random.below(40)});
    const std::vector<interval> apart = disjoint(pauses, run);
    for (const std::uint64_t window : {1u, 7u, 30u, 100u, 399u, 400u})
      REQUIRE(least_utilisation(apart, run, window) == Approx(by_trying_all(pauses, run, window)));
  }
}

TEST_CASE("mmu: overlapping pauses are one, and end with the run") {
  const std::vector<interval> apart = disjoint({{50, 10}, {10, 5}, {12, 8}, {20, 1}, {95, 100}, {200, 5}}, 100);
  REQUIRE(apart.size() == 3);
  CHECK((apart[0].at == 10 && apart[0].ns == 11));
  CHECK((apart[1].at == 50 && apart[1].ns == 10));
  CHECK((apart[2].at == 95 && apart[2].ns == 5));
}

TEST_CASE("mmu: the curve has four windows a decade, as far as the run goes, and the worst of all mutators") {
  const std::vector<std::vector<interval>> mutators = {{{1000, 500}}, {{7000, 3000}}};
  const std::vector<utilisation> curve = utilisation_curve(mutators, 20'000);
  REQUIRE(curve.size() == 6);
  CHECK(curve[0].window_ns == 1000);
  CHECK(curve[1].window_ns == 1778);
  CHECK(curve[4].window_ns == 10'000);
  CHECK(curve[0].share == 0);
  CHECK(curve[4].share == Approx(0.7));
  CHECK(utilisation_curve(mutators, 10'000'000'000).size() == 25);
}

}  // namespace bench

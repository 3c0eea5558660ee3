#include "alloc/sampler.h"

#include "testing.h"

#include <cmath>

namespace umber::alloc {
namespace {

using testing::new_seed;

TEST_CASE("sampler: logarithms and exponentials are those of the C library") {
  double worst_log = 0, worst_exp = 0;
  for (double x = 1; x > 0x1p-60; x *= 0.97)
    worst_log = std::max(worst_log, std::abs(sampler::logarithm(x) - std::log(x)) / std::max(-std::log(x), 1e-3));
  for (double x = 1e-9; x < 50; x *= 1.03)
    worst_exp = std::max(worst_exp, std::abs(sampler::one_minus_exp(x) / -std::expm1(-x) - 1));
  CHECK(worst_log < 1e-12);
  CHECK(worst_exp < 1e-12);
  CHECK(sampler::one_minus_exp(0) == 0);
  CHECK(sampler::one_minus_exp(1000) == 1);
}

// What lies outside of five standard deviations comes once in two million runs.
TEST_CASE("sampler: a draw is geometric [sampler.1]") {
  const std::uint64_t seed = new_seed();
  INFO("seed " << seed);
  constexpr std::size_t every = 1000;
  constexpr double n = 200'000;
  sampler::set_seed(seed);
  sampler::set(every);
  for (const std::size_t size : {16u, 100u, 1000u, 5000u}) {
    sampler::stream chance;
    const double p = sampler::probability(size, every);
    double none = 0, one = 0, few = 0;
    for (double i = 0; i < n; ++i) {
      const std::uint64_t k = chance.draw(size);
      none += k == 0;
      one += k == 1;
      few += k < sampler::plenty;
    }
    CHECK(std::abs(none - n * p) < 5 * std::sqrt(n * p * (1 - p)));
    CHECK(std::abs(one - n * p * (1 - p)) < 5 * std::sqrt(n * p * (1 - p)));
    const double q = std::pow(1 - p, sampler::plenty);
    CHECK(std::abs(few - n * (1 - q)) <= 5 * std::sqrt(n * q * (1 - q)) + 1);
  }
  sampler::set(0);
}

TEST_CASE("sampler: slots are cut after the lowest") {
  const sampler::cut some = sampler::cut_after(0b1101'0110, 3);
  CHECK(some.now == 0b0001'0110);
  CHECK(some.later == 0b1100'0000);
  CHECK(sampler::cut_after(0b11, 0).now == 0);
  CHECK(sampler::cut_after(0b11, 2).later == 0);
  CHECK(sampler::cut_after(~std::uint64_t{0}, UINT64_MAX).now == ~std::uint64_t{0});
}

TEST_CASE("sampler: the same seed gives the same draws, and streams differ") {
  sampler::set(100);
  const auto draws = [] {
    sampler::stream a, b;
    return std::vector<std::uint64_t>{a.draw(2), a.draw(2), b.draw(2), b.draw(2)};
  };
  sampler::set_seed(7);
  const auto first = draws();
  sampler::set_seed(7);
  CHECK(draws() == first);
  CHECK(first[0] != first[2]);
  CHECK(first[0] != first[1]);
  sampler::set(0);
}

}  // namespace
}  // namespace umber::alloc

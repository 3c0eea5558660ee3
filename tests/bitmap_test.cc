// Each function against the same question asked of every bit in turn.
#include "alloc/bitmap.h"

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <random>
#include <vector>

namespace umber::alloc {
namespace {

constexpr std::size_t bits = 512;
using words = std::array<std::uint64_t, bits / 64>;

bool bit_at(const words& w, std::size_t i) { return w[i / 64] >> (i % 64) & 1; }

// The maximal runs of ones, by looking at one bit after the other.
std::vector<bitmap::found_run> runs_of(const words& w, std::size_t from = 0) {
  std::vector<bitmap::found_run> runs;
  for (std::size_t i = from; i < bits; ++i) {
    if (!bit_at(w, i)) continue;
    if (!runs.empty() && runs.back().first + runs.back().length == i)
      ++runs.back().length;
    else
      runs.push_back({i, 1});
  }
  return runs;
}

// Runs of random lengths, long and short ones, so that every border inside and between words is met.
words random_words(std::mt19937_64& random) {
  words w{};
  const std::size_t lengths[] = {1, 2, 3, 8, 40, 63, 64, 65, 128, 200, 512};
  const std::size_t longest = lengths[random() % std::size(lengths)];
  bool ones = random() % 2;
  for (std::size_t i = 0; i < bits; ones = !ones)
    for (std::size_t n = 1 + random() % longest; n != 0 && i < bits; --n, ++i)
      if (ones) w[i / 64] |= std::uint64_t{1} << (i % 64);
  return w;
}

}  // namespace

TEST_CASE("bitmap: a range is set, cleared, counted and tested, and nothing beside it [bitmap.1]") {
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 3000; ++round) {
    const words before = random_words(random);
    const std::size_t first = random() % (bits + 1), n = random() % (bits - first + 1);
    words set = before, cleared = before;
    bitmap::set_range(set.data(), first, n);
    bitmap::clear_range(cleared.data(), first, n);
    std::size_t ones = 0;
    bool right = true;
    for (std::size_t i = 0; i < bits; ++i) {
      const bool inside = i >= first && i < first + n;
      right = right && bit_at(set, i) == (inside || bit_at(before, i));
      right = right && bit_at(cleared, i) == (!inside && bit_at(before, i));
      ones += inside && bit_at(before, i);
    }
    INFO("first " << first << " n " << n);
    REQUIRE(right);
    REQUIRE(bitmap::count_range(before.data(), first, n) == ones);
    REQUIRE(bitmap::all_in_range(before.data(), first, n) == (ones == n));
    REQUIRE(bitmap::none_in_range(before.data(), first, n) == (ones == 0));
  }
}

TEST_CASE("bitmap: find_run returns the lowest run from any bit on [bitmap.2]") {
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 20'000; ++round) {
    const words w = random_words(random);
    const std::size_t from = round % 2 ? random() % bits : 0;
    const std::size_t n = round % 3 ? 1 + random() % 70 : 1 + random() % bits;
    std::size_t expected = bitmap::not_found;
    for (const bitmap::found_run& run : runs_of(w, from))
      if (run.length >= n) {
        expected = run.first;
        break;
      }
    INFO("from " << from << " n " << n);
    REQUIRE(bitmap::find_run(w.data(), bits, n, from) == expected);
  }
}

TEST_CASE("bitmap: find_last_run returns the highest run, whole [bitmap.2]") {
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 20'000; ++round) {
    const words w = random_words(random);
    const std::size_t n = round % 3 ? 1 + random() % 70 : 1 + random() % bits;
    bitmap::found_run expected;
    for (const bitmap::found_run& run : runs_of(w))
      if (run.length >= n) expected = run;
    const bitmap::found_run found = bitmap::find_last_run(w.data(), bits, n);
    INFO("n " << n);
    REQUIRE(found.length == expected.length);
    REQUIRE(found.first == expected.first);
  }
}

TEST_CASE("bitmap: summarize gives the first, the longest and the last run [bitmap.2]") {
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 20'000; ++round) {
    const words w = round == 0 ? words{} : random_words(random);
    const auto runs = runs_of(w);
    bitmap::runs expected;
    for (const bitmap::found_run& run : runs) {
      if (run.first == 0) expected.start = run.length;
      if (run.length > expected.longest) expected.longest = run.length;
      if (run.first + run.length == bits) expected.end = run.length;
    }
    const bitmap::runs found = bitmap::summarize(w.data(), bits);
    REQUIRE(found.start == expected.start);
    REQUIRE(found.longest == expected.longest);
    REQUIRE(found.end == expected.end);
  }
}

TEST_CASE("bitmap: count agrees with the compiler's") {
  std::mt19937_64 random(1);
  for (int round = 0; round < 1000; ++round) {
    const std::uint64_t word = random() & random();
    REQUIRE(bitmap::count(word) == static_cast<std::size_t>(std::popcount(word)));
  }
  REQUIRE(bitmap::count(~std::uint64_t{0}) == 64);
  REQUIRE(bitmap::count(0) == 0);
}

TEST_CASE("bitmap: masks of no bit, some bits and all bits") {
  STATIC_REQUIRE(bitmap::mask(0, 0) == 0);
  STATIC_REQUIRE(bitmap::mask(63, 1) == std::uint64_t{1} << 63);
  STATIC_REQUIRE(bitmap::mask(0, 64) == ~std::uint64_t{0});
  STATIC_REQUIRE(bitmap::mask(4, 8) == 0xff0);
  STATIC_REQUIRE(bitmap::starts_of_runs(~std::uint64_t{0}, 64) == 1);
  STATIC_REQUIRE(bitmap::starts_of_runs(0b1110111, 3) == 0b10001);
}

}  // namespace umber::alloc

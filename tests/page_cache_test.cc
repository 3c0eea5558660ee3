#include "alloc/page_cache.h"

#include <catch2/catch_test_macros.hpp>

#include <random>

namespace umber::alloc {

TEST_CASE("page_cache: an empty one gives nothing") {
  page_cache cache;
  REQUIRE(cache.empty());
  REQUIRE(cache.allocate({1}).run.empty());
}

TEST_CASE("page_cache: a whole block goes in one piece, and no longer run exists") {
  page_cache cache{{128}, ~std::uint64_t{0}, 0xff};
  REQUIRE(cache.allocate({65}).run.empty());
  REQUIRE(cache.allocate({0}).run.empty());
  const page_allocation all = cache.allocate({64});
  REQUIRE(all.run == page_run{{128}, {64}});
  REQUIRE(all.scavenged.value == 8);
  REQUIRE(cache.empty());
  REQUIRE(cache.scavenged == 0);
}

TEST_CASE("page_cache: the lowest run that fits, each page once, and only those that were free [page_cache.1]") {
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 2000; ++round) {
    const std::uint64_t free = random() | random();
    page_cache cache{{640}, free, free & random()};
    std::uint64_t left = cache.free, zero = cache.scavenged;
    for (int step = 0; step < 30; ++step) {
      const std::size_t n = 1 + random() % (step < 10 ? 9 : 3);
      std::size_t lowest = 64;
      for (std::size_t i = 64 - n + 1; i-- > 0;)
        if ((left & bitmap::mask(i, n)) == bitmap::mask(i, n)) lowest = i;
      const page_allocation got = cache.allocate({n});
      REQUIRE(got.run.empty() == (lowest == 64));
      if (lowest == 64) continue;
      REQUIRE(got.run == page_run{{640 + lowest}, {n}});
      REQUIRE(got.scavenged.value == bitmap::count(zero & bitmap::mask(lowest, n)));
      left &= ~bitmap::mask(lowest, n);
      zero &= ~bitmap::mask(lowest, n);
      REQUIRE(cache.free == left);
      REQUIRE(cache.scavenged == zero);
    }
  }
}

TEST_CASE("page_cache: what is scavenged stays a part of what is free [page_cache.2]") {
  page_cache cache{{0}, 0b110110, 0b100110};
  while (!cache.allocate({1}).run.empty()) REQUIRE((cache.scavenged & ~cache.free) == 0);
  REQUIRE(cache.empty());
}

}  // namespace umber::alloc

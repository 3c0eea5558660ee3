#include "bench/measure/stalls.h"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>

namespace bench {

TEST_CASE("stalls: each is counted by its cause, and the longest are remembered when there are too many") {
  stall_log log;
  constexpr std::uint64_t count = 3 * stall_log::most_remembered;
  for (std::uint64_t i = 0; i < count; ++i) log.add({i, 1000 + i % 1000, cause::sweep});
  log.add({count, 50'000, cause::assist});
  REQUIRE(log.of(cause::sweep) != nullptr);
  CHECK(log.of(cause::sweep)->count() == count);
  CHECK(log.of(cause::assist)->count() == 1);
  CHECK(log.of(cause::stop) == nullptr);
  CHECK(log.remembered().size() <= stall_log::most_remembered);
  CHECK(std::any_of(log.remembered().begin(), log.remembered().end(),
                    [](const stall& s) { return s.why == cause::assist && s.ns == 50'000; }));
}

}  // namespace bench

#include "alloc/units.h"

#include <catch2/catch_test_macros.hpp>

namespace umber::alloc {

TEST_CASE("units: a count of pages covers exactly the bytes asked for") {
  CHECK(page_count::covering(0).value == 0);
  CHECK(page_count::covering(1).value == 1);
  CHECK(page_count::covering(page_size).value == 1);
  CHECK(page_count::covering(page_size + 1).value == 2);
  CHECK(page_count{3}.bytes() == 3 * page_size);
}

TEST_CASE("units: a run ends one past its last page") {
  const page_run run{{5}, {3}};
  CHECK(run.end() == page_id{8});
  CHECK(run.end() - run.first == run.count);
  CHECK_FALSE(run.empty());
  CHECK(page_run{}.empty());
}

TEST_CASE("units: an arena holds whole pages") { CHECK(pages_per_arena * page_size == arena_size); }

}  // namespace umber::alloc

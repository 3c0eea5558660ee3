#include <umber/slice.h>

#include "heaps.h"

#include <numeric>
#include <stdexcept>
#include <string>

namespace umber::testing {
namespace {

struct holder {
  slice<int> numbers;
  slice<field<boxed>> boxes;
  int own[6];
};

local<array<int>> counting(int count) {
  local<array<int>> all = make_array<int>(static_cast<std::size_t>(count));
  std::iota(all->begin(), all->end(), 0);
  return all;
}

TEST_CASE("slice: its field is found") {
  STATIC_CHECK(detail::has_fields<slice<int>>());
  STATIC_CHECK(detail::has_fields<holder>());
  STATIC_CHECK(sizeof(slice<int>) == 3 * sizeof(void*));
}

TEST_CASE("slice: a part of an array keeps the whole of it alive") {
  under_heaps([](heap& h, std::mt19937_64&, std::size_t) {
    const local<holder> held = make<holder>();
    held->numbers = local_slice<int>(counting(1000)).subslice(500, 10);
    h.collect();
    for (int i = 0; i < 30; ++i) (void)counting(1000);
    REQUIRE(held->numbers.size() == 10);
    for (int i = 0; i < 10; ++i) CHECK(held->numbers[static_cast<std::size_t>(i)] == 500 + i);
  });
}

TEST_CASE("slice: a local slice is a root") {
  under_heaps([](heap& h, std::mt19937_64&, std::size_t) {
    local_slice<int> part(counting(100));
    part = part.subslice(90);
    const local_slice<int> copy(part);
    part = {};
    h.collect();
    for (int i = 0; i < 30; ++i) (void)counting(100);
    CHECK(copy.front() == 90);
    CHECK(copy.back() == 99);
    CHECK(std::accumulate(copy.begin(), copy.end(), 0) == 945);
  });
}

TEST_CASE("slice: of fields, stored through and kept alive") {
  under_heaps([](heap& h, std::mt19937_64&, std::size_t) {
    const local<holder> held = make<holder>();
    held->boxes = make_array<field<boxed>>(8);
    const local_slice<field<boxed>> upper = held->boxes.subslice(4);
    for (std::size_t i = 0; i < 4; ++i) upper[i] = make_boxed(i);
    h.collect();
    for (std::size_t i = 0; i < 4; ++i) {
      CHECK(held->boxes[i].get() == nullptr);
      CHECK(held->boxes[i + 4]->number == i);
    }
  });
}

TEST_CASE("slice: a part of an object that is no array") {
  under_heaps([](heap& h, std::mt19937_64&, std::size_t) {
    local_slice<int> inside;
    {
      const local<holder> owner = make<holder>();
      for (int i = 0; i < 6; ++i) owner->own[i] = i;
      inside = part_of(owner, &owner->own[2], 3);
    }
    h.collect();
    for (int i = 0; i < 50; ++i) (void)make<holder>();
    CHECK(inside.size() == 3);
    CHECK(inside[0] == 2);
    CHECK(inside[2] == 4);
  });
}

TEST_CASE("slice: at checks its index") {
  heap h;
  const mutator attached(h);
  const local_slice<int> part = local_slice<int>(counting(10)).subslice(2, 3);
  CHECK(part.at(2) == 4);
  CHECK_THROWS_AS(part.at(3), std::out_of_range);
  const local_slice<const char> nothing;
  CHECK(nothing.empty());
  CHECK_THROWS_AS(nothing.at(0), std::out_of_range);
}

TEST_CASE("slice: random subslices agree with indices") {
  under_heaps([](heap&, std::mt19937_64& random, std::size_t scale) {
    for (std::size_t round = 0; round < 20 * scale; ++round) {
      const std::size_t size = random() % 300;
      slice<int> none;
      CHECK(none.empty());
      local_slice<int> part(counting(static_cast<int>(size)));
      std::size_t first = 0, count = size;
      while (count > 0) {
        const std::size_t skip = random() % count, kept = random() % (count - skip);
        part = part.subslice(skip, kept);
        first += skip;
        count = kept;
        REQUIRE(part.size() == count);
        if (count > 0)
          REQUIRE((part.front() == static_cast<int>(first) && part.back() == static_cast<int>(first + count - 1)));
      }
    }
  });
}

}  // namespace
}  // namespace umber::testing

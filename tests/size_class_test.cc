#include "alloc/size_class.h"

#include <catch2/catch_test_macros.hpp>

namespace umber::alloc {

TEST_CASE("size_class: a request gets the smallest class of malloc that holds it [size_class.1]") {
  for (std::size_t n = 0; n <= max_small_size; ++n) {
    const size_class got = class_for(n);
    const std::size_t size = info(got).slot_size;
    std::size_t expected = 1;
    while (classes[expected].slot_size < n || classes[expected].slot_size % min_alignment != 0) ++expected;
    if (size < n || got.value != expected || size % min_alignment != 0) FAIL("n = " << n);
  }
}

TEST_CASE("size_class: every size that a class has is its own class's") {
  for (std::uint8_t c = 1; c < size_class_count; ++c) {
    const std::size_t size = classes[c].slot_size;
    if (size % min_alignment == 0) CHECK(class_for(size) == size_class{c});
  }
}

TEST_CASE("size_class: rounding up loses an eighth, later a fifth, at most [size_class.2]") {
  for (std::size_t n = 129; n <= max_small_size; ++n) {
    const std::size_t size = info(class_for(n)).slot_size;
    if ((size - n) * (size <= 2 * kib ? 8 : 5) > size) FAIL("n = " << n << ", slot of " << size);
  }
}

TEST_CASE("size_class: a span's unused end is at most a sixteenth, and its slots fit their bitmap [size_class.3]") {
  for (std::size_t c = 2; c < size_class_count; ++c) {
    const class_info& k = classes[c];
    const std::size_t bytes = k.pages * page_size, used = std::size_t{k.slots} * k.slot_size;
    INFO("class of " << k.slot_size);
    CHECK(used <= bytes);
    CHECK((bytes - used) * 16 <= bytes);
    CHECK(k.slots >= 1);
    CHECK(k.slots <= (k.slot_size > max_table_size ? 64 : max_slots));
  }
}

TEST_CASE("size_class: the reciprocal finds every slot's number, and nothing between slots") {
  for (std::size_t c = 1; c < size_class_count; ++c) {
    const class_info& k = classes[c];
    for (std::size_t distance = 0; distance < k.pages * page_size; ++distance) {
      const auto product = static_cast<unsigned __int128>(distance) * k.reciprocal;
      const bool starts = static_cast<std::uint64_t>(product) < k.reciprocal;
      if (starts != (distance % k.slot_size == 0)) FAIL("size " << k.slot_size << ", distance " << distance);
      if (static_cast<std::uint64_t>(product >> 64) != distance / k.slot_size) FAIL("quotient at " << distance);
    }
  }
}

TEST_CASE("size_class: the halves of the span classes keep the size and tell scan from noscan") {
  for (std::uint8_t c = 0; c < size_class_count; ++c) {
    const size_class size{c};
    CHECK(span_class::noscan(size).is_noscan());
    CHECK_FALSE(span_class::scan(size).is_noscan());
    CHECK(span_class::noscan(size).size() == size);
    CHECK(span_class::scan(size).size() == size);
    CHECK(&info(span_class::scan(size)) == &info(size));
  }
}

}  // namespace umber::alloc

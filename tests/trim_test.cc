#include "alloc/trim.h"

#include "testing.h"

#include <sys/mman.h>

#include <algorithm>

namespace umber::testing {
namespace {

void write_pattern(const mspan& s, slot_id slot) {
  std::memset(pointer_to(s.address(slot)), static_cast<int>(1 + slot.value % 250), s.slot_size);
}
bool has_pattern(const mspan& s, slot_id slot) {
  const auto* bytes = pointer_to<unsigned char>(s.address(slot));
  return std::all_of(bytes, bytes + s.slot_size, [&](unsigned char b) { return b == 1 + slot.value % 250; });
}

std::size_t resident_pages(const mspan& s) {
  const std::size_t page = os::machine_page_size();
  std::vector<unsigned char> present(s.run.count.bytes() / page + 1);
  REQUIRE(mincore(pointer_to(window.address(s.run.first)), s.run.count.bytes(), present.data()) == 0);
  return static_cast<std::size_t>(std::count_if(present.begin(), present.end(), [](auto p) { return (p & 1) != 0; }));
}

// A span of class c, every byte of it written, of which the slots for which `lives` says so are live.
template <class Lives>
mspan* half_used(span_class c, span_stock& stock, Lives lives) {
  static span_home somebody;
  mspan* s = heap.allocate_span(c, &somebody, stock);
  REQUIRE(s != nullptr);
  s->free[1].store(info(c).slot_size > max_table_size ? 0 : s->free[1].load());
  std::memset(pointer_to(window.address(s->run.first)), 0xff, s->run.count.bytes());
  for (std::size_t i = 0; i < s->slots; ++i) {
    if (!lives(i)) continue;
    s->free[slot_id{i}.word()].fetch_and(~slot_id{i}.bit());
    write_pattern(*s, {i});
  }
  return s;
}

void end(mspan* s, span_stock& stock) {
  for (std::size_t i = 0; i < s->slots; ++i) s->free[slot_id{i}.word()].fetch_or(slot_id{i}.bit());
  heap.free_span(s, &stock);
}

// Pages of the machine that overlap no live slot: what trimming may take, at most and at least.
template <class Lives>
std::size_t pages_without_life(const mspan& s, Lives lives) {
  const std::size_t page = os::machine_page_size();
  std::vector<bool> lived(s.run.count.bytes() / page, false);
  // The unused rest lies before slot 0 and goes with it.
  if (lives(0))
    for (std::uintptr_t byte = window.address(s.run.first); byte < s.base; byte += 8)
      lived[(byte - window.address(s.run.first)) / page] = true;
  for (std::size_t i = 0; i < s.slots; ++i)
    for (std::uintptr_t byte = s.address({i}); lives(i) && byte < s.address({i + 1}); byte += 8)
      lived[(byte - window.address(s.run.first)) / page] = true;
  return static_cast<std::size_t>(std::count(lived.begin(), lived.end(), false));
}

}  // namespace

TEST_CASE("trim: exactly the pages without a live slot go back, the live slots keep every byte [trim.1]") {
  span_stock stock;
  for (const span_class c : all_span_classes())
    for (const std::size_t every : {1U, 2U, 3U, 5U, 17U, 100U, 1000U}) {
      const auto lives = [&](std::size_t i) { return i % every == every - 1; };
      mspan* s = half_used(c, stock, lives);
      const std::size_t before = resident_pages(*s), empty = pages_without_life(*s, lives);
      INFO("slots of " << s->slot_size << ", one in " << every << " lives");
      CHECK(trim_span(*s) == empty * os::machine_page_size());
      CHECK(resident_pages(*s) == before - empty);
      for (std::size_t i = 0; i < s->slots; ++i)
        if (lives(i) && !has_pattern(*s, {i})) FAIL("live slot " << i << " lost its contents");
      CHECK(s->valid());
      end(s, stock);
    }
  heap.empty_stock(stock);
}

TEST_CASE("trim: slots that are said to read as zero afterwards do") {
  span_stock stock;
  for (const std::size_t size : {1152U, 2048U, 5120U, 8192U, 40960U, 131072U}) {
    const auto lives = [](std::size_t i) { return i % 3 == 0; };
    mspan* s = half_used(span_class::noscan(class_for(size)), stock, lives);
    trim_span(*s);
    const std::uint64_t zeroed = s->free[1].load();
    CHECK((zeroed & ~s->free[0].load()) == 0);
    for (std::size_t i = 0; i < s->slots; ++i) {
      if ((zeroed & slot_id{i}.bit()) == 0) continue;
      const auto* bytes = pointer_to<unsigned char>(s->address({i}));
      CHECK(std::all_of(bytes, bytes + s->slot_size, [](unsigned char b) { return b == 0; }));
    }
    if (size >= 2 * os::machine_page_size()) CHECK((zeroed != 0) == (s->slots > 1));
    end(s, stock);
  }
  heap.empty_stock(stock);
}

TEST_CASE("trim: listed spans are trimmed once for each time they are listed, in both halves of the classes [trim.1]") {
  span_stock stock;
  span_home taker;
  const auto lives = [](std::size_t i) { return i == 0; };
  std::vector<mspan*> spans;
  for (const span_class c :
       {span_class::noscan(class_for(256)), span_class::scan(class_for(256)), span_class::scan(class_for(4096))}) {
    spans.push_back(half_used(c, stock, lives));
    REQUIRE(central(c).put(spans.back()) == nullptr);
  }
  std::size_t expected = 0;
  for (const mspan* s : spans) expected += pages_without_life(*s, lives) * os::machine_page_size();
  CHECK(trim_centrals(SIZE_MAX) == expected);
  CHECK(trim_centrals(SIZE_MAX) == 0);
  for (mspan* s : spans) {
    CHECK(has_pattern(*s, {0}));
    REQUIRE(central(s->spans_class()).take(&taker) == s);
    REQUIRE(central(s->spans_class()).put(s) == nullptr);
  }
  CHECK(trim_centrals(1) > 0);
  static_cast<void>(trim_centrals(SIZE_MAX));
  for (mspan* s : spans) {
    REQUIRE(central(s->spans_class()).take(&taker) == s);
    end(s, stock);
  }
  heap.empty_stock(stock);
}

TEST_CASE("trim: a system that refuses leaves everything as it was") {
  span_stock stock;
  const auto lives = [](std::size_t i) { return i == 3; };
  mspan* s = half_used(span_class::noscan(class_for(4096)), stock, lives);
  {
    const failing_system broken(0);
    CHECK(trim_span(*s) == 0);
  }
  CHECK(s->free[1].load() == 0);
  CHECK(has_pattern(*s, {3}));
  end(s, stock);
  heap.empty_stock(stock);
}

}  // namespace umber::testing

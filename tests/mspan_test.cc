#include "alloc/mspan.h"

#include "testing.h"

#include <thread>

namespace umber::testing {
namespace {

// A span without memory: everything but its slots' contents can be seen.
struct test_span : mspan {
  explicit test_span(span_class c, bool zeroed = false) { format({{1000}, {info(c).pages}}, c, zeroed); }
  std::uintptr_t start() const { return window.address(run.first); }
  std::uintptr_t end() const { return window.address(run.end()); }
  void set_free(std::size_t w, std::uint64_t bits) { free[w].store(bits, std::memory_order_relaxed); }
  void set_remote(std::size_t w, std::uint64_t bits) { remote[w].store(bits, std::memory_order_relaxed); }
};

span_class class_of(std::size_t size) { return span_class::noscan(class_for(size)); }

}  // namespace

TEST_CASE("mspan: a fresh span of every class has every slot free and nothing beyond [mspan.2]") {
  for (const span_class c : all_span_classes()) {
    const test_span s(c);
    INFO("class " << int{c.value});
    CHECK(s.spans_class() == c);
    CHECK(s.count_free() == info(c).slots);
    CHECK(s.all_free());
    CHECK(s.any_free());
    CHECK_FALSE(s.has_remote());
    CHECK(s.valid());
  }
}

TEST_CASE("mspan: slots end where the span ends, and are aligned to what divides their size") {
  for (const span_class c : all_span_classes()) {
    const test_span s(c);
    CHECK(s.base >= s.start());
    CHECK(s.address({s.slots}) == s.end());
    const std::size_t divides = s.slot_size & (~std::size_t{s.slot_size} + 1);
    for (std::size_t i = 0; i < s.slots; ++i)
      if (s.address({i}) % (divides < page_size ? divides : page_size) != 0) FAIL("size " << s.slot_size);
  }
}

TEST_CASE("mspan: an address finds its slot exactly if it is the slot's start") {
  for (const span_class c : all_span_classes()) {
    const test_span s(c);
    std::size_t found = 0;
    for (std::uintptr_t address = s.start(); address < s.end(); address += 8) {
      slot_id slot;
      if (!s.find_slot(address, slot)) continue;
      ++found;
      if (address < s.base) FAIL("a slot of " << s.slot_size << " bytes before slot 0");
      if (slot.value >= s.slots || s.address(slot) != address)
        FAIL("size " << s.slot_size << " at " << address - s.base);
    }
    CHECK(found == s.slots);
    slot_id slot;
    for (const std::uintptr_t off : {1U, 2U, 3U, 4U, 5U, 6U, 7U})
      CHECK_FALSE(s.find_slot(s.address({s.slots - std::size_t{1}}) + off, slot));
    CHECK_FALSE((s.find_slot(s.base - 8, slot) && slot.value < s.slots));
  }
}

TEST_CASE("mspan: which slots read as zero is known above 1 KiB, and only there") {
  for (const span_class c : all_span_classes()) {
    const bool one_word = info(c).slot_size > max_table_size;
    const test_span zeroed(c, true), used(c, false);
    if (!one_word) continue;
    CHECK(zeroed.free[1].load() == zeroed.free[0].load());
    CHECK(used.free[1].load() == 0);
    CHECK(zeroed.valid());
  }
}

TEST_CASE("mspan: collecting moves remote bits to the free bits, each once [mspan.1]") {
  test_span s(class_of(64));
  REQUIRE(s.words() >= 2);
  s.set_free(0, 0b0011);
  s.set_free(1, 0);
  s.set_remote(0, 0b1100);
  s.set_remote(1, std::uint64_t{1} << 63);
  CHECK(s.valid());
  const std::size_t before = s.count_free();
  CHECK(s.count_free_or_remote() == before + 3);
  CHECK(s.is_free_or_remote({2}));
  CHECK(s.is_free_or_remote({127}));
  CHECK_FALSE(s.is_free_or_remote({4}));
  CHECK(s.has_remote());
  CHECK(s.collect_remote());
  CHECK(s.count_free() == before + 3);
  CHECK_FALSE(s.has_remote());
  CHECK_FALSE(s.collect_remote());
  CHECK(s.valid());
}

TEST_CASE("mspan: a slot freed here and there is a double free, and says so [mspan.1]") {
  test_span s(class_of(64));
  s.set_remote(0, 1);
  CHECK_FALSE(s.valid());
  const ending end = death_of([&] { s.collect_remote(); });
  CHECK(end.aborted());
  CHECK(end.says("was already freed (64-byte object)"));
  CHECK(end.lines() == 1);
}

TEST_CASE("mspan: valid() sees bits that no slot has, and slots that do not end with the span [mspan.2]") {
  for (const span_class c : all_span_classes()) {
    test_span s(c);
    if (s.slots % 64 == 0) continue;
    const std::size_t last = s.words() - 1;
    s.free[last].fetch_or(std::uint64_t{1} << (s.slots % 64));
    CHECK_FALSE(s.valid());
    s.format(s.run, c, false);
    s.set_remote(last, std::uint64_t{1} << 63);
    CHECK_FALSE(s.valid());
  }
  test_span shifted(class_of(48));
  shifted.base -= 8;
  CHECK_FALSE(shifted.valid());
}

TEST_CASE("mspan: remote bits that arrive while the owner collects are each collected once [mspan.1]") {
  test_span s(class_of(16));
  for (std::size_t w = 0; w < s.words(); ++w) s.set_free(w, 0);
  std::vector<std::thread> threads;
  std::atomic<int> running{2};
  for (std::size_t t = 0; t < 2; ++t)
    threads.emplace_back([&, t] {
      for (std::size_t i = t; i < s.slots; i += 2)
        s.remote[slot_id{i}.word()].fetch_or(slot_id{i}.bit(), std::memory_order_seq_cst);
      --running;
    });
  while (running != 0) s.collect_remote();
  for (std::thread& t : threads) t.join();
  s.collect_remote();
  CHECK(s.all_free());
  CHECK(s.valid());
}

TEST_CASE("mspan: a span that is formatted again remembers nothing of its last use") {
  test_span s(class_of(16));
  s.set_remote(3, 5);
  s.countdown = 1;
  s.flags = mspan::flag_retained | mspan::flag_trimmed;
  const span_class next = span_class::scan(class_for(2048));
  s.format({{2000}, {info(next).pages}}, next, false);
  CHECK(s.valid());
  CHECK_FALSE(s.has_remote());
  CHECK(s.flags == 0);
  CHECK(s.spans_class() == next);
  s.format_large({{3000}, {20}}, true);
  CHECK(s.owner.load() == span_owner::large);
  CHECK(s.base == window.address({3000}));
  CHECK(s.flags == mspan::flag_zeroed);
}

TEST_CASE("mspan: what an owner may be is told apart by its value") {
  alignas(cache_line) span_home home;
  const std::uintptr_t p = address_of(&home);
  CHECK(span_owner::is_processor(p));
  CHECK_FALSE(span_owner::is_at_home(p));
  CHECK(span_owner::is_at_home(p | span_owner::at_home));
  CHECK_FALSE(span_owner::is_processor(p | span_owner::at_home));
  CHECK(span_owner::home(p | span_owner::at_home) == &home);
  for (const std::uintptr_t other : {span_owner::in_flux, span_owner::large, span_owner::nobody}) {
    CHECK_FALSE(span_owner::is_processor(other));
    CHECK_FALSE(span_owner::is_at_home(other));
    CHECK_FALSE(span_owner::is_in_central(other));
  }
  CHECK_FALSE(span_owner::is_in_central(p));
  for (std::uint8_t c = 0; c < span_class_count; ++c) {
    const std::uintptr_t listed = span_owner::in_central({c});
    CHECK(span_owner::is_in_central(listed));
    CHECK(span_owner::class_in_central(listed) == span_class{c});
    CHECK_FALSE(span_owner::is_processor(listed));
    CHECK_FALSE(span_owner::is_at_home(listed));
  }
}

}  // namespace umber::testing

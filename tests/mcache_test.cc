#include "alloc/mcache.h"

#include "testing.h"

#include <algorithm>
#include <set>

namespace umber::testing {
namespace {

struct test_span : mspan {
  explicit test_span(span_class c, bool zeroed = false) { format({{1000}, {info(c).pages}}, c, zeroed); }
};

// [mcache.2]
bool next_is_free(const mcache_entry& entry) { return (entry.next & ~entry.word->load()) == 0; }

void* take_any(mcache_entry& entry) {
  void* p = nullptr;
  bool zeroed = false;
  const bool taken = entry.slot_size > max_table_size ? entry.take_zeroed(p, zeroed) : entry.take(p);
  return taken ? p : nullptr;
}

}  // namespace

TEST_CASE("mcache: an entry without a span gives nothing and has none [mcache.1]") {
  mcache_entry entry;
  void* p;
  CHECK_FALSE(entry.take(p));
  CHECK_FALSE(entry.reload());
  CHECK(entry.span() == nullptr);
  CHECK(entry.next == 0);
  CHECK(no_slots[0].load() == 0);
  CHECK(no_slots[1].load() == 0);
}

TEST_CASE("mcache: an entry hands out every slot of its span once, the lowest first [mcache.2]") {
  for (const span_class c : all_span_classes()) {
    test_span s(c);
    mcache_entry entry;
    entry.install(&s);
    CHECK(entry.span() == &s);
    for (std::size_t i = 0; i < s.slots; ++i) {
      REQUIRE(next_is_free(entry));
      void* p = take_any(entry);
      if (p == nullptr && entry.reload()) p = take_any(entry);
      if (p != pointer_to(s.address({i}))) FAIL("slot " << i << " of " << s.slot_size);
    }
    CHECK(take_any(entry) == nullptr);
    CHECK_FALSE(entry.reload());
    CHECK_FALSE(s.any_free());
    CHECK(s.valid());
    entry.remove_span();
    CHECK(entry.span() == nullptr);
    CHECK(entry.next == 0);
    CHECK(no_slots[0].load() == 0);
  }
}

TEST_CASE("mcache: a slot that is freed while the copy is in use is found by reloading [mcache.2]") {
  const std::uint64_t seed = new_seed();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  for (const std::size_t size : {16U, 64U, 208U, 1024U}) {
    test_span s(span_class::noscan(class_for(size)));
    mcache_entry entry;
    entry.install(&s);
    std::set<void*> live;
    for (int step = 0; step < 20'000; ++step) {
      if (live.empty() || random() % 2 == 0) {
        void* p = take_any(entry);
        if (p == nullptr && entry.reload()) p = take_any(entry);
        REQUIRE((p == nullptr) == (live.size() == s.slots));
        if (p != nullptr) REQUIRE(live.insert(p).second);
      } else {
        auto victim = live.lower_bound(pointer_to(s.address({random() % s.slots})));
        if (victim == live.end()) victim = live.begin();
        slot_id slot;
        REQUIRE(s.find_slot(address_of(*victim), slot));
        s.free[slot.word()].fetch_or(slot.bit());
        live.erase(victim);
      }
      REQUIRE(next_is_free(entry));
      REQUIRE(s.count_free() + live.size() == s.slots);
    }
  }
}

TEST_CASE("mcache: above 1 KiB a slot is said to be zero at most once") {
  test_span s(span_class::noscan(class_for(4096)), true);
  mcache_entry entry;
  entry.install(&s);
  void* p = nullptr;
  bool zeroed = false;
  const auto take = [&] { return entry.take_zeroed(p, zeroed) || (entry.reload() && entry.take_zeroed(p, zeroed)); };
  for (std::size_t i = 0; i < s.slots; ++i) {
    REQUIRE(take());
    CHECK(zeroed);
  }
  CHECK_FALSE(take());
  s.free[0].fetch_or(1);
  REQUIRE(take());
  CHECK_FALSE(zeroed);
  CHECK(p == pointer_to(s.address({0})));
}

TEST_CASE("mcache: the copy is bounded in bytes, so that few blocks stay warm") {
  for (const span_class c : all_span_classes()) {
    test_span s(c);
    mcache_entry entry;
    entry.install(&s);
    const auto copied = static_cast<std::size_t>(std::popcount(entry.next));
    const std::size_t fit = mcache_entry::copied_bytes / s.slot_size, least = mcache_entry::least_copied;
    CHECK(copied <= std::max(fit, least));
    CHECK(copied >= 1);
  }
}

TEST_CASE("mcache: a place in bytes is the entry of its class") {
  static mcache cache;
  for (const span_class c : all_span_classes())
    CHECK(&cache[c] == &cache.at_place(static_cast<std::uint32_t>(c.value * sizeof(mcache_entry))));
}

}  // namespace umber::testing

#include "alloc/mcentral.h"

#include "alloc/mheap.h"
#include "testing.h"

#include <thread>

namespace umber::testing {
namespace {

span_home somebody, another;

// Spans as a processor would hand them over, and their end.
class workshop {
 public:
  ~workshop() { heap.empty_stock(stock_); }
  mspan* make(span_class c, std::size_t live) {
    mspan* s = heap.allocate_span(c, &somebody, stock_);
    REQUIRE(s != nullptr);
    for (std::size_t i = 0; i < live; ++i) s->free[slot_id{i}.word()].fetch_and(~slot_id{i}.bit());
    return s;
  }
  void end(mspan* s) {
    for (std::size_t i = 0; i < s->slots; ++i) s->free[slot_id{i}.word()].fetch_or(slot_id{i}.bit());
    for (auto& word : s->remote) word = 0;
    heap.free_span(s, &stock_);
  }

 private:
  span_stock stock_;
};

// What is left to give to the mheap, or null.
mspan* collect(span_class c, mspan* s) {
  mspan* rest = nullptr;
  static_cast<void>(central(c).collect(s, rest));
  return rest;
}

void free_from_afar(mspan* s, std::size_t slot) { s->remote[slot_id{slot}.word()].fetch_or(slot_id{slot}.bit()); }

}  // namespace

TEST_CASE("mcentral: a span is in_central exactly while it is listed, in both halves of the classes [mcentral.1]") {
  workshop shop;
  for (const span_class c : all_span_classes()) {
    if (info(c).slots < 2) continue;
    mspan* s = shop.make(c, 1);
    REQUIRE(central(c).put(s) == nullptr);
    CHECK(s->owner.load() == span_owner::in_central(c));
    REQUIRE(central(c).take(&another) == s);
    CHECK(s->owner.load() == address_of(&another));
    CHECK((s->next == nullptr && s->previous == nullptr));
    CHECK(central(c).take(&another) == nullptr);
    shop.end(s);
  }
}

TEST_CASE("mcentral: what was listed first is taken first") {
  workshop shop;
  const span_class c = span_class::noscan(class_for(64));
  mspan* spans[] = {shop.make(c, 1), shop.make(c, 2), shop.make(c, 3)};
  for (mspan* s : spans) REQUIRE(central(c).put(s) == nullptr);
  for (mspan* s : spans) {
    CHECK(central(c).take(&another) == s);
    shop.end(s);
  }
}

TEST_CASE("mcentral: a span whose last object was freed from afar is handed back, not listed [mcentral.1]") {
  workshop shop;
  const span_class c = span_class::scan(class_for(64));
  mspan* s = shop.make(c, 2);
  free_from_afar(s, 0);
  free_from_afar(s, 1);
  REQUIRE(central(c).put(s) == s);
  CHECK(s->owner.load() == span_owner::in_flux);
  CHECK(s->all_free());
  CHECK(central(c).take(&another) == nullptr);

  s->free[0].fetch_and(~std::uint64_t{3});
  REQUIRE(central(c).put(s) == nullptr);
  free_from_afar(s, 0);
  REQUIRE(collect(c, s) == nullptr);
  CHECK(s->owner.load() == span_owner::in_central(c));
  CHECK_FALSE(s->has_remote());
  free_from_afar(s, 1);
  REQUIRE(collect(c, s) == s);
  CHECK(s->owner.load() == span_owner::in_flux);
  CHECK(central(c).take(&another) == nullptr);
  shop.end(s);
}

TEST_CASE("mcentral: collecting a span that is somewhere else changes nothing") {
  workshop shop;
  const span_class c = span_class::noscan(class_for(64));
  mspan* s = shop.make(c, 2);
  free_from_afar(s, 0);
  mspan* rest = nullptr;
  CHECK_FALSE(central(c).collect(s, rest));
  CHECK(rest == nullptr);
  CHECK(s->has_remote());
  REQUIRE(central(c).put(s) == nullptr);
  CHECK(collect(span_class::scan(class_for(64)), s) == nullptr);
  CHECK(central(c).take(&another) == s);
  shop.end(s);
}

TEST_CASE("mcentral: trimmed spans are taken last, and looked at again when more of them is free") {
  workshop shop;
  const span_class c = span_class::noscan(class_for(2048));
  mspan* first = shop.make(c, 4);
  mspan* second = shop.make(c, 4);
  mspan* third = shop.make(c, 4);
  REQUIRE(central(c).put(first) == nullptr);
  REQUIRE(central(c).put(second) == nullptr);
  struct {
    std::vector<mspan*> seen;
    void add(mspan& s) { seen.push_back(&s); }
    void finish() {}
  } looker;
  REQUIRE(central(c).trim_some(looker));
  CHECK(looker.seen == std::vector{first, second});
  CHECK_FALSE(central(c).trim_some(looker));
  free_from_afar(first, 0);
  CHECK(collect(c, first) == nullptr);
  REQUIRE(central(c).trim_some(looker));
  CHECK(looker.seen == std::vector{first, second, first});
  REQUIRE(central(c).put(third) == nullptr);
  CHECK(central(c).take(&another) == third);
  mspan* next = central(c).take(&another);
  mspan* last = central(c).take(&another);
  CHECK(((next == first && last == second) || (next == second && last == first)));
  CHECK((first->flags & mspan::flag_trimmed) == 0);
  for (mspan* s : {first, second, third}) shop.end(s);
}

TEST_CASE(
    "mcentral: bits that arrive while a span is being listed or taken are not lost [mcentral.1] (litmus: listed)") {
  workshop shop;
  const span_class c = span_class::noscan(class_for(16));
  for (int round = 0; round < 30; ++round) {
    mspan* s = shop.make(c, 512);
    free_from_afar(s, 511);
    std::thread sender([&] {
      for (std::size_t i = 0; i < 511; ++i) {
        free_from_afar(s, i);
        if (s->owner.load() == span_owner::in_central(c)) static_cast<void>(collect(c, s));
      }
    });
    for (int i = 0; i < 200; ++i) {
      if (central(c).put(s) != nullptr) break;
      mspan* back = central(c).take(&another);
      if (back == nullptr) break;  // the sender has collected the rest
      REQUIRE(back == s);
    }
    sender.join();
    s->collect_remote();
    CHECK(s->all_free());
    CHECK(s->valid());
    CHECK(central(c).take(&another) == nullptr);
    shop.end(s);
  }
}

}  // namespace umber::testing

#include "alloc/mheap.h"

#include "testing.h"

#include <algorithm>
#include <utility>

namespace umber::testing {
namespace {

// A stock that gives back what it holds.
struct test_stock : span_stock {
  ~test_stock() { heap.empty_stock(*this); }
};

span_home somebody;

mspan* allocate(span_class c, span_stock& stock) { return heap.allocate_span(c, &somebody, stock); }

// Large and aligned to no page: what a test writes there, every page has.
void fill(mspan* s, std::size_t bytes, unsigned char seed) {
  for (std::size_t i = 0; i < bytes; i += 512)
    pointer_to<unsigned char>(s->base)[i] = static_cast<unsigned char>(seed + i / 512);
}
bool is_filled(const mspan* s, std::size_t bytes, unsigned char seed) {
  for (std::size_t i = 0; i < bytes; i += 512)
    if (pointer_to<unsigned char>(s->base)[i] != static_cast<unsigned char>(seed + i / 512)) return false;
  return true;
}
bool is_zero(const mspan* s) {
  const auto* word = pointer_to<std::uint64_t>(window.address(s->run.first));
  return std::all_of(word, word + s->run.count.bytes() / 8, [](std::uint64_t w) { return w == 0; });
}

// Pages of spans, each once; the index leads to a span from its first page, and from every page on which a slot starts.
std::size_t pages_of_spans() {
  std::size_t pages = 0;
  heap.for_each_span([&](const mspan& s) {
    pages += s.run.count.value;
    if (window.span_of(s.run.first) != &s) FAIL("the first page of a span does not lead to it");
    for (std::size_t i = 0; s.slot_size != 0 && i < s.slots; ++i)
      if (window.span_of(window.page_of(s.address({i}))) != &s) FAIL("a slot of a span does not lead to it");
  });
  return pages;
}

// Grown, and with nothing free that the system backs.
page_figures scavenged_heap() {
  mspan* large = heap.allocate_large(8 * mib, page_size);
  REQUIRE(large != nullptr);
  heap.free_large(large);
  while (heap.release(page_alloc::chunk_pages).value != 0) {
  }
  return heap.figures();
}

// [mheap.1] with one stock: every page is free, in the stock, or of one span.
bool all_pages_accounted(const span_stock& stock) {
  const page_figures f = heap.figures();
  return f.known.value == f.free.value + pages_of_spans() + bitmap::count(stock.pages.free);
}

}  // namespace

TEST_CASE("mheap: populated pages are the next to be allocated, and no more than were asked for") {
  test_stock stock;
  static_cast<void>(scavenged_heap());
  const page_count ahead{40};
  std::size_t steps = 0;
  while (heap.populate(ahead)) ++steps;
  CHECK(steps > 0);
  const std::size_t populated = heap.figures().unscavenged.value;
  CHECK(populated >= ahead.value);
  CHECK(populated < ahead.value + page_cache::pages.value);
  CHECK(heap.figures().ahead == ahead);
  std::vector<mspan*> spans;
  for (std::size_t i = 0; i < ahead.value; ++i) {
    spans.push_back(allocate(span_class::scan(class_for(1024)), stock));
    CHECK((spans.back()->flags & mspan::flag_zeroed) == 0);  // nobody says that it reads as zero
    CHECK(is_zero(spans.back()));
  }
  for (mspan* s : spans) heap.free_span(s, &stock);
}

TEST_CASE("mheap: what the system does not populate stays as it is [mheap.2]") {
  test_stock stock;
  const page_figures before = scavenged_heap();
  os::inject_failure(0, 1);
  const bool populated = heap.populate({40});
  os::inject_failure(0, 0);
  CHECK_FALSE(populated);
  CHECK(heap.figures().free == before.free);
  CHECK(heap.figures().unscavenged == before.unscavenged);
  CHECK(all_pages_accounted(stock));
}

TEST_CASE("mheap: nothing is populated beyond the limit") {
  const page_figures before = scavenged_heap();
  const std::size_t backed = (before.known - before.free + before.unscavenged).bytes();
  const std::size_t limit = heap.set_limit(backed + page_size);
  CHECK_FALSE(heap.populate({40}));
  heap.set_limit(limit);
  CHECK(heap.populate({40}));
}

TEST_CASE("mheap: a span of every class is formatted, owned, and found from each of its pages [mheap.1]") {
  test_stock stock;
  std::vector<mspan*> spans;
  for (const span_class c : all_span_classes()) {
    mspan* s = allocate(c, stock);
    REQUIRE(s != nullptr);
    CHECK(s->valid());
    CHECK(s->all_free());
    CHECK(s->spans_class() == c);
    CHECK(s->owner.load() == address_of(&somebody));
    CHECK(s->run.count.value == info(c).pages);
    std::memset(pointer_to(s->base), 0xee, std::size_t{s->slots} * s->slot_size);
    spans.push_back(s);
  }
  CHECK(all_pages_accounted(stock));
  for (mspan* s : spans) {
    const page_run run = s->run;
    heap.free_span(s, &stock);
    CHECK(window.span_of(run.first) == &no_span);
    CHECK(s->owner.load() == span_owner::nobody);
  }
  CHECK(all_pages_accounted(stock));
  CHECK(pages_of_spans() == 0);
}

TEST_CASE("mheap: random spans and large objects never overlap, and every page is accounted for [mheap.1]") {
  const std::uint64_t seed = new_seed();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  test_stock stock;
  std::vector<mspan*> live;
  const std::vector<span_class> classes = all_span_classes();
  for (int step = 0; step < 4000; ++step) {
    if (live.empty() || random() % 9 < 5) {
      mspan* s = random() % 8 == 0 ? heap.allocate_large(1 + random() % (4 * mib), page_size << random() % 4)
                                   : allocate(classes[random() % classes.size()], stock);
      REQUIRE(s != nullptr);
      live.push_back(s);
    } else {
      std::swap(live[random() % live.size()], live.back());
      mspan* s = live.back();
      live.pop_back();
      if (s->slot_size == 0)
        heap.free_large(s);
      else
        heap.free_span(s, random() % 2 == 0 ? &stock : nullptr);
    }
    if (step % 250 == 0) REQUIRE(all_pages_accounted(stock));
  }
  std::sort(live.begin(), live.end(), [](const mspan* a, const mspan* b) { return a->run.first < b->run.first; });
  for (std::size_t i = 1; i < live.size(); ++i) REQUIRE(live[i - 1]->run.end() <= live[i]->run.first);
  for (mspan* s : live) s->slot_size == 0 ? heap.free_large(s) : heap.free_span(s, &stock);
  REQUIRE(all_pages_accounted(stock));
  CHECK(pages_of_spans() == 0);
}

TEST_CASE("mheap: what is said to read as zero does") {
  test_stock stock;
  for (int round = 0; round < 3; ++round) {
    std::vector<mspan*> live;
    for (int i = 0; i < 30; ++i) {
      mspan* s = heap.allocate_large(100'000 + static_cast<std::size_t>(i) * 50'000, 1);
      if ((s->flags & mspan::flag_zeroed) != 0) CHECK(is_zero(s));
      fill(s, s->run.count.bytes(), 0x11);
      live.push_back(s);
      mspan* slots = allocate(span_class::noscan(class_for(4096)), stock);
      if (slots->free[1].load() != 0) CHECK(is_zero(slots));
      std::memset(pointer_to(slots->base), 0x22, slots->run.count.bytes());
      live.push_back(slots);
    }
    for (mspan* s : live) s->slot_size == 0 ? heap.free_large(s) : heap.free_span(s, &stock);
    while (round == 1 && heap.release(page_alloc::chunk_pages).value != 0) continue;
  }
}

TEST_CASE("mheap: an mspan's memory is used again for an mspan, a late reader of owner reads one [mspan.4]") {
  test_stock stock;
  std::vector<mspan*> first;
  for (int i = 0; i < 100; ++i) first.push_back(allocate({2}, stock));
  for (mspan* s : first) heap.free_span(s, &stock);
  heap.empty_stock(stock);
  for (const mspan* s : first) CHECK(s->owner.load() == span_owner::nobody);
  std::size_t again = 0;
  std::vector<mspan*> second;
  for (int i = 0; i < 100; ++i) {
    second.push_back(allocate({3}, stock));
    again += std::count(first.begin(), first.end(), second.back()) != 0;
  }
  CHECK(again >= 90);
  for (mspan* s : second) heap.free_span(s, &stock);
}

TEST_CASE("mheap: a failing system leaves pages and spans as they were, at whichever call it fails [mheap.2]") {
  test_stock stock;
  std::vector<mspan*> live;
  for (std::size_t first = 0, failures = 0; first < 40; ++first) {
    const std::size_t in_use = pages_of_spans();
    {
      const failing_system broken(first);
      for (std::size_t i = 0; i < 300 && !broken.happened(); ++i) {
        mspan* s = i % 2 == 0 ? heap.allocate_large(3 * mib, 1) : allocate({static_cast<std::uint8_t>(60)}, stock);
        if (s != nullptr) live.push_back(s);
      }
      failures += broken.happened();
      mspan* none = heap.allocate_large(window.capacity * page_size, 1);
      CHECK(none == nullptr);
    }
    CHECK(pages_of_spans() >= in_use);
    mspan* after = heap.allocate_large(8 * mib, 1);
    REQUIRE(after != nullptr);
    fill(after, 8 * mib, 1);
    heap.free_large(after);
    if (first == 39) CHECK(failures > 0);
  }
  for (mspan* s : live) s->slot_size == 0 ? heap.free_large(s) : heap.free_span(s, &stock);
  CHECK(all_pages_accounted(stock));
  CHECK(pages_of_spans() == 0);
}

TEST_CASE("mheap: a large object is aligned as asked, whatever the alignment") {
  for (std::size_t alignment = 1; alignment <= 256 * mib; alignment *= 4) {
    mspan* s = heap.allocate_large(100, alignment);
    REQUIRE(s != nullptr);
    CHECK(s->base % alignment == 0);
    *pointer_to<char>(s->base) = 1;
    heap.free_large(s);
  }
  CHECK(heap.allocate_large(PTRDIFF_MAX, 1) == nullptr);
  CHECK(heap.allocate_large(1, std::size_t{1} << 62) == nullptr);
}

TEST_CASE("mheap: a large object grows where the next pages are free, and shrinks anywhere") {
  mspan* s = heap.allocate_large(mib, 1);
  mspan* after = heap.allocate_large(mib, 1);
  while (after->run.first != s->run.end()) {
    heap.free_large(std::exchange(s, after));
    after = heap.allocate_large(mib, 1);
  }
  fill(s, mib, 7);
  CHECK_FALSE(heap.resize_large(s, mib + 1));
  CHECK(s->run.count == page_count::covering(mib));
  heap.free_large(after);
  REQUIRE(heap.resize_large(s, 2 * mib));
  CHECK(s->run.count == page_count::covering(2 * mib));
  CHECK(is_filled(s, mib, 7));
  const page_count free = heap.figures().free;
  REQUIRE(heap.resize_large(s, 100 * kib));
  CHECK(heap.figures().free == free + page_count::covering(2 * mib) - page_count::covering(100 * kib));
  CHECK(is_filled(s, 100 * kib, 7));
  heap.free_large(s);
}

TEST_CASE("mheap: a large object that is moved keeps its contents, and its old pages are free") {
  for (const std::size_t bytes : {300 * kib, 3 * mib, 40 * mib})
    for (const bool clean_target : {false, true}) {
      if (clean_target)
        while (heap.release(page_alloc::chunk_pages).value != 0) continue;
      mspan* s = heap.allocate_large(bytes, 1);
      fill(s, bytes, 9);
      const std::size_t in_spans = pages_of_spans();
      mspan* larger = heap.move_large(s, bytes * 2);
      REQUIRE(larger != nullptr);
      CHECK(larger->run.count >= page_count::covering(bytes * 2));
      CHECK(is_filled(larger, bytes, 9));
      CHECK(pages_of_spans() == in_spans - page_count::covering(bytes).value + larger->run.count.value);
      heap.free_large(larger);
      mspan* again = heap.allocate_large(bytes * 3, 1);
      if ((again->flags & mspan::flag_zeroed) != 0) CHECK(is_zero(again));
      fill(again, bytes * 3, 1);
      heap.free_large(again);
    }
}

TEST_CASE("mheap: moving fails as a value, and the object is as it was [mheap.2]") {
  mspan* s = heap.allocate_large(mib, 1);
  fill(s, mib, 3);
  {
    const failing_system broken(0);
    CHECK(heap.move_large(s, window.capacity * page_size) == nullptr);
  }
  CHECK(is_filled(s, mib, 3));
  CHECK(window.span_of(s->run.first) == s);
  heap.free_large(s);
}

TEST_CASE("mheap: releasing ends when nothing unscavenged is left, and what is released reads as zero") {
  mspan* s = heap.allocate_large(20 * mib, 1);
  fill(s, 20 * mib, 5);
  const page_run run = s->run;
  heap.free_large(s);
  CHECK(heap.figures().unscavenged.bytes() >= 20 * mib);
  const std::size_t before = os::resident_bytes();
  page_count total;
  for (page_count step; (step = heap.release(page_alloc::chunk_pages)).value != 0;) total += step;
  CHECK(total.bytes() >= 20 * mib);
  CHECK(heap.figures().unscavenged.value == 0);
  CHECK(heap.unscavenged_hint().value == 0);
  CHECK(os::resident_bytes() + 15 * mib < before);
  CHECK(*pointer_to<char>(window.address(run.first)) == 0);
}

TEST_CASE("mheap: near the soft limit free pages go back before more are taken") {
  mspan* s = heap.allocate_large(40 * mib, 1);
  fill(s, 40 * mib, 5);
  mspan* wall = heap.allocate_large(mib, 1);
  heap.free_large(s);
  const page_figures before = heap.figures();
  const std::size_t backed = (before.known - before.free + before.unscavenged).bytes();
  CHECK(heap.set_limit(backed - 30 * mib) == SIZE_MAX);
  const page_figures after = heap.figures();
  CHECK((after.known - after.free + after.unscavenged).bytes() <= backed - 30 * mib);
  mspan* beyond = heap.allocate_large(200 * mib, 1);  // soft: it is exceeded rather than a request refused
  CHECK(beyond != nullptr);
  heap.free_large(beyond);
  heap.free_large(wall);
  CHECK(heap.set_limit(SIZE_MAX) == backed - 30 * mib);
}

TEST_CASE("mheap: growth presses on those who hold what they do not use") {
  const std::uint32_t before = heap.pressure();
  mspan* s = heap.allocate_large(heap.figures().known.bytes() + mib, 1);
  REQUIRE(s != nullptr);
  CHECK(heap.pressure() != before);
  heap.free_large(s);
}

}  // namespace umber::testing

#include "alloc/collector.h"

#include "testing.h"

#include <utility>

namespace umber::testing {
namespace {

// What the door was asked and told since `open_door`, and the span that it answers with, once.
std::vector<std::uint8_t> asked;
std::vector<std::size_t> told;
mspan* answer = nullptr;

void open_door() {
  asked.clear();
  told.clear();
  answer = nullptr;
  if (collector.active) return;
  collector.sweep_for = [](std::uint8_t c) {
    asked.push_back(c);
    return std::exchange(answer, nullptr);
  };
  collector.grew = [](std::size_t bytes) { told.push_back(bytes); };
  collector.active = true;
}

span_class scan_class_of(std::size_t size) { return span_class::scan(class_for(size)); }

// Uses up every span of class c that somebody left behind, so that the next refill finds none.
std::vector<void*> use_up(processor& p, span_class c) {
  std::vector<void*> blocks;
  do blocks.push_back(allocate_through(p, c));
  while (told.empty() && asked.empty() && blocks.size() < 100'000);
  return blocks;
}

void free_all(processor& p, const std::vector<void*>& blocks) {
  for (void* block : blocks) free_through(p, block);
}

// A span as a sweep leaves it: in flux, with `free` free slots, the rest of them live.
mspan* swept_span(processor& p, span_class c, std::size_t free) {
  mspan* s = heap.allocate_span(c, &p, p.stock);
  REQUIRE(s != nullptr);
  for (std::size_t slot = free; slot < s->slots; ++slot) s->free[slot / 64] &= ~slot_id{slot}.bit();
  s->owner = span_owner::in_flux;
  return s;
}

}  // namespace

TEST_CASE("collector: until a collector is there nobody is asked and nobody is told [collector.1]") {
  if (collector.active) SKIP("another test of this process has opened the door, and it is never closed");
  test_processor p;
  const span_class c = scan_class_of(256);
  std::vector<void*> blocks;
  for (std::size_t i = 0; i < 3 * std::size_t{info(c).slots}; ++i) blocks.push_back(allocate_through(*p.get(), c));
  for (void* block : blocks) REQUIRE(block != nullptr);
  free_all(*p.get(), blocks);
}

TEST_CASE("collector: before fresh pages are taken for a scan class it is asked for a swept span [collector.1]") {
  open_door();
  test_processor p;
  for (const span_class c : all_span_classes()) {
    INFO("class " << int{c.value});
    open_door();
    std::vector<void*> blocks;
    for (std::size_t i = 0; i < 3 * std::size_t{info(c).slots}; ++i) blocks.push_back(allocate_through(*p.get(), c));
    for (void* block : blocks) REQUIRE(block != nullptr);
    if (c.is_noscan()) {
      CHECK(asked.empty());
      CHECK(told.empty());
    } else {
      // Three spans' worth of slots, and the first span may have been left by another test.
      CHECK(asked.size() >= 2);
      CHECK(asked.size() <= 3);
      CHECK(told.size() == asked.size());
      for (const std::uint8_t which : asked) CHECK(which == c.value);
      for (const std::size_t bytes : told) CHECK(bytes == span_at(blocks.back())->run.count.bytes());
    }
    free_all(*p.get(), blocks);
  }
}

TEST_CASE("collector: a swept span is used, and when it is full the door is asked again [collector.1]") {
  open_door();
  for (const span_class c : {scan_class_of(64), scan_class_of(1000), scan_class_of(20'000)}) {
    INFO("class " << int{c.value});
    test_processor p;
    open_door();
    const std::size_t free = 3;
    mspan* swept = swept_span(*p.get(), c, free);
    answer = swept;
    std::vector<void*> blocks = use_up(*p.get(), c);
    REQUIRE(asked == std::vector<std::uint8_t>{c.value});
    CHECK(told.empty());
    for (std::size_t i = 1; i < free; ++i) blocks.push_back(allocate_through(*p.get(), c));
    for (std::size_t i = blocks.size() - free; i < blocks.size(); ++i) {
      CHECK(span_at(blocks[i]) == swept);
      CHECK(slot_at(blocks[i]).value < free);
    }
    CHECK(p->owns(swept));
    CHECK(asked.size() == 1);
    blocks.push_back(allocate_through(*p.get(), c));
    CHECK(span_at(blocks.back()) != swept);
    CHECK(asked.size() == 2);
    CHECK(told == std::vector<std::size_t>{span_at(blocks.back())->run.count.bytes()});
    for (std::size_t slot = free; slot < swept->slots; ++slot) blocks.push_back(pointer_to(swept->address({slot})));
    free_all(*p.get(), blocks);
    p->flush();
  }
}

TEST_CASE("collector: a span that others left half used is taken before the door is asked [collector.1]") {
  open_door();
  test_processor p, next;
  const span_class c = scan_class_of(512);
  void* kept = allocate_through(*p.get(), c);
  p->flush();
  open_door();
  void* block = allocate_through(*next.get(), c);
  CHECK(span_at(block) == span_at(kept));
  CHECK(asked.empty());
  CHECK(told.empty());
  free_all(*next.get(), {block, kept});
}

TEST_CASE("collector: what was not to be had is not told as growth [collector.1]") {
  open_door();
  test_processor p;
  const span_class c = scan_class_of(100'000);
  std::vector<void*> blocks;
  {
    const failing_system broken(0);
    while (void* block = allocate_through(*p.get(), c)) blocks.push_back(block);
  }
  CHECK(asked.size() == told.size() + 1);
  free_all(*p.get(), blocks);
}

}  // namespace umber::testing

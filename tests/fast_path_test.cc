#include "alloc/fast_path.h"

#include "testing.h"

namespace umber::testing {
namespace {

void settle() {
  for (int i = 0; i < 64; ++i) fast_deallocate(fast_allocate(48));
}

}  // namespace

TEST_CASE("fast_path: the place of every size is that of its class's entry") {
  settle();
  for (std::size_t n = 0; n <= max_table_size; ++n)
    if (&this_thread.mine()->cache.at_place(fast_path_detail::places[n]) !=
        &this_thread.mine()->cache[span_class::noscan(class_for(n))])
      FAIL("size " << n);
}

TEST_CASE("fast_path: a freed slot is free at once, and found again") {
  settle();
  for (std::size_t n = 1; n <= max_table_size; n += 15) {
    void* p = fast_allocate(n);
    mspan* s = span_at(p);
    const slot_id slot = slot_at(p);
    CHECK_FALSE(s->is_free_or_remote(slot));
    const std::size_t free = s->count_free();
    fast_deallocate(p);
    CHECK(s->is_free_or_remote(slot));
    CHECK(s->count_free() == free + 1);
    bool found = false;
    std::vector<void*> blocks;
    for (std::size_t i = 0; i < 2 * max_slots && !found; ++i) {
      blocks.push_back(fast_allocate(n));
      found = blocks.back() == p;
    }
    CHECK(found);
    for (void* block : blocks) fast_deallocate(block);
  }
}

TEST_CASE("fast_path: the last object of a span that waits is noticed, and the span retained or given back") {
  settle();
  std::vector<void*> blocks;
  for (int i = 0; i < 5000; ++i) blocks.push_back(fast_allocate(512));
  const std::size_t before = this_thread.mine()->retained_bytes;
  for (void* block : blocks) fast_deallocate(block);
  CHECK(this_thread.mine()->retained_bytes > before);
  this_thread.mine()->flush();
  std::size_t spans = 0;
  heap.for_each_span([&](const mspan& s) { spans += s.slot_size == 512; });
  CHECK(spans == 0);
}

TEST_CASE("fast_path: a sized free checks the size, whoever owns the span") {
  settle();
  for (const std::size_t n : {1U, 16U, 100U, 1024U, 1025U, 50'000U, 200'000U}) {
    void* p = fast_allocate(n);
    const ending end = death_of([&] { fast_deallocate_sized(p, n + n / 2 + 16); });
    CHECK(end.aborted());
    CHECK(end.says("was allocated with another size"));
    fast_deallocate_sized(p, n);
  }
  fast_deallocate_sized(nullptr, 5);
  int local = 0;
  CHECK(death_of([&] { fast_deallocate_sized(&local, 4); }).says("was not allocated by this heap"));
}

TEST_CASE("fast_path: a double free by the owner is seen at once, in the copied word and beside it") {
  settle();
  for (const std::size_t n : {8U, 64U, 1024U}) {
    std::vector<void*> blocks;
    for (int i = 0; i < 600; ++i) blocks.push_back(fast_allocate(n));
    for (const std::size_t i : {0U, 1U, 300U, 599U}) {
      const ending end = death_of([&] { fast_deallocate(blocks[i]), fast_deallocate(blocks[i]); });
      CHECK(end.aborted());
      CHECK(end.says("was already freed"));
    }
    for (void* block : blocks) fast_deallocate(block);
  }
}

}  // namespace umber::testing

#include "gc/refill.h"

#include "gc_testing.h"

#include <new>

namespace umber::testing {
namespace {

using namespace gc;

struct node {
  field<node> next;
  std::uint64_t number = 0;
};
struct block {
  unsigned char bytes[2000];
};

template <class Make>
bool throws_bad_alloc(Make make_one) {
  try {
    make_one();
  } catch (const std::bad_alloc&) {
    return true;
  }
  return false;
}

// A list of `length` nodes, or what there was memory for.
std::size_t fill(local<node>& list, std::size_t most) {
  for (std::size_t made = 0; made < most; ++made) {
    try {
      const local<node> fresh = make<node>();
      fresh->next = list;
      fresh->number = made;
      list = fresh;
    } catch (const std::bad_alloc&) {
      return made;
    }
  }
  return most;
}

bool intact(const node* list, std::size_t length) {
  for (; list != nullptr; list = list->next)
    if (list->number != --length) return false;
  return length == 0;
}

}  // namespace

TEST_CASE("refill: memory is zero, also where something was before") {
  test_heap t;
  for (int turn = 0; turn < 3; ++turn) {
    for (int i = 0; i < 500; ++i) {
      const local<block> made = make<block>();
      for (const unsigned char byte : made->bytes)
        if (byte != 0) FAIL("turn " << turn << ", object " << i);
      std::memset(made->bytes, 0xff, sizeof made->bytes);
    }
    const local<array<std::uint64_t>> large = make_array<std::uint64_t>(50'000);
    for (std::uint64_t& word : *large) {
      if (word != 0) FAIL("turn " << turn);
      word = ~std::uint64_t{0};
    }
    t.heap.collect();
  }
}

TEST_CASE("refill: arrays of every class have their length, and room for it") {
  const test_heap t;
  std::vector<local<array<field<node>>>> all;
  for (std::size_t length = 0; length < 8000; length += length / 5 + 1) {
    all.emplace_back(make_array<field<node>>(length));
    CHECK(all.back()->size() == length);
    if (length == 0) continue;
    (*all.back())[0] = make<node>();
    (*all.back())[length - 1] = make<node>();
  }
  for (const auto& nodes : all)
    if (nodes->size() != 0) CHECK(((*nodes)[0].get() != nullptr && (*nodes)[nodes->size() - 1].get() != nullptr));
}

TEST_CASE("refill: a question is answered before slots are taken [refill.1]") {
  test_heap t;
  other_thread other(t.heap);
  std::atomic<bool> over{false};
  other.start([&] {
    while (!over) safepoint();
  });
  const local<node> first = make<node>();
  const std::uint32_t epoch = t.m.epoch;
  std::thread asking([&] { ask_all(t.h, question::finish); });
  while (t.m.question == 0) std::this_thread::yield();
  t.m.entries[detail::description_of<node>().id].next = 0;
  const local<block> made = make<block>();
  CHECK(t.m.epoch == epoch + 1);
  CHECK(t.m.question == 0);
  asking.join();
  over = true;
  other.wait();
  span_stock stock;
  object_map::mark(address_of(first.get()));
  t.m.give_up_spans();
  alloc::heap.empty_stock(stock);
}

TEST_CASE("refill: beyond the hard limit making fails, after a collection, and goes on when there is room") {
  heap_options options = never_by_itself();
  options.hard_limit = 2 << 20;
  test_heap t(options);
  local<node> list;
  const std::uint64_t cycles = t.heap.statistics().cycles;
  const std::size_t length = fill(list, 1'000'000);
  CHECK(length > 50'000);
  CHECK(length < 140'000);
  CHECK(t.heap.statistics().cycles > cycles);
  CHECK(t.heap.statistics().heap_bytes <= options.hard_limit);
  CHECK(intact(list, length));
  CHECK(throws_bad_alloc([] { static_cast<void>(make_array<std::uint64_t>(1 << 17)); }));
  list = nullptr;
  const local<array<std::uint64_t>> large = make_array<std::uint64_t>(1 << 17);
  CHECK(large->size() == 1 << 17);
  CHECK(fill(list, 20'000) == 20'000);
}

TEST_CASE("refill: garbage never reaches the hard limit") {
  heap_options options = never_by_itself();
  options.hard_limit = 1 << 20;
  test_heap t(options);
  for (int i = 0; i < 300'000; ++i) static_cast<void>(make<node>());
  for (int i = 0; i < 100; ++i) static_cast<void>(make_array<std::uint64_t>(30'000));
  CHECK(t.heap.statistics().cycles > 10);
}

TEST_CASE("refill: an array too long for any memory fails and leaves the heap as it was") {
  test_heap t;
  CHECK(throws_bad_alloc([] { static_cast<void>(make_array<std::uint64_t>(SIZE_MAX / 8)); }));
  CHECK(throws_bad_alloc([] { static_cast<void>(make_array<std::uint64_t>(SIZE_MAX / 32)); }));
  CHECK(throws_bad_alloc([] { static_cast<void>(make_array<std::uint64_t>(std::size_t{1} << 39)); }));
  CHECK(throws_bad_alloc([] { static_cast<void>(make_array<field<node>>(array_header::most + 1)); }));
  local<node> list;
  CHECK(fill(list, 1000) == 1000);
  CHECK(t.heap.statistics().heap_bytes < 1 << 20);
}

TEST_CASE("refill: when the system has no memory making fails after a collection, and the heap goes on") {
  test_heap t;
  local<node> list;
  std::size_t length;
  {
    const failing_system none(0);
    const std::uint64_t cycles = t.heap.statistics().cycles;
    length = fill(list, 50'000'000);
    CHECK(length < 50'000'000);
    CHECK(t.heap.statistics().cycles > cycles);
    CHECK(intact(list, length));
    // A full collection with no memory for anything loses nothing.
    t.heap.collect();
    CHECK(intact(list, length));
  }
  CHECK(fill(list, 1000) == 1000);
  list = nullptr;
  t.heap.collect();
  CHECK(t.heap.statistics().heap_bytes <= 256 * kib);
}

TEST_CASE("refill: each single failure of the system is survived") {
  test_heap t;
  for (std::size_t call = 0; call < 12; ++call) {
    local<node> list;
    const failing_system once(call, 1);
    const std::size_t length = fill(list, 200'000);
    CHECK(length > 0);
    CHECK(intact(list, length));
    const bool failed = throws_bad_alloc([] { static_cast<void>(make_array<std::uint64_t>(3'000'000)); });
    CHECK((!failed || once.happened()));
  }
}

}  // namespace umber::testing

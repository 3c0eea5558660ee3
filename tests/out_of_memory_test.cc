#include <umber/umber.h>

#include "testing.h"

#include <optional>

namespace umber::testing {

using umber::heap;

namespace {

struct node {
  field<node> next;
  char more[1000];
};

struct hoard {
  std::optional<persistent<node>> list;
  heap* of = nullptr;
  int asked = 0;
  int most = 0;
  std::uint64_t cycles = 0;
};

// Drops the hoard the first `most` times.
bool drop_hoard(void* context) noexcept {
  auto& h = *static_cast<hoard*>(context);
  h.cycles = h.of->statistics().cycles;
  if (h.asked++ >= h.most) return false;
  *h.list = nullptr;
  return true;
}

heap_options limited(hoard& h) {
  heap_options options;
  options.percent = heap_options::off;
  options.hard_limit = 4 << 20;
  options.on_out_of_memory = drop_hoard;
  options.out_of_memory_context = &h;
  return options;
}

void push(persistent<node>& list) {
  const local<node> fresh = make<node>();
  fresh->next = list.get();
  list = fresh;
}

}  // namespace

TEST_CASE("out_of_memory: the program is asked for memory after a full collection, and as long as it says yes") {
  hoard kept;
  heap h(limited(kept));
  mutator attached(h);
  kept.of = &h;
  kept.list.emplace();
  kept.most = 3;
  int made = 0;
  for (; made < 20'000 && kept.asked < 4; ++made) try {
      push(*kept.list);
    } catch (const std::bad_alloc&) {
      CHECK(kept.asked == 4);
    }
  CHECK(kept.asked == 4);
  CHECK(made > 3 * 3500);
  CHECK(kept.cycles >= 4 + 3);
  // Then it works again, and garbage alone never leads to the question.
  *kept.list = nullptr;
  for (int i = 0; i < 20'000; ++i) static_cast<void>(make<node>());
  CHECK(kept.asked == 4);
  kept.list.reset();
}

TEST_CASE("out_of_memory: large objects ask, too, and without an answer making fails") {
  hoard kept;
  heap h(limited(kept));
  mutator attached(h);
  kept.of = &h;
  kept.list.emplace();
  kept.most = 1;
  for (int i = 0; i < 3500; ++i) push(*kept.list);
  CHECK(make_array<char>(2 << 20)->size() == 2 << 20);
  CHECK(kept.asked == 1);
  CHECK_THROWS_AS(make_array<char>(5 << 20), std::bad_alloc);
  CHECK(kept.asked == 2);
  kept.list.reset();
}

TEST_CASE("out_of_memory: who makes objects while it is asked for memory is not asked again") {
  static int asked;
  asked = 0;
  heap_options options;
  options.hard_limit = 1 << 20;
  options.on_out_of_memory = [](void*) noexcept {
    ++asked;
    try {
      static_cast<void>(make_array<char>(2 << 20));
    } catch (const std::bad_alloc&) {
      ++asked;
    }
    return false;
  };
  heap h(options);
  mutator attached(h);
  CHECK_THROWS_AS(make_array<char>(2 << 20), std::bad_alloc);
  CHECK(asked == 2);
}

}  // namespace umber::testing

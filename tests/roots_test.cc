#include "gc/roots.h"

#include "testing.h"

#include <umber/umber.h>

#include <memory>
#include <set>
#include <thread>

namespace umber::testing {
namespace {

using namespace gc;

std::multiset<void*> held_by(const root_table& table) {
  std::multiset<void*> held;
  table.for_each([&](void* object) { held.insert(object); });
  return held;
}

}  // namespace

TEST_CASE("roots: each slot is seen while it holds something, and a dropped one holds null [roots.1]") {
  root_table table;
  int objects[3];
  detail::root_slot* a = table.make();
  detail::root_slot* b = table.make();
  REQUIRE(a != nullptr);
  REQUIRE(b != nullptr);
  CHECK(held_by(table).empty());
  a->object = &objects[0];
  b->object = &objects[1];
  CHECK(held_by(table) == std::multiset<void*>{&objects[0], &objects[1]});
  table.drop(a);
  CHECK(a->object == nullptr);
  CHECK(held_by(table) == std::multiset<void*>{&objects[1]});
  CHECK(table.in_use() == 1);
  detail::root_slot* again = table.make();
  CHECK(again == a);
  CHECK(again->object == nullptr);
  table.drop(again);
  table.drop(b);
  CHECK(table.in_use() == 0);
}

TEST_CASE("roots: a slot finds its table") {
  root_table one, other;
  for (int i = 0; i < 600; ++i) {
    CHECK(&root_table::of(one.make()) == &one);
    CHECK(&root_table::of(other.make()) == &other);
  }
  CHECK(one.in_use() == 600);
}

TEST_CASE("roots: slots are made and dropped by many threads while they are scanned") {
  root_table table;
  static int object;
  std::atomic<int> running{2};
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t)
    threads.emplace_back([&] {
      std::vector<detail::root_slot*> mine;
      for (int i = 0; i < 20'000; ++i) {
        if (mine.size() > 700 || (i % 3 == 0 && !mine.empty())) {
          table.drop(mine.back());
          mine.pop_back();
          continue;
        }
        mine.push_back(table.make());
        mine.back()->object = &object;
      }
      for (detail::root_slot* root : mine) table.drop(root);
      --running;
    });
  std::size_t wrong = 0;
  while (running != 0) table.for_each([&](void* seen) { wrong += seen != &object; });
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(table.in_use() == 0);
  CHECK(held_by(table).empty());
}

TEST_CASE("roots: without memory there is no slot, and what there was stays") {
  root_table table;
  std::size_t made = 0;
  static int object;
  {
    const failing_system none(0);
    while (detail::root_slot* root = table.make()) {
      root->object = &object;
      ++made;
    }
  }
  CHECK(held_by(table).size() == made);
  CHECK(table.make() != nullptr);
}

TEST_CASE("roots: handles that are left are told by the place that made them") {
  struct node {
    umber::field<node> next;
  };
  const auto end = death_of([] {
    heap_options options;
    options.track_handles = true;
    auto* left = new std::vector<persistent<node>>;
    umber::heap heap(options);
    const umber::mutator attached(heap);
    const auto object = make<node>();
    const auto keep_one = [&]() __attribute__((noinline)) { left->push_back(object); };  // one place, unrolled or not
    for (int i = 0; i < 3; ++i) keep_one();
    const persistent<node> gone(object);
    left->emplace_back() = object;
    static_cast<void>(new persistent<node>(object));
  });
  INFO(end.output);
  CHECK(end.aborted());
  CHECK(end.lines() == 4);
  CHECK(end.says("umber: ~heap: 3 handles were made at roots_test+0x"));
  CHECK(end.says("umber: ~heap: 1 handle was made at roots_test+0x"));
  CHECK(end.says("umber: ~heap(): still has persistent or weak handles\n"));
}

TEST_CASE("roots: without tracking places are not known, and the message says how to know them") {
  const auto end = death_of([] {
    umber::heap heap;
    const umber::mutator attached(heap);
    new persistent<char>(make<char>());
  });
  CHECK(end.lines() == 1);
  CHECK(end.says("UMBER_GC_CHECK=handles"));
}

}  // namespace umber::testing

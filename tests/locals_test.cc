#include "gc/locals.h"

#include "alloc/metadata.h"

#include "gc_testing.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <random>
#include <set>
#include <vector>

namespace umber::testing {
namespace {

using namespace gc;

struct node {
  field<node> next;
};

std::multiset<const void*> seen(const gc::mutator& m) {
  std::multiset<const void*> objects;
  m.locals.for_each([&](void* const* slot) { objects.insert(*slot); });
  return objects;
}

local<node> make_after_others(int depth) {
  const local<node> before = make<node>();
  local<node> result = depth == 0 ? make<node>() : make_after_others(depth - 1);
  result->next = before;
  return result;
}

}  // namespace

TEST_CASE("locals: each has a slot of its own, also where chunks meet [locals.1]") {
  const test_heap t;
  const local<node> one = make<node>();
  std::vector<std::unique_ptr<local<node>>> many;
  for (std::size_t i = 0; i < 3 * local_chunk::capacity; ++i) {
    many.push_back(std::make_unique<local<node>>(one));
    REQUIRE(seen(t.m).size() == i + 2);
  }
  while (!many.empty()) {
    many.pop_back();
    REQUIRE(seen(t.m).size() == many.size() + 1);
  }
}

TEST_CASE("locals: a null one is not visited, and one that is assigned holds the new object") {
  const test_heap t;
  local<node> a;
  CHECK(seen(t.m).empty());
  const local<node> b = make<node>();
  a = b;
  CHECK(seen(t.m).count(b.get()) == 2);
  a = nullptr;
  CHECK(seen(t.m).count(b.get()) == 1);
}

TEST_CASE("locals: functions that return them need no more slots than there are locals [locals.2]") {
  const test_heap t;
  for (int i = 0; i < 100; ++i) {
    const local<node> made = make_after_others(200);
    REQUIRE(seen(t.m).size() == 1);
  }
  CHECK(t.m.locals.are_empty());
  CHECK(t.m.locals.capacity() == local_chunk::capacity);
}

TEST_CASE("locals: what is free is taken again, the lowest first once it was sorted [locals.3]") {
  const test_heap t;
  const local<node> one = make<node>();
  std::vector<std::unique_ptr<local<node>>> many;
  for (std::size_t i = 0; i < 5 * local_chunk::capacity; ++i) many.push_back(std::make_unique<local<node>>(one));
  const std::size_t most = t.m.locals.capacity();
  CHECK(most >= many.size() + 1);
  many.resize(300);
  t.m.scan_handles();
  static_cast<void>(drop_all_work(t.h));
  t.m.contributed = false;
  CHECK(t.m.locals.capacity() == local_chunk::capacity);
  CHECK(seen(t.m).size() == 301);
  while (many.size() < 5 * local_chunk::capacity) many.push_back(std::make_unique<local<node>>(one));
  CHECK(t.m.locals.capacity() == most);
  CHECK(seen(t.m).size() == many.size() + 1);
}

TEST_CASE("locals: made and destroyed in random order, each holds what it should [locals.1] [locals.2]") {
  const test_heap t;
  const unsigned seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  std::vector<std::unique_ptr<local<node>>> locals;
  std::vector<local<node>> objects(5, local<node>());
  for (auto& each : objects) each = make<node>();
  const std::size_t always = seen(t.m).size();
  for (int step = 0; step < 20000; ++step) {
    const bool grows = random() % 1000 < (step / 4000 % 2 == 0 ? 550 : 450);
    if (grows || locals.empty()) {
      node* object = random() % 8 == 0 ? nullptr : objects[random() % objects.size()].get();
      locals.push_back(std::make_unique<local<node>>(object));
    } else {
      std::swap(locals[random() % locals.size()], locals.back());
      if (random() % 2 == 0) locals.pop_back();
    }
    if (step % 500 == 0) {
      for (auto& each : objects) locals.push_back(std::make_unique<local<node>>(each));
      std::multiset<const void*> expected;
      for (const auto& each : locals)
        if (*each) expected.insert(each->get());
      for (const auto& each : objects) expected.insert(each.get());
      REQUIRE(seen(t.m) == expected);
      if (random() % 2 == 0) t.m.locals.sort(t.m);
      REQUIRE(seen(t.m) == expected);
    }
  }
  std::shuffle(locals.begin(), locals.end(), random);
  locals.clear();
  CHECK(seen(t.m).size() == always);
}

TEST_CASE("locals: a queue of them, destroyed oldest first, needs no more slots than it has locals") {
  const test_heap t;
  std::deque<std::unique_ptr<local<node>>> queue;
  const local<node> one = make<node>();
  for (int i = 0; i < 700; ++i) queue.push_back(std::make_unique<local<node>>(one));
  for (int i = 0; i < 200000; ++i) {
    queue.push_back(std::make_unique<local<node>>(one));
    queue.pop_front();
  }
  CHECK(seen(t.m).size() == queue.size() + 1);
  CHECK(t.m.locals.capacity() == 2 * local_chunk::capacity);
  queue.clear();
  CHECK(seen(t.m).size() == 1);
}

TEST_CASE("locals: chunks are used again by the next thread's mutator") {
  umber::heap heap(never_by_itself());
  std::size_t bytes = 0;
  for (int i = 0; i < 3; ++i) {
    const umber::mutator attached(heap);
    const gc::mutator& m = this_mutator();
    CHECK(m.locals.are_empty());
    std::vector<local<node>> many(5000);
    for (auto& each : many) each = make<node>();
    CHECK(seen(m).size() == many.size());
    many.clear();
    if (i == 0) bytes = metadata::bytes();
    CHECK(metadata::bytes() == bytes);
  }
}

}  // namespace umber::testing

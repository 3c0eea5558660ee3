#include "gc/shadow.h"

#include "testing.h"

#include <umber/umber.h>

#include <cstring>
#include <memory>
#include <thread>

namespace umber::gc {
namespace {

using testing::death_of;

struct node {
  umber::field<node> left, right;
  std::uint64_t number = 0;
};

// Says that it has one field, and has two.
class forgetful {
 public:
  umber::field<node> told;
  umber::field<node> untold;
  static constexpr auto pointers = umber::pointers(&forgetful::told);
};

heap_options checked() {
  heap_options options;
  options.percent = heap_options::off;
  options.check_barriers = true;
  return options;
}

// Deaths come first: the child of a process that has had a heap may have none.

TEST_CASE("shadow: a store around the barrier is named with its field, what it holds and what it should") {
  const auto end = death_of([] {
    umber::heap heap(checked());
    const umber::mutator attached(heap);
    const auto root = make<node>(), first = make<node>(), second = make<node>();
    std::thread([&] {
      for (;;) heap.collect();
    }).detach();
    for (std::uint64_t i = 0;; ++i) {
      const void* const raw = i % 2 == 0 ? first.get() : second.get();
      char* const place = reinterpret_cast<char*>(root.get()) + 8;
      if (thread_sanitized)  // which would call it what it is: a race
        reinterpret_cast<std::atomic<const void*>*>(place)->store(raw, std::memory_order_relaxed);
      else
        std::memcpy(place, &raw, sizeof raw);
      safepoint();
    }
  });
  INFO(end.output);
  CHECK(end.aborted());
  CHECK(end.says("umber: barrier check: +8 in a "));
  CHECK(end.says("node at 0x"));
  CHECK(end.says(" holds 0x"));
  CHECK(end.says(" and should hold 0x"));
  CHECK(end.says(": a store went around the write barrier\n"));
}

TEST_CASE("shadow: a field that its type does not declare is named at the first store") {
  const auto end = death_of([] {
    umber::heap heap(checked());
    const umber::mutator attached(heap);
    const auto object = make<forgetful>();
    object->told = make<node>();
    object->untold = object->told;
  });
  INFO(end.output);
  CHECK(end.aborted());
  CHECK(end.lines() == 1);
  CHECK(end.says(", +8 in a "));
  CHECK(end.says("::forgetful at 0x"));
  CHECK(end.says(": the type declares no field there\n"));
}

TEST_CASE("shadow: a field outside of the heap is named") {
  const auto end = death_of([] {
    umber::heap heap(checked());
    const umber::mutator attached(heap);
    const auto outside = std::make_unique<node>();
    outside->left = make<node>();
  });
  INFO(end.output);
  CHECK(end.aborted());
  CHECK(end.says("which is in no managed object: what a field holds there is not kept alive\n"));
}

TEST_CASE("shadow: an object of another heap is named") {
  const auto end = death_of([] {
    umber::heap first(checked()), second(checked());
    node* stranger = nullptr;
    {
      const umber::mutator attached(first);
      stranger = make<node>().get();
    }
    const umber::mutator attached(second);
    const auto object = make<node>();
    object->left = stranger;
  });
  INFO(end.output);
  CHECK(end.aborted());
  CHECK(end.says(", which is an object of another heap\n"));
}

TEST_CASE("shadow: what is no object is named when it is stored") {
  const auto end = death_of([] {
    umber::heap heap(checked());
    const umber::mutator attached(heap);
    node on_the_stack;
    const auto object = make<node>();
    object->left = &on_the_stack;
  });
  INFO(end.output);
  CHECK(end.aborted());
  CHECK(end.says(", which is no managed object\n"));
}

TEST_CASE("shadow: no correct program is accused [shadow.1]") {
  umber::heap heap(checked());
  const umber::mutator attached(heap);
  constexpr std::size_t length = 20000;  // with pages of its own
  persistent<array<umber::field<node>>> shared(make_array<umber::field<node>>(length));
  std::atomic<bool> ended = false;
  const auto use = [&](std::uint64_t seed) {
    const umber::mutator attached_too(heap);
    std::minstd_rand random(static_cast<std::minstd_rand::result_type>(seed));
    while (!ended) {
      auto& place = shared[0][random() % length];
      const auto fresh = make<node>();
      fresh->left = place;
      if (random() % 4 == 0) fresh->left = nullptr;
      node* expected = place;
      switch (random() % 3) {
        case 0:
          place = fresh;
          break;
        case 1:
          place.compare_exchange(expected, fresh);
          break;
        default: {
          node copy = *fresh;
          std::swap(copy.left, copy.right);
          *fresh = copy;
          fresh->right = place.exchange(nullptr);
        }
      }
      safepoint();
    }
  };
  std::thread first(use, 1), second(use, 2);
  for (int i = 0; i < 20; ++i) heap.collect();
  ended = true;
  const umber::blocking waits;
  first.join();
  second.join();
}

TEST_CASE("shadow: objects of many pages are known on each of them") {
  umber::heap heap(checked());
  const umber::mutator attached(heap);
  const auto many = make_array<umber::field<node>>(20000);
  const auto one = make<node>();
  for (umber::field<node>& place : *many) place = one;
  heap.collect();
  CHECK((*many)[19999] == one);
}

}  // namespace
}  // namespace umber::gc

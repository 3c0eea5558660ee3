#include "gc/weak.h"

#include "cycle_by_hand.h"
#include "gc_testing.h"

namespace umber::testing {
namespace {

using namespace gc;

struct node {
  field<node> next;
  weak_field<node> friend_of;
  std::uint64_t number = 0;
};

}  // namespace

TEST_CASE("weak: a reference gives its object while something else holds it, and null afterwards") {
  test_heap t;
  weak<node> reference;
  CHECK(reference.lock() == nullptr);
  {
    const local<node> object = make<node>();
    object->number = 5;
    reference = object.get();
    t.heap.collect();
    CHECK(reference.lock() == object.get());
    CHECK(reference.lock()->number == 5);
  }
  t.heap.collect();
  CHECK(reference.lock() == nullptr);
  reference = nullptr;
  CHECK(reference.lock() == nullptr);
}

TEST_CASE("weak: it takes what a field or a local holds, and so does a persistent handle") {
  test_heap t;
  const local<node> first = make<node>();
  first->next = make<node>();
  persistent<node> held(first->next);
  weak<node> seen(first->next);
  CHECK(held.get() == first->next.get());
  CHECK(seen.lock() == first->next.get());
  held = first;
  seen = first;
  CHECK(held.get() == first.get());
  CHECK(seen.lock() == first.get());
  held = first->next;
  seen = first->next;
  CHECK(held.get() == first->next.get());
  CHECK(seen.lock() == first->next.get());
}

TEST_CASE("weak: handles of const objects hold them, or see them go, as others do") {
  test_heap t;
  persistent<const node> held;
  weak<const node> seen;
  {
    const local<node> object = make<node>();
    object->number = 3;
    object->friend_of = object.get();
    const local<const node> same(object.get());
    held = same;
    seen = same;
  }
  t.heap.collect();
  REQUIRE(seen.lock() == held.get());
  CHECK(held->number == 3);
  CHECK(held->friend_of.lock() == held.get());
  held = nullptr;
  t.heap.collect();
  CHECK(seen.lock() == nullptr);
}

TEST_CASE("weak: what was locked is held, and its whole graph with it") {
  test_heap t;
  weak<node> reference;
  {
    const local<node> object = make<node>();
    object->next = make<node>();
    object->next->number = 9;
    reference = object.get();
  }
  const local<node> held = reference.lock();
  REQUIRE(held != nullptr);
  t.heap.collect();
  CHECK(held->next->number == 9);
  CHECK(reference.lock() == held.get());
}

TEST_CASE("weak: a field of an object refers weakly, and lives with the object") {
  test_heap t;
  const local<node> holder = make<node>();
  {
    const local<node> object = make<node>();
    holder->friend_of = object.get();
    t.heap.collect();
    CHECK(holder->friend_of.lock() == object.get());
  }
  t.heap.collect();
  CHECK(holder->friend_of.lock() == nullptr);
  holder->friend_of = holder.get();
  t.heap.collect();
  CHECK(holder->friend_of.lock() == holder.get());
}

TEST_CASE("weak: many references are cleared exactly where their object is gone") {
  test_heap t;
  std::vector<std::unique_ptr<weak<node>>> references;
  std::vector<local<node>> kept;
  for (std::size_t i = 0; i < 5000; ++i) {
    const local<node> object = make<node>();
    references.push_back(std::make_unique<weak<node>>(object));
    if (i % 3 == 0) kept.emplace_back(object);
  }
  t.heap.collect();
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < references.size(); ++i)
    wrong += references[i]->lock().get() != (i % 3 == 0 ? kept[i / 3].get() : nullptr);
  CHECK(wrong == 0);
}

TEST_CASE("weak: the boxes of references that are gone are freed") {
  test_heap t;
  const local<node> object = make<node>();
  for (int i = 0; i < 1000; ++i) {
    const weak<node> reference(object);
  }
  t.heap.collect();
  CHECK(t.heap.statistics().marked_objects <= 2);
}

TEST_CASE("weak: a load that waits for the verdict is counted as such, without the answers given meanwhile") {
  test_heap t;
  const local<node> holder = make<node>(), object = make<node>();
  holder->friend_of = object;
  const as_while_marking marking(t.m);
  t.h.weak_verdict = verdict::closing;
  std::thread deciding([&] {
    ask_all(t.h, question::settle);  // answered by who waits
    t.h.weak_verdict = verdict::decided;
  });
  CHECK(holder->friend_of.lock() == nullptr);
  deciding.join();
  const heap_statistics figures = t.heap.statistics();
  CHECK(figures.stalls[static_cast<std::size_t>(stall_cause::wait)].count == 1);
  CHECK(figures.stalls[static_cast<std::size_t>(stall_cause::handshake)].count == 1);
  t.h.weak_verdict = verdict::cleared;
}

TEST_CASE("weak: a load during marking is whole, whenever it comes [weak.1]") {
  test_heap t;
  const local<node> holder = make<node>();
  std::atomic<bool> over{false};
  std::thread collecting([&] {
    while (!over) t.heap.collect();
  });
  std::size_t gone = 0, lost = 0;
  std::vector<local<node>> held;
  for (std::uint64_t i = 0; i < 30'000; ++i) {
    {
      const local<node> object = make<node>();
      object->number = i;
      object->next = make<node>();
      object->next->number = i + 1;
      holder->friend_of = object.get();
      if (holder->friend_of.lock() == nullptr) ++lost;
    }
    for (int wait = static_cast<int>(i % 7); wait > 0; --wait) safepoint();
    const local<node> locked = holder->friend_of.lock();
    if (locked == nullptr) {
      ++gone;
      continue;
    }
    safepoint();
    if (locked->number != i || locked->next->number != i + 1) FAIL("object " << i);
    if (i % 100 == 0) held.emplace_back(locked);
  }
  over = true;
  {
    const blocking waiting;
    collecting.join();
  }
  CHECK(lost == 0);
  for (const local<node>& object : held)
    if (object->next->number != object->number + 1) FAIL("object " << object->number);
  CHECK(held.size() + gone > 0);
}

TEST_CASE("weak: between any two steps of a cycle a load gives the whole object, or null once it is decided [weak.1]") {
  test_heap t;
  for (int loaded_after = 0; loaded_after < 60; ++loaded_after) {
    INFO("loaded after " << loaded_after << " steps of marking");
    std::vector<local<node>> others;
    for (int i = 0; i < 40; ++i) others.emplace_back(make<node>());
    weak<node> loaded, forgotten;
    {
      const local<node> one = make<node>(), two = make<node>();
      one->next = make<node>();
      one->next->number = 9;
      loaded = one.get();
      forgotten = two.get();
    }
    cycle_by_hand cycle(t.h);
    cycle.start();
    for (int i = 0; i < loaded_after; ++i) static_cast<void>(cycle.mark(1));
    const local<node> held = loaded.lock();
    REQUIRE(held != nullptr);
    while (!cycle.flush_round()) continue;
    CHECK(forgotten.lock() == nullptr);
    CHECK(loaded.lock() == held.get());
    cycle.end_marking();
    do {
      CHECK(loaded.lock() == held.get());
      CHECK(forgotten.lock() == nullptr);
      CHECK(held->next->number == 9);
      static_cast<void>(make<node>());
    } while (cycle.sweep(1));
  }
}

TEST_CASE("weak: a living object is never taken for dead while others sweep [weak.1]") {
  test_heap t;
  std::vector<std::unique_ptr<other_thread>> threads;
  std::atomic<bool> over{false};
  std::atomic<std::size_t> lost{0};
  for (int i = 0; i < 3; ++i) {
    threads.push_back(std::make_unique<other_thread>(t.heap));
    threads.back()->start([&] {
      const local<node> object = make<node>();
      const weak<node> reference(object);
      while (!over) {
        static_cast<void>(make<node>());
        lost += reference.lock() != object.get();
      }
    });
  }
  for (int i = 0; i < 20; ++i) t.heap.collect();
  over = true;
  {
    const blocking waiting;
    threads.clear();
  }
  CHECK(lost == 0);
}

}  // namespace umber::testing

#include "gc/cycle.h"

#include "cycle_by_hand.h"
#include "gc_testing.h"

#include <array>
#include <bit>
#include <new>

namespace umber::testing {
namespace {

using namespace gc;

struct node {
  field<node> next, other;
  std::uint64_t number = 0;
};
struct value {
  value() : number(0) {}
  std::atomic<bool> is_node = false;
  union {
    std::atomic<double> number;
    field<node> object;
  };
  void become(double n) {
    object = nullptr;
    is_node = false;
    number = n;
  }
  void become(node* n) {
    number = 0;
    is_node = true;
    object = n;
  }
  void trace(visitor& visit) const {
    if (is_node) visit.overlaid(object);
  }
};
struct values {
  std::array<value, 64> all;
  void trace(visitor& visit) const { visit(all); }
};
struct failure {};
struct throws_at_three {
  field<node> next;
  static inline std::atomic<int> made{0}, gone{0};
  throws_at_three() {
    if (++made % 3 == 0) throw failure{};
  }
  ~throws_at_three() { ++gone; }
  static constexpr auto pointers = umber::pointers(&throws_at_three::next);
};
struct collects {
  field<node> first, second;
  explicit collects(umber::heap& heap) {
    first = make<node>();
    first->number = 1;
    heap.collect();
    second = make<node>();
    second->number = 2;
    heap.collect();
  }
  static constexpr auto pointers = umber::pointers(&collects::first, &collects::second);
};

local<node> make_list(std::uint64_t length) {
  local<node> list;
  for (std::uint64_t i = 0; i < length; ++i) {
    const local<node> fresh = make<node>();
    fresh->number = i;
    fresh->next = list;
    list = fresh;
  }
  return list;
}
bool intact(const node* list, std::uint64_t length) {
  for (; list != nullptr && length > 0; list = list->next)
    if (list->number != --length) return false;
  return list == nullptr && length == 0;
}

// A thread that collects all the time.
class collecting {
 public:
  explicit collecting(umber::heap& heap)
      : thread_([this, &heap] {
          while (!over_) heap.collect();
        }) {}
  ~collecting() {
    over_ = true;
    const blocking waiting;
    thread_.join();
  }
  collecting(const collecting&) = delete;
  collecting& operator=(const collecting&) = delete;

 private:
  std::atomic<bool> over_{false};
  std::thread thread_;
};

// What is lost is named before its slot is used again.
heap_options checked() {
  heap_options options = never_by_itself();
  options.check_marks = true;
  return options;
}

constexpr barrier every_kind[] = {barrier::hybrid, barrier::deletion, barrier::insertion, barrier::stop_the_world};

heap_options options_of(barrier kind, unsigned workers) {
  heap_options options = never_by_itself();
  options.kind = kind;
  options.workers = workers;
  return options;
}

}  // namespace

TEST_CASE("cycle: what is a number and a node by turns keeps its node, and no number is taken for one") {
  heap_options options;
  options.minimum = 1 << 20;
  test_heap t(options);
  const local<values> held = make<values>();
  const std::uint64_t seed = new_seed();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  std::size_t wrong = 0;
  while (t.h.cycles < 50) {
    value& v = held->all[random() % held->all.size()];
    if (v.is_node) {
      wrong += v.object->number != 42 + (v.object->other.get() != v.object.get());
      v.become(std::bit_cast<double>(address_of(v.object.get()) + random() % 64 * 8));
    } else {
      const local<node> fresh = make<node>();
      fresh->number = 42;
      fresh->other = fresh;
      v.become(fresh);
    }
    safepoint();
  }
  CHECK(wrong == 0);
}

TEST_CASE("cycle: what handles, fields and persistents reach lives, and the rest is freed [cycle.1]") {
  for (const barrier kind : every_kind) {
    test_heap t(options_of(kind, 1));
    const local<node> list = make_list(1000);
    const persistent<node> kept = make_list(500);
    static_cast<void>(make_list(10'000));
    t.heap.collect();
    CHECK(t.heap.statistics().marked_objects == 1500);
    CHECK(intact(list, 1000));
    CHECK(intact(kept, 500));
  }
}

TEST_CASE("cycle: a graph that changes while it is marked is marked whole [cycle.1]") {
  for (const barrier kind : every_kind)
    for (const unsigned workers : {1U, 3U}) {
      INFO("collector " << static_cast<int>(kind) << ", workers " << workers);
      test_heap t(options_of(kind, workers));
      constexpr std::uint64_t length = 5000;
      const local<node> one = make<node>(), two = make<node>();
      one->next = make_list(length);
      const collecting others(t.heap);
      for (int i = 0; i < 3000; ++i) {
        // The list hangs now here, now there, and in between on nothing but a pointer.
        node* list = one->next.get();
        node* tail = list->next.get();
        list->next = nullptr;
        one->next = nullptr;
        list->next = tail;
        two->next = list;
        safepoint();
        one->next = two->next.get();
        two->next = nullptr;
        static_cast<void>(make<node>());
        if (i % 500 == 0) REQUIRE(intact(one->next.get(), length));
      }
      REQUIRE(intact(one->next.get(), length));
    }
}

TEST_CASE("cycle: a store between any two steps of marking loses nothing [cycle.1]") {
  test_heap t(checked());
  constexpr std::uint64_t length = 300;
  bool is_marking = true;
  for (int after = 0; is_marking; ++after) {
    INFO("the store comes after " << after << " steps");
    const local<node> from = make<node>(), to = make<node>();
    from->next = make_list(length);
    cycle_by_hand cycle(t.h);
    cycle.start();
    for (int i = 0; i < after && is_marking; ++i) is_marking = cycle.mark(8);
    // What hangs on the first of the list hangs on handles alone, which have been looked at before.
    const local<node> rest = from->next->next.get();
    from->next->next = nullptr;
    cycle.finish();
    to->next = rest;
    t.heap.collect();
    REQUIRE(intact(to->next.get(), length - 1));
  }
}

TEST_CASE("cycle: objects that are made between any two steps of a cycle survive it") {
  test_heap t;
  const local<node> old = make_list(2000);
  std::vector<local<node>> lists;
  std::vector<local<array<field<node>>>> large;
  const auto make_some = [&] {
    lists.push_back(make_list(30));
    if (lists.size() % 16 != 0) return;
    large.push_back(make_array<field<node>>(5000));
    (*large.back())[4999] = make_list(10);
  };
  cycle_by_hand cycle(t.h);
  cycle.start();
  while (cycle.mark(40)) make_some();
  CHECK(lists.size() > 30);
  for (int i = 0; i < 3; ++i) {
    make_some();
    if (cycle.flush_round()) break;
  }
  make_some();
  cycle.end_marking();
  static_cast<void>(make_list(5000));
  while (cycle.sweep(1)) make_some();
  t.heap.collect();
  CHECK(intact(old, 2000));
  for (const local<node>& list : lists) REQUIRE(intact(list, 30));
  for (const auto& all : large) REQUIRE(intact((*all)[4999].get(), 10));
}

TEST_CASE("cycle: what has a mark outlives each step of the sweep, and what has none is freed by the last") {
  test_heap t(checked());
  std::vector<local<node>> kept;
  for (int i = 0; i < 40; ++i) {
    kept.push_back(make_list(5));
    static_cast<void>(make_list(500));
  }
  cycle_by_hand cycle(t.h);
  cycle.start();
  cycle.end_marking();
  std::size_t steps = 0;
  while (cycle.sweep(1)) {
    ++steps;
    static_cast<void>(make_list(20));
    for (const local<node>& list : kept) REQUIRE(intact(list, 5));
  }
  CHECK(steps > 20);
  t.heap.collect();
  CHECK(t.heap.statistics().marked_objects == 40 * 5);
  for (const local<node>& list : kept) REQUIRE(intact(list, 5));
}

TEST_CASE("cycle: a constructor that throws leaves nothing, and no destructor runs") {
  test_heap t;
  throws_at_three::made = throws_at_three::gone = 0;
  int thrown = 0;
  for (int i = 0; i < 300; ++i) {
    try {
      static_cast<void>(make<throws_at_three>());
    } catch (const failure&) {
      ++thrown;
    }
  }
  t.heap.collect();
  CHECK(thrown == 100);
  CHECK(throws_at_three::gone == 200);
  CHECK(t.heap.statistics().marked_objects == 0);
}

TEST_CASE("cycle: a constructor may collect, and its object is held meanwhile") {
  test_heap t;
  const local<collects> made = make<collects>(t.heap);
  t.heap.collect();
  CHECK(made->first->number == 1);
  CHECK(made->second->number == 2);
}

TEST_CASE("cycle: handles are destroyed in any order, and hold until then") {
  const std::uint64_t seed = new_seed();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  test_heap t;
  std::vector<std::unique_ptr<local<node>>> handles;
  for (std::uint64_t i = 0; i < 100; ++i) {
    handles.push_back(std::make_unique<local<node>>(make<node>()));
    (*handles.back())->number = i;
  }
  while (!handles.empty()) {
    std::swap(handles[random() % handles.size()], handles.back());
    handles.pop_back();
    t.heap.collect();
    REQUIRE(t.heap.statistics().marked_objects == handles.size());
  }
}

TEST_CASE("cycle: a thread that waits in `blocking` holds up no cycle, and finds its objects") {
  test_heap t;
  other_thread other(t.heap);
  std::atomic<bool> waits{false}, over{false}, whole{false};
  other.start([&] {
    const local<node> list = make_list(1000);
    {
      const blocking waiting;
      waits = true;
      while (!over) std::this_thread::yield();
    }
    whole = intact(list, 1000);
  });
  while (!waits) safepoint();
  for (int i = 0; i < 20; ++i) t.heap.collect();
  CHECK(t.heap.statistics().marked_objects == 1000);
  over = true;
  other.wait();
  CHECK(whole);
}

TEST_CASE("cycle: threads attach and detach in the middle of cycles, and lose nothing they hand on") {
  test_heap t;
  persistent<node> handed_on = make_list(100);
  const collecting others(t.heap);
  for (int turn = 0; turn < 300; ++turn) {
    std::atomic<bool> whole{false};
    std::thread other([&] {
      const umber::mutator attached(t.heap);
      const local<node> list = handed_on.get();
      whole = intact(list, 100);
      handed_on = make_list(100);
    });
    {
      const blocking waiting;
      other.join();
    }
    REQUIRE(whole);
  }
  CHECK(intact(handed_on, 100));
}

TEST_CASE("cycle: an edge that only a thread without handles knew of is recorded as it detaches [cycle.1]") {
  test_heap t(checked());
  const local<node> one = make<node>(), other = make<node>();
  one->next = make_list(20);
  for (int turn = 0; turn < 60; ++turn) {
    INFO("in turn " << turn);
    // There and back after as many steps: whichever of the two is looked at first.
    node& from = turn % 2 == 0 ? *one : *other;
    node& to = turn % 2 == 0 ? *other : *one;
    cycle_by_hand cycle(t.h);
    cycle.start();
    for (int i = 0; i < turn / 2; ++i) static_cast<void>(cycle.mark(1));
    std::thread([&] {
      const umber::mutator attached(t.heap);
      to.next = from.next.get();
      from.next = nullptr;
    }).join();
    cycle.finish();
    REQUIRE(intact(to.next.get(), 20));
  }
}

TEST_CASE("cycle: a heap collects by itself as it grows, and not below its minimum") {
  heap_options options;
  options.minimum = 1 << 20;
  test_heap t(options);
  for (int i = 0; i < 10'000; ++i) static_cast<void>(make<node>());
  CHECK(t.heap.statistics().cycles == 0);
  // As much as it takes on a machine that has other things to do.
  for (int i = 0; i < 100'000 && t.heap.statistics().cycles <= 5; ++i)
    for (int j = 0; j < 1000; ++j) static_cast<void>(make<node>());
  CHECK(t.heap.statistics().cycles > 5);
  t.heap.collect();
  CHECK(t.heap.statistics().heap_bytes < 1 << 20);
}

TEST_CASE("cycle: torture collects at every allocation, and what is held survives") {
  heap_options options = never_by_itself();
  options.torture = 1;
  test_heap t(options);
  const std::uint64_t before = t.heap.statistics().cycles;
  const local<node> list = make_list(50);
  CHECK(t.heap.statistics().cycles >= before + 50);
  CHECK(intact(list, 50));
}

}  // namespace umber::testing

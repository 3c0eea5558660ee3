// What may change while a heap is in use: the environment's and the program's options, by `set_...`.
#include "gc_testing.h"

#include <umber/umber_c.h>

#include <chrono>

namespace umber::testing {
namespace {

struct link {
  field<link> next;
  std::uint64_t number = 0;
};

local<link> make_list(std::size_t length) {
  local<link> first;
  for (std::size_t i = 0; i < length; ++i) {
    const local<link> fresh = make<link>();
    fresh->next = first.get();
    fresh->number = i;
    first = fresh.get();
  }
  return first;
}

bool intact(const link* first, std::size_t length) {
  for (; first != nullptr; first = first->next)
    if (first->number != --length) return false;
  return length == 0;
}

// Whether it comes to pass, in time; this thread waits meanwhile.
template <class Condition>
bool comes(Condition condition) {
  const blocking waits;
  for (int i = 0; i < 3000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

constexpr barrier every_kind[] = {barrier::hybrid, barrier::deletion, barrier::insertion, barrier::stop_the_world};

// Sets everything in turn while it lives.
class restless {
 public:
  explicit restless(umber::heap& h)
      : thread_([this, &h] {
          for (std::size_t i = 0; !over_; ++i) {
            h.set_kind(every_kind[i % 4]);
            h.set_percent(i % 3 == 0 ? heap_options::off : 20 + i % 200);
            h.set_minimum(i % 2 == 0 ? 64 * kib : mib);
            h.set_limit(i % 5 == 0 ? mib : heap_options::by_environment);
            std::this_thread::sleep_for(std::chrono::microseconds(300));
          }
        }) {}
  ~restless() {
    over_ = true;
    const blocking waits;
    thread_.join();
  }
  restless(const restless&) = delete;
  restless& operator=(const restless&) = delete;

 private:
  std::atomic<bool> over_{false};
  std::thread thread_;
};

}  // namespace

TEST_CASE("tuning: a heap whose collection was off collects when it is turned on, and what it has grown to counts") {
  test_heap t;
  static_cast<void>(make_list(400'000));
  REQUIRE(t.heap.statistics().cycles == 0);
  REQUIRE(t.heap.statistics().goal_bytes == SIZE_MAX);
  t.heap.set_percent(100);
  CHECK(comes([&] { return t.heap.statistics().cycles == 1; }));
  CHECK(t.heap.statistics().percent == 100);
  CHECK(t.heap.statistics().goal_bytes < 16 * mib);
  t.heap.set_percent(heap_options::off);
  CHECK(comes([&] { return t.heap.statistics().goal_bytes == SIZE_MAX; }));
  t.heap.set_percent(heap_options::by_environment);
  CHECK(t.heap.statistics().percent == 100);
}

TEST_CASE("tuning: a lower limit collects a heap that is beyond it, a higher one lets it grow") {
  test_heap t;
  static_cast<void>(make_list(400'000));
  t.heap.set_limit(4 * mib);
  CHECK(comes([&] { return t.heap.statistics().cycles == 1; }));
  CHECK(t.heap.statistics().limit == 4 * mib);
  CHECK(t.heap.statistics().goal_bytes <= 4 * mib);
  t.heap.set_limit(40 * mib);
  CHECK(comes([&] { return t.heap.statistics().goal_bytes > 30 * mib; }));
}

TEST_CASE("tuning: a minimum holds for a heap in use") {
  heap_options options;
  options.limit = heap_options::off;
  test_heap t(options);
  t.heap.set_minimum(64 * mib);
  REQUIRE(comes([&] { return t.heap.statistics().goal_bytes > 64 * mib; }));
  static_cast<void>(make_list(400'000));
  CHECK(t.heap.statistics().cycles == 0);
  t.heap.set_minimum(mib);
  CHECK(comes([&] { return t.heap.statistics().cycles >= 1; }));
}

TEST_CASE("tuning: a hard limit holds at once, and no more when it is lifted") {
  test_heap t;
  t.heap.set_hard_limit(mib);
  CHECK_THROWS_AS(make_array<field<link>>(mib / 4), std::bad_alloc);
  t.heap.set_hard_limit(heap_options::off);
  CHECK(make_array<field<link>>(mib / 4) != nullptr);
}

TEST_CASE("tuning: the next cycle is of the kind that was set, for all that are attached") {
  test_heap t;
  other_thread beside(t.heap);
  const local<link> kept = make_list(1000);
  for (const barrier before : every_kind)
    for (const barrier after : every_kind) {
      for (const barrier kind : {before, after}) {
        t.heap.set_kind(kind);
        std::atomic<bool> over{false};
        beside.start([&] {
          while (!over) safepoint();
        });
        t.heap.collect();
        over = true;
        beside.wait();
        REQUIRE(t.h.kind == kind);
        REQUIRE(t.m.kind == kind);
        REQUIRE(beside.mutator().kind == kind);
      }
      REQUIRE(intact(kept.get(), 1000));
    }
  beside.end();
  t.heap.set_kind(barrier::by_environment);
  t.heap.collect();
  CHECK(t.h.kind == barrier::hybrid);
}

TEST_CASE("tuning: threads keep what they hold while everything is set in turn, and each cycle checks its marks") {
  heap_options options;
  options.minimum = 64 * kib;
  options.workers = 2;
  options.check_marks = true;
  test_heap t(options);
  std::atomic<bool> all_intact{true};
  {
    const restless setter(t.heap);
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i)
      threads.emplace_back([&] {
        const mutator attached(t.heap);
        const local<array<field<link>>> kept = make_array<field<link>>(64);
        for (std::size_t step = 0; step < 2000 || (step < 200'000 && t.h.cycles.load() < 20); ++step) {
          field<link>& slot = (*kept)[step * 7 % 64];
          // What one field held another does, which a marker may have passed.
          (*kept)[step * 11 % 64] = slot.exchange(make_list(20).get());
        }
        for (const field<link>& slot : *kept)
          if (slot != nullptr && !intact(slot, 20)) all_intact = false;
      });
    const blocking waits;
    for (std::thread& thread : threads) thread.join();
  }
  CHECK(all_intact);
  CHECK(t.heap.statistics().cycles > 1);
}

TEST_CASE("tuning: C sets the same, and 0 is what the environment says") {
  umber_heap_options options{};
  options.size = sizeof(options);
  options.percent = SIZE_MAX;
  umber_heap* heap = umber_heap_create(&options);
  REQUIRE(heap != nullptr);
  const auto figures = [&] {
    umber_heap_stats stats;
    umber_get_heap_stats(heap, &stats, sizeof stats);
    return stats;
  };
  umber_heap_set_percent(heap, 33);
  CHECK(figures().percent == 33);
  umber_heap_set_percent(heap, 0);
  CHECK(figures().percent == 100);
  umber_heap_set_limit(heap, 12 * mib);
  CHECK(figures().limit == 12 * mib);
  umber_heap_set_minimum(heap, mib);
  umber_heap_set_kind(heap, UMBER_BARRIER_DELETION);
  umber_collect(heap);
  CHECK(figures().cycles >= 1);
  umber_heap_set_hard_limit(heap, mib);
  REQUIRE(umber_attach(heap) == 0);
  umber_type* type = umber_type_create("byte", 1, nullptr, 0, nullptr);
  CHECK(umber_new_array(type, 4 * mib) == nullptr);
  umber_heap_set_hard_limit(heap, 0);
  CHECK(umber_new_array(type, 4 * mib) != nullptr);
  umber_detach();
  umber_heap_destroy(heap);
}

}  // namespace umber::testing

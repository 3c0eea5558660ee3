#include "gc/request.h"

#include "gc_testing.h"

namespace umber::testing {
namespace {

using namespace gc;

struct counted {
  std::uint64_t number = 0;
  static inline std::atomic<int> gone{0};
  ~counted() { ++gone; }
};

}  // namespace

TEST_CASE("request: what was unreachable when it was called is gone when it returns [request.1]") {
  test_heap t;
  counted::gone = 0;
  for (int i = 1; i <= 200; ++i) {
    static_cast<void>(make<counted>());
    const std::uint32_t started = t.h.started;
    t.heap.collect();
    REQUIRE(counted::gone == i);
    REQUIRE(t.h.finished >= started + 1);
  }
}

TEST_CASE("request: each of many threads waits for a cycle that began after it asked [request.1]") {
  test_heap t;
  counted::gone = 0;
  std::atomic<int> made{0}, early{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i)
    threads.emplace_back([&] {
      const umber::mutator attached(t.heap);
      for (int turn = 0; turn < 100; ++turn) {
        const std::uint32_t started = t.h.started;
        static_cast<void>(make<counted>());
        ++made;
        t.heap.collect();
        early += static_cast<std::int32_t>(t.h.finished - started) < 1;
      }
    });
  {
    const blocking waiting;
    for (std::thread& thread : threads) thread.join();
  }
  CHECK(early == 0);
  t.heap.collect();
  CHECK(counted::gone == made);
}

TEST_CASE("request: a thread that is not attached may collect") {
  test_heap t;
  const std::uint64_t before = t.heap.statistics().cycles;
  std::atomic<bool> done{false};
  std::thread other([&] {
    t.heap.collect();
    done = true;
  });
  while (!done) safepoint();
  other.join();
  CHECK(t.heap.statistics().cycles > before);
}

TEST_CASE("request: to start a cycle is not to wait for it, and one at a time is enough") {
  test_heap t;
  const std::uint32_t before = t.h.wanted;
  // While this thread reaches no safepoint no cycle ends.
  start_cycle(t.h);
  while (t.h.started == before) std::this_thread::yield();
  for (int i = 0; i < 100; ++i) start_cycle(t.h);
  CHECK(t.h.wanted == before + 1);
  CHECK(t.h.finished == before);
  while (t.h.finished == before) safepoint();
  CHECK(t.h.started == before + 1);
}

TEST_CASE("request: two threads that collect each other's heaps do not wait for ever") {
  umber::heap one(never_by_itself()), two(never_by_itself());
  std::thread other([&] {
    const umber::mutator attached(two);
    for (int i = 0; i < 100; ++i) one.collect();
  });
  {
    const umber::mutator attached(one);
    for (int i = 0; i < 100; ++i) two.collect();
  }
  other.join();
  CHECK(one.statistics().cycles > 0);
  CHECK(two.statistics().cycles > 0);
}

}  // namespace umber::testing

#include "gc/watchdog.h"

#include "testing.h"

#include <umber/umber.h>

#include "alloc/os.h"

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace umber::gc {
namespace {

using testing::run_in_child;

constexpr std::uint64_t ms = 1'000'000;

// One who is looked at every 20 ms of the clock: what it used of them, and whether it was asleep all the time.
struct simulated {
  watched_thread thread;
  thread_look at{.round = 1};

  blame pass(std::uint64_t used, bool sleeps) {
    at.now += 20 * ms;
    at.cpu_ns += used;
    if (!sleeps || !at.sleeps) ++at.switches;
    at.sleeps = sleeps;
    return thread.look(at);
  }
};

TEST_CASE("watchdog: who does not get a processor is not blamed, however long") {
  simulated s;
  for (int i = 0; i < 1000; ++i) CHECK(s.pass(0, false) == blame::none);
}

TEST_CASE("watchdog: who computes is blamed after 100 ms of its own time, and not for what was before [watchdog.1]") {
  simulated s;
  s.at.cpu_ns = 5000 * ms;
  CHECK(s.pass(20 * ms, false) == blame::none);
  for (int i = 0; i < 99; ++i) CHECK(s.pass(1 * ms, false) == blame::none);
  CHECK(s.pass(1 * ms, false) == blame::computes);
  s.at.round = 2;
  CHECK(s.pass(500 * ms, false) == blame::none);
  CHECK(s.pass(99 * ms, false) == blame::none);
  CHECK(s.pass(1 * ms, false) == blame::computes);
}

TEST_CASE("watchdog: who sleeps is blamed after 100 ms without having run [watchdog.1]") {
  simulated s;
  for (int i = 0; i < 5; ++i) CHECK(s.pass(0, true) == blame::none);
  ++s.at.switches;  // it has run for a moment
  for (int i = 0; i < 5; ++i) CHECK(s.pass(0, true) == blame::none);
  CHECK(s.pass(0, false) == blame::none);
  for (int i = 0; i < 5; ++i) CHECK(s.pass(0, true) == blame::none);
  CHECK(s.pass(0, true) == blame::waits);
}

// A thread named `culprit`, attached, does what is given while another one wants a collection.
template <class Body>
testing::ending collect_beside(Body body, std::size_t watchdog_ms = heap_options::by_environment) {
  return run_in_child([&] {
    umber::heap heap({.watchdog_ms = watchdog_ms});
    std::atomic<bool> attached{false};
    std::thread culprit([&] {
      pthread_setname_np(pthread_self(), "culprit");
      const umber::mutator here(heap);
      attached = true;
      body();
    });
    while (!attached) std::this_thread::yield();
    heap.collect();
    culprit.join();
    return true;
  });
}

void compute(std::uint64_t ns) {
  for (const std::uint64_t start = alloc::os::thread_cpu_time(); alloc::os::thread_cpu_time() - start < ns;) continue;
}

TEST_CASE("watchdog: a loop without a safepoint is named, once, with its thread's name") {
  const auto end = collect_beside([] { compute(400 * ms); });
  INFO(end.output);
  CHECK(end.succeeded());
  CHECK(end.lines() == 1);
  CHECK(end.says("(culprit) has computed for 100 ms and not reached a safepoint"));
}

TEST_CASE("watchdog: how long it is patient is an option, and it may be off") {
  const auto eager = collect_beside([] { compute(200 * ms); }, 15);
  INFO(eager.output);
  CHECK(eager.says("(culprit) has computed for 15 ms and not reached a safepoint"));
  const auto off = collect_beside([] { compute(300 * ms); }, heap_options::off);
  CHECK(off.succeeded());
  CHECK(off.output.empty());
}

TEST_CASE("watchdog: waiting outside of a blocking region is named, and inside of one it is not") {
  const auto sleep = [] { std::this_thread::sleep_for(std::chrono::milliseconds(800)); };
  const auto outside = collect_beside(sleep);
  INFO(outside.output);
  CHECK(outside.lines() == 1);
  CHECK(outside.says("(culprit) has been waiting for 100 ms outside of umber::blocking"));
  const auto inside = collect_beside([&] {
    const blocking waits;
    sleep();
  });
  INFO(inside.output);
  CHECK(inside.output.empty());
}

}  // namespace
}  // namespace umber::gc

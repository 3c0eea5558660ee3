#include "gc/driver.h"

#include "alloc/os.h"
#include "alloc/os_threads.h"
#include "gc_testing.h"

#include <dirent.h>

#include <chrono>
#include <cstdlib>

namespace umber::testing {
namespace {

struct node {
  field<node> next;
  std::uint64_t numbers[7] = {};
};

heap_options soon_idle(unsigned ms) {
  heap_options options;
  options.percent = 100;
  options.limit = heap_options::off;
  options.minimum = 64 << 20;  // nothing here is enough to start a cycle
  options.idle_ms = ms;
  return options;
}

void sleep_ms(int ms) {
  const blocking waiting;
  std::this_thread::sleep_for(std::chrono::milliseconds(ms));
}

// Sleeps until there have been so many cycles; false: there were not, after 300 naps.
bool has_cycles(const umber::heap& heap, std::uint64_t wanted) {
  for (int naps = 0; naps < 300; ++naps) {
    if (heap.statistics().cycles >= wanted) return true;
    sleep_ms(10);
  }
  return false;
}

// The threads of this process that the system knows by that name.
std::vector<std::uint32_t> threads_named(const std::string& name) {
  std::vector<std::uint32_t> found;
  DIR* const tasks = opendir("/proc/self/task");
  REQUIRE(tasks != nullptr);
  while (const dirent* task = readdir(tasks)) {
    const auto id = static_cast<std::uint32_t>(std::strtoul(task->d_name, nullptr, 10));
    if (id != 0 && os::name_of(id).text == name) found.push_back(id);
  }
  closedir(tasks);
  return found;
}

// Whether the thread was found to sleep through a tenth of a second, in one of many.
bool rests(std::uint32_t thread) {
  for (int tries = 0; tries < 50; ++tries) {
    const os::thread_sleep before = os::sleep_of(thread);
    sleep_ms(100);
    const os::thread_sleep after = os::sleep_of(thread);
    if (before.sleeps && after.sleeps && before.switches == after.switches) return true;
  }
  return false;
}

void make_and_drop(std::size_t bytes) {
  local<node> all;  // no vector: the address sanitizer keeps what is freed for a while
  for (std::size_t i = 0; i < bytes / sizeof(node); ++i) {
    const local<node> head = make<node>();
    head->next = all;
    all = head;
  }
}

}  // namespace

TEST_CASE("driver: the period is the heap's, and there may be none") {
  constexpr std::uint64_t minute = 60'000'000'000;
  using gc::should_collect_idle;
  CHECK_FALSE(should_collect_idle({.idle_ns = minute}, 6 * minute - 1, 5 * minute, 1));
  CHECK(should_collect_idle({.idle_ns = minute}, 6 * minute, 5 * minute, 1));
  CHECK_FALSE(should_collect_idle({.idle_ns = minute}, 20 * minute - 1, 5 * minute, 0));
  CHECK(should_collect_idle({.idle_ns = minute}, 20 * minute, 5 * minute, 0));
  CHECK_FALSE(should_collect_idle({.idle_ns = 0}, 60 * minute, 5 * minute, 1));
}

TEST_CASE("driver: a heap that idles is collected by itself, and what it had dropped is free") {
  test_heap t(soon_idle(20));
  const weak<node> dropped = make<node>();
  for (int i = 0; i < 10'000; ++i) static_cast<void>(make<node>());
  CHECK(has_cycles(t.heap, 1));
  CHECK(dropped.lock() == nullptr);
}

TEST_CASE("driver: a heap in which nothing is made rests for fifteen periods") {
  constexpr unsigned period = 50;
  test_heap t(soon_idle(period));
  static_cast<void>(make<node>());
  t.heap.collect();
  const auto began = std::chrono::steady_clock::now();
  const std::uint64_t before = t.heap.statistics().cycles;
  sleep_ms(20 * period);
  const std::uint64_t cycles = t.heap.statistics().cycles - before;
  const auto passed = std::chrono::steady_clock::now() - began;
  CHECK(cycles <= static_cast<std::uint64_t>(passed / std::chrono::milliseconds(15 * period)) + 1);
}

TEST_CASE("driver: a heap without a period has no cycle that nobody asked for") {
  test_heap t(soon_idle(0));
  for (int i = 0; i < 10'000; ++i) static_cast<void>(make<node>());
  sleep_ms(100);
  CHECK(t.heap.statistics().cycles == 0);
}

TEST_CASE("driver: the collector's threads of an idle heap sleep") {
  heap_options options = soon_idle(120'000);
  options.workers = 2;
  test_heap t(options);
  static_cast<void>(make<node>());
  t.heap.collect();
  for (const char* name : {"umber collector", "umber marker"}) {
    INFO(name);
    std::vector<std::uint32_t> threads;
    // It has yet to name itself, or one of a heap that is gone has yet to end.
    for (int naps = 0; naps < 500 && threads.size() != 1; ++naps) {
      if (naps != 0) sleep_ms(10);
      threads = threads_named(name);
    }
    REQUIRE(threads.size() == 1);
    CHECK(rests(threads[0]));
  }
}

TEST_CASE("driver: what a program held and dropped goes back to the system, though it never called malloc of ours") {
  if (!resident_bytes_tell) SKIP("the thread sanitizer's shadow hides what went back");
  test_heap t;
  const std::size_t idle = os::resident_bytes();
  make_and_drop(80 * mib);
  CHECK(os::resident_bytes() > idle + 80 * mib);
  t.heap.collect();
  CHECK(eventually([&] { return os::resident_bytes() < idle + 20 * mib; }));
}

}  // namespace umber::testing

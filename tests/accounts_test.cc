#include "gc/accounts.h"

#include "gc/cycle.h"
#include "gc/cycle_log.h"
#include "testing.h"

#include <umber/umber.h>

#include "alloc/os.h"

#include <memory>
#include <thread>
#include <vector>

namespace umber::gc {
namespace {

struct node {
  umber::field<node> left, right;
  std::uint64_t numbers[5] = {};
};

heap_options never_by_itself(unsigned workers) {
  heap_options options;
  options.percent = heap_options::off;
  options.workers = workers;
  return options;
}

// A tree that several threads can mark.
umber::local<node> tree(int depth) {
  auto root = make<node>();
  if (depth == 0) return root;
  root->left = tree(depth - 1);
  root->right = tree(depth - 1);
  return root;
}

std::uint64_t collecting(const cpu_times& t) {
  return t.mark_ns + t.assist_ns + t.sweep_ns + t.mutator_sweep_ns + t.barrier_ns;
}

TEST_CASE("accounts: what a collection costs is counted, whichever thread marks") {
  umber::heap heap(never_by_itself(3));
  const umber::mutator attached(heap);
  const auto kept = tree(19);
  const cpu_times before = heap.statistics().cpu;
  const std::uint64_t process_before = os::process_cpu_time();
  for (int i = 0; i < 5; ++i) heap.collect();
  const std::uint64_t used = os::process_cpu_time() - process_before;
  const cpu_times counted = heap.statistics().cpu - before;
  // This thread sleeps meanwhile, so what is not counted is waking threads up.
  INFO("counted " << collecting(counted) << " of " << used);
  CHECK(collecting(counted) <= used);
  CHECK(collecting(counted) > used - used / 4);
  CHECK(counted.assist_ns == 0);
  CHECK(counted.mutator_sweep_ns == 0);
  CHECK(counted.mark_ns > counted.sweep_ns);
}

TEST_CASE("accounts: the turns of a helper are counted, with work or without") {
  umber::heap heap(never_by_itself(1));
  const umber::mutator attached(heap);
  managed_heap& h = *this_mutator().heap;
  constexpr std::uint32_t turns = 10'000;
  std::uint64_t used = 0;
  h.marking = true;
  std::thread helper([&] {
    const std::uint64_t before = os::thread_cpu_time();
    mark_along(h);
    used = os::thread_cpu_time() - before;
  });
  while (h.helper_turns < turns) std::this_thread::yield();
  h.marking = false;
  helper.join();
  INFO("counted " << h.mark_ns << " of " << used);
  CHECK(h.mark_ns <= used);
  CHECK(h.mark_ns > used / 2);
}

TEST_CASE("accounts: the classes add up to what the process used [accounts.1]") {
  const std::uint64_t first = os::process_cpu_time();
  umber::heap heap(never_by_itself(2));
  const std::uint64_t made = os::process_cpu_time();
  const umber::mutator attached(heap);
  const auto kept = tree(10);
  heap.collect();
  const std::uint64_t asked = os::process_cpu_time();
  const cpu_times t = heap.statistics().cpu;
  CHECK(collecting(t) + t.mutator_ns >= asked - made);
  CHECK(collecting(t) + t.mutator_ns <= os::process_cpu_time() - first);
}

TEST_CASE("accounts: the records of cycles add up to the statistics") {
  umber::heap heap(never_by_itself(1));
  const umber::mutator attached(heap);
  const auto kept = tree(9);
  for (int i = 0; i < 4; ++i) {
    static_cast<void>(tree(8));
    heap.collect();
  }
  cycle_statistics cycles[8];
  REQUIRE(heap.cycles(0, cycles, 8) == 4);
  const heap_statistics all = heap.statistics();
  std::uint64_t mark_ns = 0, sweep_ns = 0, end = 0;
  for (std::uint64_t i = 0; i < 4; ++i) {
    const cycle_statistics& c = cycles[i];
    CHECK(c.number == i + 1);
    CHECK(c.began_ns >= end);
    end = c.began_ns;
    for (const std::uint64_t ns : c.phase_ns) end += ns;
    CHECK(c.marked_objects == (2u << 9) - 1);
    CHECK(c.live_bytes == ((2u << 9) - 1) * 64);
    CHECK(c.began_bytes >= c.live_bytes);
    CHECK(c.peak_bytes >= c.began_bytes);
    CHECK(c.mutators == 1);
    CHECK(c.goal_bytes == SIZE_MAX);
    mark_ns += c.cpu.mark_ns;
    sweep_ns += c.cpu.sweep_ns;
  }
  CHECK(all.cpu.mark_ns == mark_ns);
  // Each cycle first looks whether there is something left to sweep, and that is in none of them.
  CHECK(all.cpu.sweep_ns >= sweep_ns);
  CHECK(sweep_ns > 0);
}

TEST_CASE("cycle_log: who asks by number gets what is new, and what is kept of the old [cycle_log.1]") {
  const auto log = std::make_unique<cycle_log>();
  REQUIRE(log->start());
  std::vector<cycle_statistics> got(2 * cycle_log::capacity);
  CHECK(log->read(0, got.data(), got.size()) == 0);
  const auto add = [&](std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t i = from; i <= to; ++i) {
      cycle_statistics c{};
      c.number = i;
      log->add(c);
    }
  };
  add(1, 10);
  CHECK(log->read(10, got.data(), got.size()) == 0);
  CHECK(log->read(7, got.data(), got.size()) == 3);
  CHECK(got[0].number == 8);
  CHECK(log->read(0, got.data(), 4) == 4);
  CHECK(got[3].number == 4);
  add(11, cycle_log::capacity + 20);
  CHECK(log->read(5, got.data(), got.size()) == cycle_log::capacity);
  CHECK(got[0].number == 21);
  CHECK(got[cycle_log::capacity - 1].number == cycle_log::capacity + 20);
}

}  // namespace
}  // namespace umber::gc

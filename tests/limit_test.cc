// Memory limits: what they cost, and what they count.
#include "gc/accounts.h"
#include "gc_testing.h"
#include "pacer_simulation.h"

namespace umber::testing {
namespace {

struct link {
  field<link> next;
  std::uint64_t words[6] = {};
};

local<link> make_list(std::size_t length) {
  local<link> first;
  for (std::size_t i = 0; i < length; ++i) {
    const local<link> fresh = make<link>();
    fresh->next = first.get();
    first = fresh.get();
  }
  return first;
}

// Allocates until the process has used that much processor time.
void allocate_for(std::uint64_t cpu_ns) {
  for (const std::uint64_t start = os::process_cpu_time(); os::process_cpu_time() - start < cpu_ns;)
    static_cast<void>(make_list(2000));
}

}  // namespace

TEST_CASE("limit: below what is live the collector has half of the time, however many processors it takes [pacer.4]") {
  const auto run = [](double workers, const strategy& s, std::size_t percent = pacer_options::off) {
    const pacer_options options{.percent = percent, .soft_limit = mib, .background_share = workers};
    return simulation({.allocation = constant(0.5)}, options, s).run(60);
  };
  const double cap = 0.5 + 0.5 / 60 + 0.001;
  for (const double workers : {0.25, 0.5, 0.75, 1.0}) {
    const history h = run(workers, {});
    INFO("workers " << workers << " share " << h.gc_share());
    CHECK(h.gc_share() <= cap);
    CHECK(h.gc_share() > 0.45);
    CHECK(h.allocated > 0.45 * 60e9 * processors * 0.5);
    CHECK(h.peak < 1.5 * 256 * mib);
  }
  CHECK(run(0.75, {.holds_back = false}).gc_share() > 0.7);
}

TEST_CASE("limit: cycles that only the limit asks for are held back, those of the growth are not") {
  const pacer_options options{.percent = 100, .soft_limit = mib};
  const cycle_record last{100 * mib, 0, 0, 100 * mib, 0, 0, 0, {}};
  const plan by_limit = plan_cycle(options, last, {100 * mib, 0, 0});
  const plan held = held_back(options, last, {100 * mib, 0, 0});
  CHECK(by_limit.limited_by_memory);
  CHECK_FALSE(by_limit.is_held_back);
  CHECK(by_limit.goal < 105 * mib);
  CHECK(held.is_held_back);
  CHECK(held.goal == 200 * mib);
  CHECK(held_back({.percent = pacer_options::off, .hard_limit = mib}, last, {}).trigger == SIZE_MAX);
}

TEST_CASE("limit: a heap's own counts what is the heap's, one that is shared all that the process uses") {
  const memory_use use{.live = 40 * mib,
                       .in_spans = 50 * mib,
                       .external = 5 * mib,
                       .pages_in_use = 200 * mib,
                       .pages_free = 20 * mib,
                       .metadata = 8 * mib};
  const memory_state own = counted(use, false), shared = counted(use, true);
  CHECK(own.heap_bytes == 45 * mib);
  CHECK(own.overhead_bytes == 10 * mib + 2 * mib);
  CHECK(own.free_bytes == 5 * mib);
  CHECK(shared.heap_bytes == 45 * mib);
  CHECK(shared.overhead_bytes == 10 * mib + 150 * mib + 8 * mib);
  CHECK(shared.free_bytes == 20 * mib);
  CHECK(counted({}, false).overhead_bytes == 0);
  CHECK(counted({.live = mib, .in_spans = mib}, false).overhead_bytes == 0);
}

TEST_CASE("limit: with a limit below what is live the collector's threads have about half of the processor time") {
  heap_options options = never_by_itself();
  options.limit = mib;
  options.workers = 4;
  const ending end = run_in_child([&] {
    test_heap t(options);
    t.h.pace.limiter.capacity_ns = 10'000'000;  // no cycle has begun, and this thread asks for the first
    const local<link> kept = make_list(100'000);
    allocate_for(300'000'000);
    const cpu_times before = gc::cpu_used(t.h);
    const std::uint64_t start = os::process_cpu_time();
    allocate_for(1'000'000'000);
    const cpu_times used = gc::cpu_used(t.h) - before;
    const auto collecting = static_cast<double>(used.mark_ns + used.assist_ns + used.sweep_ns);
    const double share = collecting / static_cast<double>(os::process_cpu_time() - start);
    std::fprintf(stderr, "share %.2f, %llu cycles\n", share,
                 static_cast<unsigned long long>(t.heap.statistics().cycles));
    return share < 0.65 && share > 0.1 && t.h.cycles.load() > 5;
  });
  INFO(end.output);
  CHECK(end.succeeded());
}

// After those that run in a child: a process with a heap has none there.
TEST_CASE("limit: heaps that share one leave room for each other, and one with its own does not mind") {
  test_heap large;
  const local<link> kept = make_list(400'000);  // 64 bytes each
  large.heap.collect();
  const auto goal_beside_it = [&](bool is_shared) {
    std::size_t goal = 0;
    std::thread([&] {
      heap_options options = never_by_itself();
      options.limit = 100 * mib;
      test_heap small(options);
      small.h.wanted_options.limit_is_shared = is_shared;
      small.h.wanted_options.changed = true;
      const local<link> some = make_list(1000);
      small.heap.collect();  // takes what is wanted when it begins
      small.heap.collect();
      goal = small.h.goal;
    }).join();
    return goal;
  };
  const std::size_t own = goal_beside_it(false), shared = goal_beside_it(true);
  CHECK(own <= 97 * mib);
  CHECK(own > 85 * mib);
  CHECK(shared + 400'000 * sizeof(link) <= 97 * mib);
  CHECK(shared > 40 * mib);
}

}  // namespace umber::testing

// Rows that measure one thing: what an object costs, and what measuring an operation does.
#include "harness.h"

#include <algorithm>

namespace bench {

namespace {

struct leaf {
  std::uint64_t first, second;
};

}  // namespace

outcome allocate(run& r) {
  const std::size_t count = r.scaled(20'000'000);
  double best = 1e9;
  r.on_lanes([&](lane& l) {
    l.begin();
    for (int round = 0; round < 3; ++round) {
      const std::uint64_t began = now_ns();
      for (std::size_t i = 0; i < count; ++i) {
        const ref<leaf> made = make_plain<leaf>();
        keep(made);
        drop(made);
      }
      best = std::min(best, static_cast<double>(now_ns() - began) / static_cast<double>(count));
      r.heap().collect();
    }
    l.end();
    return std::uint64_t{0};
  });
  return {mix(0, count), {{"object_ns", best}}};
}

outcome recording(run& r) {
  const std::size_t count = r.scaled(20'000'000);
  double took = 0;
  r.on_lanes([&](lane& l) {
    l.begin();
    const std::uint64_t began = now_ns();
    for (std::size_t i = 0; i < count; ++i) l.time([] { asm volatile(""); });
    took = static_cast<double>(now_ns() - began);
    l.end();
    return std::uint64_t{0};
  });
  return {mix(0, count), {{"operation_ns", took / static_cast<double>(count)}}};
}

}  // namespace bench

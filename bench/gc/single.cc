// Rows that measure one thing: what an object costs, and what measuring an operation does.
#include "rounds.h"

namespace bench {

namespace {

struct leaf {
  std::uint64_t first, second;
};

// Operations that do nothing at a pace: far behind it, so that none waits, and at the pace of message_ring.
measurement record_paced(run& r, std::size_t count, double rate) {
  recorder own(r.heap(), 1, rate, 0);
  own.of(0).run(count, [](std::size_t) { asm volatile(""); });
  return own.take();
}

}  // namespace

outcome allocate(run& r) {
  const std::size_t count = r.scaled(20'000'000);
  rounds all;
  r.on_lanes([&](lane& l) {
    l.begin();
    for (int round = 0; round < 5; ++round) {
      const std::uint64_t began = now_ns();
      for (std::size_t i = 0; i < count; ++i) {
        const ref<leaf> made = make_plain<leaf>();
        keep(made);
        drop(made);
      }
      all.see(static_cast<double>(now_ns() - began));
      r.heap().collect();
    }
    l.end();
    return std::uint64_t{0};
  });
  outcome result{mix(0, count), {}, all.durations()};
  all.add_spread_to(result.figures, "object", static_cast<double>(count));
  return result;
}

outcome recording(run& r) {
  constexpr double usual_rate = 250'000, far_too_fast = 1e9;
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
  outcome result{mix(0, count), {{"operation_ns", took / static_cast<double>(count)}}};
  const attached here(r.heap());
  const measurement late = record_paced(r, count, far_too_fast);
  const measurement punctual = record_paced(r, r.scaled(100'000), usual_rate);
  result.figures.push_back({"paced_operation_ns", static_cast<double>(late.wall_ns) / static_cast<double>(count)});
  result.figures.push_back({"paced_response_ns", static_cast<double>(punctual.response->percentile(50))});
  return result;
}

}  // namespace bench

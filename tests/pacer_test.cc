#include "gc/pacer.h"

#include "pacer_simulation.h"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace umber::testing {

namespace {

plan plan_of(std::size_t live, std::size_t percent = 100, std::size_t limit = SIZE_MAX) {
  return plan_cycle({.percent = percent, .soft_limit = limit}, {live, 0, 0, live, 0, 0, 0, {}}, {live, 0, 0});
}

cycle_record measured(std::size_t allocated, std::size_t marked, const cons_mark_history& before = {}) {
  return {0, 0, 0, marked, allocated, 1000, 1000, before};
}

// Numbers where arithmetic goes wrong.
class extremes {
 public:
  explicit extremes(std::uint64_t seed) : random_(seed) {}
  std::size_t below(std::size_t end) { return random_() % end; }
  std::size_t number() {
    const std::size_t choices[] = {0, 1, SIZE_MAX, SIZE_MAX - below(3), SIZE_MAX / (1 + below(100))};
    const std::size_t chosen = below(8);
    return chosen < 5 ? choices[chosen] : random_() >> below(64);
  }
  double share() {
    const double choices[] = {0, -1, 0.25, 0.5, 1, 1e300, std::numeric_limits<double>::quiet_NaN()};
    return choices[below(7)];
  }
  cycle_record record() {
    cycle_record r{number(), number(), number(), number(), number(), number(), number(), {}};
    for (int i = 0; i < 5; ++i) r.rates = observe({0, 0, 0, number(), number(), number(), number(), r.rates});
    return r;
  }

 private:
  std::mt19937_64 random_;
};

}  // namespace

TEST_CASE("pacer: the goal is live + (settled + roots) * percent / 100") {
  CHECK(plan_of(100 * mib, 50).goal == 150 * mib);
  CHECK(plan_of(100 * mib, 50).hard_goal == 225 * mib);
  CHECK(plan_of(100 * mib, 400).goal == 500 * mib);
  CHECK(plan_cycle({}, {100 * mib, 0, 10 * mib, 0, 0, 0, 0, {}}, {}).goal == 210 * mib);
  CHECK(plan_cycle({}, {100 * mib, 0, 10 * mib, 9 * mib, 0, 0, 0, {}}, {}).expected_work == 19 * mib);
  CHECK(plan_cycle({}, {100 * mib, 50 * mib, 10 * mib, 0, 0, 0, 0, {}}, {}).goal == 310 * mib);
  CHECK(plan_cycle({}, {100 * mib, 0, 10 * mib, 0, 30 * mib, 0, 0, {}}, {}).goal == 180 * mib);
}

TEST_CASE("pacer: whatever the numbers, triggers lie between live and goal, ratios are bounded [pacer.1][pacer.2]") {
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  extremes random(seed);
  for (int i = 0; i < 100'000; ++i) {
    const pacer_options options{random.number(), random.number(), random.number(), random.number(), random.share()};
    const cycle_record last = random.record();
    const plan p = plan_cycle(options, last, {random.number(), random.number(), random.number()});
    const double ratio = revised_assist_ratio(p, {random.number(), random.number(), random.number(), random.number()});
    const bool bounded = ratio > 0 && ratio <= most_assist_ratio && p.assist_ratio <= most_assist_ratio;
    const bool never = p.goal == SIZE_MAX && p.trigger == SIZE_MAX;
    const bool ordered = last.live_bytes <= SIZE_MAX - last.external_bytes &&
                         last.live_bytes + last.external_bytes < p.trigger && p.trigger < p.goal &&
                         p.goal <= p.hard_goal && p.assist_ratio > 0;
    if (!(ordered || never) || !bounded)
      FAIL("live " << last.live_bytes << " trigger " << p.trigger << " goal " << p.goal << " ratio " << ratio);
  }
}

TEST_CASE("pacer: goal and overhead fit into the limit where the live heap leaves room [pacer.3]") {
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  extremes random(seed);
  for (int i = 0; i < 100'000; ++i) {
    const pacer_options options{.soft_limit = 4 * mib + random.below(gib), .hard_limit = 4 * mib + random.below(gib)};
    const std::size_t limit = std::min(options.soft_limit, options.hard_limit);
    const memory_state memory{random.below(limit), random.below(limit / 4), random.below(limit / 4)};
    const std::size_t live = random.below(limit / 4);
    const std::size_t least = live + std::max(256 * kib, live / 64);
    const plan p = plan_cycle(options, {live, 0, 0, live, 0, 0, 0, {}}, memory);
    if (p.goal > least && p.goal + memory.overhead_bytes > limit) FAIL("goal " << p.goal << " limit " << limit);
  }
  CHECK(plan_of(100 * mib, 100, 190 * mib).limited_by_memory);
  CHECK(plan_of(100 * mib, 100, 190 * mib).hard_goal < 190 * mib);
  CHECK(plan_cycle({.soft_limit = 190 * mib}, {100 * mib, 0, 0, 0, 0, 0, 0, {}}, {0, 0, 200 * mib}).goal < 180 * mib);
  CHECK_FALSE(plan_of(100 * mib, 100, 210 * mib).limited_by_memory);
}

TEST_CASE("pacer: small heaps are left alone, and with percent off only a limit collects [pacer.5]") {
  for (const std::size_t live : {0 * mib, 100 * kib, 2 * mib, 4 * mib - 1}) CHECK(plan_of(live).trigger >= 4 * mib);
  CHECK(plan_of(0).goal <= 5 * mib);
  CHECK(plan_of(0, 100, 2 * mib).trigger < 2 * mib);
  for (const std::size_t live : {0 * mib, gib, SIZE_MAX}) CHECK(plan_of(live, pacer_options::off).trigger == SIZE_MAX);
  CHECK(plan_of(100 * mib, pacer_options::off, gib).goal > 950 * mib);
  CHECK(plan_of(100 * mib, pacer_options::off, gib).goal <= gib);
}

TEST_CASE("pacer: percent 0 and a limit below the live heap leave a small runway") {
  for (const plan& p : {plan_of(gib, 0), plan_of(gib, 100, 100 * mib), plan_of(gib, pacer_options::off, 0)})
    CHECK(p.goal == gib + gib / 64);
  CHECK(plan_of(mib, 100, 1).goal == mib + 256 * kib);
}

TEST_CASE("pacer: assists rise as the goal comes nearer, and beyond it, to the cap [pacer.2]") {
  CHECK(assist_ratio(100 * mib, 50 * mib) == 2);
  CHECK(assist_ratio(100 * mib, 0) == most_assist_ratio);
  CHECK(assist_ratio(0, SIZE_MAX) > 0);
  CHECK(assist_ratio(SIZE_MAX, 1) == most_assist_ratio);
  const plan p = plan_of(100 * mib);
  const auto at = [&](std::size_t heap, std::size_t done) {
    return revised_assist_ratio(p, {p.trigger, heap * mib, done * mib, 180 * mib});
  };
  CHECK(at(190, 50) == 5);
  CHECK(at(195, 50) == 10);
  CHECK(std::abs(at(210, 50) - 13) < 0.01);  // of 180, until the heap is 220
  CHECK(at(219, 50) == most_assist_ratio);
  CHECK(at(4000, 179) == most_assist_ratio);
  CHECK(at(190, 101) < 3);                                                     // the heap grows: the goal too,
  CHECK(revised_assist_ratio(p, {0, 300 * mib, 101 * mib, 2000 * mib}) > 18);  // to 400
  CHECK(revised_assist_ratio(p, {230 * mib, 230 * mib, 0, 180 * mib}) < 51);   // a large object went beyond it
}

TEST_CASE("pacer: allocation against marking is the highest of the last four measurements") {
  cons_mark_history rates = observe(measured(3000, 1000));
  for (int i = 0; i < 3; ++i) rates = observe(measured(1000, 1000, rates));
  CHECK(rates.highest() == 3);
  rates = observe(measured(1000, 1000, rates));
  CHECK(rates.highest() == 1);
  CHECK(observe(measured(0, 1000, rates)).cycles == rates.cycles);
  CHECK(observe(measured(1000, 0, rates)).cycles == rates.cycles);
  CHECK(observe(measured(SIZE_MAX, 1, rates)).highest() == 1000);
  const cycle_record slow{100 * mib, 0, 0, 100 * mib, 0, 0, 0, observe(measured(1, 1000))};
  CHECK(plan_cycle({}, slow, {}).trigger == 196 * mib);
}

TEST_CASE("pacer: in a steady program marking ends at the goal") {
  const auto worst_overshoot = [](const strategy& s) {
    double worst = 0;
    for (const double rate : {0.05, 0.2, 0.5, 1.0, 2.0, 4.0})
      worst = std::max(worst, simulation({.allocation = constant(rate)}, {}, s).run(10).worst_overshoot(8));
    return worst;
  };
  CHECK(worst_overshoot({}) < 1.01);
  const strategy lazy{.ratio = [](const plan&, const mark_progress&) { return 0.0; }};
  CHECK(worst_overshoot(lazy) > 1.1);
}

TEST_CASE("pacer: where workers alone can do it mutators do not assist") {
  const auto assist_share = [](const strategy& s) {
    double worst = 0;
    for (const double rate : {0.05, 0.2, 0.5})
      worst = std::max(worst, simulation({.allocation = constant(rate)}, {}, s).run(20).assist_share());
    return worst;
  };
  CHECK(assist_share({}) < 0.002);
  strategy late;
  late.make_plan = [](const pacer_options& options, const cycle_record& last, const memory_state& memory) {
    plan p = plan_cycle(options, last, memory);
    p.trigger = p.goal - 1;
    return p;
  };
  CHECK(assist_share(late) > 0.01);
}

TEST_CASE("pacer: the collector's share is what the growth pays for, and half at most [pacer.4]") {
  for (const double rate : {0.05, 0.2, 0.5, 1.0, 2.0, 4.0})
    for (const double growth : {0.5, 1.0, 3.0}) {
      const double share =
          simulation({.allocation = constant(rate)}, {.percent = bytes(100 * growth)}).run(20).gc_share();
      const double theory = rate / marking / (rate / marking + growth);
      const double cap = 0.5 + 0.5 / 20;  // four seconds of capacity in four times twenty
      INFO("rate " << rate << " growth " << growth << " share " << share << " theory " << theory);
      CHECK(std::abs(share - std::min(theory, cap)) < 0.02 * theory + 0.002);
    }
}

TEST_CASE("pacer: the trigger settles within four cycles of a steady heap, from the first") {
  for (const double rate : {0.05, 0.2, 1.0}) {
    const history h = simulation({.allocation = constant(rate), .live = constant(1.0 * mib)}).run(2);
    REQUIRE(h.cycles.size() > 10);
    const auto last = static_cast<double>(h.cycles.back().p.trigger);
    for (std::size_t i = 4; i < h.cycles.size(); ++i)
      if (std::abs(static_cast<double>(h.cycles[i].p.trigger) / last - 1) > 0.03) FAIL("cycle " << i);
    CHECK(h.peak < 6.0 * mib);
  }
  const history nothing_lives = simulation({.allocation = constant(1), .live = constant(0)}).run(1);
  CHECK(nothing_lives.peak < 6.0 * mib);
  CHECK(nothing_lives.gc_share() < 0.1);
}

TEST_CASE("pacer: a program that allocates in bursts does not assist in each") {
  const auto assist_share = [](const strategy& s) {
    const curve bursts = [](double, std::size_t n) { return n % 3 == 2 ? 0.25 : 0.05; };
    return simulation({.allocation = bursts}, {}, s).run(60).assist_share();
  };
  CHECK(assist_share({}) < 0.0005);
  strategy forgetful;
  forgetful.rates = [](const cycle_record& last) {
    cycle_record record = last;
    record.rates = {};
    return observe(record);
  };
  CHECK(assist_share(forgetful) > 0.002);
}

TEST_CASE("pacer: an eightfold rate costs one cycle of assists, an eighth of it five early triggers") {
  const curve rate = [](double t, std::size_t) { return t < 5 || t > 10 ? 0.05 : 0.4; };
  const history h = simulation({.allocation = rate}).run(30);
  const std::size_t faster = h.first_after(5), slower = h.first_after(10);
  CHECK(h.cycles[faster].assist_ns > 0);
  for (std::size_t i = faster; i < slower; ++i) CHECK(h.cycles[i].ended_over_goal() < 1.01);
  for (std::size_t i = faster + 1; i < slower; ++i) CHECK(h.cycles[i].assist_ns < 0.001 * h.cycles[i].mutator_ns);
  for (std::size_t i = slower + 5; i < h.cycles.size(); ++i) CHECK(h.cycles[i].ended_over_goal() > 0.99);
}

TEST_CASE("pacer: a live heap that grows stretches the goal, within the next one, and settles") {
  const program step{.live = [](double t, std::size_t) { return (t < 5 ? 128.0 : 1024.0) * mib; }};
  const program ramp{.live = [](double t, std::size_t) { return 100e6 * t; }};
  const program sawtooth{.live = [](double t, std::size_t) { return (100 + 400 * std::fmod(t, 3) / 3) * mib; }};
  const program everything{.allocation = constant(2), .live = constant(1e15)};
  for (const program& p : {step, ramp, sawtooth, everything})
    for (const cycle& c : simulation(p).run(12).cycles) {
      if (c.ended_at > 1.1 * static_cast<double>(c.p.hard_goal)) FAIL("ended at " << c.ended_at);
      if (c.ended_over_goal() > 1.3) FAIL("ended at " << c.ended_over_goal() << " of the goal");
      if (c.assist_ns > 0.3 * (c.assist_ns + c.mutator_ns)) FAIL("assists " << c.assist_ns);
    }
  const history h = simulation(step).run(12);
  CHECK(h.worst_overshoot(h.first_after(5) + 4) < 1.01);
  CHECK(h.peak < 2250.0 * mib);
}

TEST_CASE("pacer: floating garbage earns no runway") {
  const auto peak = [](const strategy& s) { return simulation({.allocation = constant(4)}, {}, s).run(5).peak; };
  // Live, as much again, and what is allocated while marking, which the trigger bounds at half of the growth.
  CHECK(peak({}) < 2.52 * 256 * mib);
  strategy generous;
  generous.make_plan = [](const pacer_options& options, const cycle_record& last, const memory_state& memory) {
    cycle_record record = last;
    record.allocated_while_marking = 0;
    return plan_cycle(options, record, memory);
  };
  CHECK(peak(generous) > 3.9 * 256 * mib);
}

TEST_CASE("pacer: external memory of dead owners is not taken for live") {
  const auto peak = [](const strategy& s) {
    return simulation({.live = constant(64.0 * mib), .external = 3}, {}, s).run(10).peak;
  };
  CHECK(peak({}) < 2.3 * 4 * 64 * mib);
  CHECK(peak({.plans_after_sweep = false}) > 10.0 * 4 * 64 * mib);
}

TEST_CASE("pacer: a limit counts everything [pacer.3]") {
  const auto peak = [](const strategy& s, std::size_t percent) {
    return simulation({.overhead = 100.0 * mib}, {.percent = percent, .soft_limit = 450 * mib}, s).run(10).peak;
  };
  strategy blind;
  blind.make_plan = [](const pacer_options& options, const cycle_record& last, const memory_state& memory) {
    return plan_cycle(options, last, {memory.heap_bytes, 0, 0});
  };
  for (const std::size_t percent : {std::size_t{100}, pacer_options::off}) {
    CHECK(peak({}, percent) <= 450.0 * mib);
    CHECK(peak(blind, percent) > 500.0 * mib);
  }
}

TEST_CASE("pacer: a limit below the live heap costs half of the time and a spike, never more [pacer.4]") {
  const auto share = [](const strategy& s) {
    return simulation({.allocation = constant(0.5)}, {.soft_limit = 200 * mib}, s).run(60).gc_share();
  };
  const double cap = 0.5 + 0.5 / 60 + 0.001;
  CHECK(share({}) <= cap);
  CHECK(share({.obeys_limiter = false, .holds_back = false}) > 0.6);
  CHECK(share({.bucket_keeps_overflow = false}) > 0.52);  // Go forgives what does not fit
  for (const double workers : {0.25, 0.5}) {
    const pacer_options options{.soft_limit = mib, .background_share = workers};
    const history h = simulation({.allocation = constant(0.5)}, options).run(60);
    CHECK(h.gc_share() <= cap);
    CHECK(h.allocated > 0.45 * 60e9 * processors * 0.5);
    CHECK(h.peak < 1.5 * 256 * mib);
  }
}

TEST_CASE("pacer: the limiter is a bucket that marking fills and the program empties [pacer.4]") {
  gc_cpu_limiter limiter{1000};
  CHECK_FALSE(limiter.update(999, 999));
  CHECK_FALSE(limiter.update(50, 100));
  CHECK(limiter.update(1, 1));
  CHECK(limiter.update(400, 500));
  CHECK(limiter.fill_ns == 1300);
  CHECK(limiter.update(0, 300));
  CHECK_FALSE(limiter.update(0, 1));
  CHECK_FALSE(limiter.update(0, UINT64_MAX));
  CHECK(limiter.fill_ns == 0);
  CHECK(limiter.update(UINT64_MAX, 5000));  // more than there was: all of it
  CHECK(limiter.fill_ns == 2000);
  CHECK(limiter.overflow_ns == 3000);
}

TEST_CASE("pacer: an idle heap is collected after two minutes, a silent one after thirty") {
  constexpr std::uint64_t minute = 60'000'000'000;
  CHECK_FALSE(should_collect_idle({}, 7 * minute - 1, 5 * minute, mib));
  CHECK(should_collect_idle({}, 7 * minute, 5 * minute, mib));
  CHECK_FALSE(should_collect_idle({}, 7 * minute, 5 * minute, 0));
  CHECK(should_collect_idle({}, 35 * minute, 5 * minute, 0));
  CHECK_FALSE(should_collect_idle({}, 4 * minute, 5 * minute, mib));
  CHECK_FALSE(should_collect_idle({.percent = pacer_options::off}, 60 * minute, 5 * minute, mib));
  CHECK(should_collect_idle({.idle_ns = 2}, 5 * minute + 2, 5 * minute, mib));
}

}  // namespace umber::testing

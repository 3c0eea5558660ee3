// The scavenger's decisions on simulated curves: a heap of which only the numbers exist.
#include "alloc/scavenge_pace.h"

#include "testing.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace umber::testing {
namespace {

using namespace alloc::scavenger;

constexpr double second = 1e9;
constexpr std::uint64_t step_ns = 10'000'000;

// MiB in use at a time in seconds.
using curve = std::function<double(double)>;

struct simulation {
  curve in_use;
  double decay = 1;          // seconds
  double page_ns = 500;      // processor time that giving a page back costs
  double other_work_ns = 0;  // and that of what else a tick does
  std::function<bool(std::uint64_t)> may_go_on = alloc::scavenger::may_go_on;
  std::function<std::uint64_t(std::uint64_t)> pause_after = alloc::scavenger::pause_after;
};

struct history {
  std::vector<double> resident;  // MiB, at each step
  double faulted = 0;            // MiB that had been given back, and were wanted again
  double released = 0;
  double cpu_ns = 0;
  double longest_tick_ns = 0;
  std::uint64_t asleep_at = 0;  // ns; 0: the thread stayed awake
  bool kept_demand = true;      // [scavenge_pace.1] held after each tick
  double resident_at(double t) const { return resident[static_cast<std::size_t>(t * second) / step_ns]; }
};

constexpr page_count pages(double megabytes) { return page_count::covering(static_cast<std::size_t>(megabytes * mib)); }
constexpr double megabytes(page_count n) { return static_cast<double>(n.bytes()) / mib; }

class simulated_heap {
 public:
  simulated_heap(const simulation& s, history& h)
      : s_(s), h_(h), wanted_(static_cast<std::uint64_t>(s.decay * second)) {}

  void use(page_count now) {
    if (now > in_use_ + unscavenged_) {
      const page_count missing = now - in_use_ - unscavenged_;
      h_.faulted += megabytes(std::min(missing, released_));
      released_ -= std::min(missing, released_);
      unscavenged_ += missing;
    }
    unscavenged_ = in_use_ + unscavenged_ - now;
    in_use_ = now;
  }
  // A tick of the thread; until the next.
  std::uint64_t tick() {
    const page_count highest = wanted_.highest(in_use_);
    const page_count wanted = due(in_use_, highest, unscavenged_, {});
    double used = s_.other_work_ns;
    page_count done{0};
    for (; done < wanted && s_.may_go_on(static_cast<std::uint64_t>(used)); done += page_count{64})
      used += 64 * s_.page_ns;
    done = std::min(done, wanted);
    const page_count before = in_use_ + unscavenged_;
    unscavenged_ -= done;
    released_ += done;
    h_.kept_demand = h_.kept_demand && in_use_ + unscavenged_ >= std::min(highest, before);
    h_.released += megabytes(done);
    h_.cpu_ns += used;
    h_.longest_tick_ns = std::max(h_.longest_tick_ns, used);
    quiet_ = is_worth_another_tick(unscavenged_) ? 0 : quiet_ + 1;
    return s_.pause_after(static_cast<std::uint64_t>(used));
  }
  bool may_sleep() const { return quiet_ > wanted_.quiet_ticks(); }
  double resident() const { return megabytes(in_use_ + unscavenged_); }

 private:
  const simulation& s_;
  history& h_;
  demand wanted_;
  page_count in_use_{0}, unscavenged_{0}, released_{0};
  std::size_t quiet_ = 0;
};

history run(const simulation& s, double seconds) {
  history h;
  simulated_heap heap(s, h);
  std::uint64_t next_tick = 0;
  for (std::uint64_t now = 0; now < static_cast<std::uint64_t>(seconds * second); now += step_ns) {
    heap.use(pages(s.in_use(static_cast<double>(now) / second)));
    if (now >= next_tick) next_tick = now + heap.tick();
    if (heap.may_sleep() && h.asleep_at == 0) h.asleep_at = now;
    h.resident.push_back(heap.resident());
  }
  return h;
}

}  // namespace

TEST_CASE("scavenge_pace: a steady process keeps what it uses, and its thread falls asleep") {
  const history h = run({.in_use = [](double) { return 300.0; }}, 20);
  CHECK(h.released == 0);
  CHECK(h.resident_at(19) == 300);
  CHECK(h.asleep_at > 2 * tick_ns);
  CHECK(static_cast<double>(h.asleep_at) < 4 * second);
}

TEST_CASE("scavenge_pace: what comes and goes within the decay time is not given back [scavenge_pace.1]") {
  const auto faulted = [](const curve& in_use, double decay) {
    const history h = run({.in_use = in_use, .decay = decay}, 250);
    CHECK(h.kept_demand);
    return h.faulted;
  };
  for (const auto& [period, decay] : {std::pair{0.7, 1.0}, {0.95, 1.0}, {25.0, 30.0}, {80.0, 100.0}}) {
    INFO("every " << period << " s");
    const auto square = [p = period](double t) { return std::fmod(t, p) < p / 2 ? 450.0 : 50.0; };
    const auto tooth = [p = period](double t) { return 50 + 400 * std::fmod(t, p) / p; };
    const double teeth = 250 / period, grows_in_a_tick = 400 * 0.1 / period;  // which is not seen
    CHECK(faulted(square, decay) == 0);
    CHECK(faulted(tooth, decay) <= teeth * grows_in_a_tick);
    CHECK(faulted(square, 0) > 200 * std::floor(teeth));
    CHECK(faulted(tooth, 0) > 200 * std::floor(teeth));
  }
}

TEST_CASE("scavenge_pace: a spike stays for the decay time, and then goes, all of it") {
  const history h = run({.in_use = [](double t) { return t > 1 && t < 2 ? 900.0 : 100.0; }}, 20);
  CHECK(h.kept_demand);
  CHECK(h.resident_at(2.9) == 900);
  CHECK(h.resident_at(6) == 100);
  CHECK(h.released == 800);
  CHECK(h.faulted == 0);
  CHECK(static_cast<double>(h.asleep_at) > 4 * second);
}

TEST_CASE(
    "scavenge_pace: what was populated ahead stays for what will be made next, and not beside what stays anyway") {
  CHECK(due({100}, {100}, {50}, {30}) == page_count{20});
  CHECK(due({100}, {140}, {50}, {30}) == page_count{10});
  CHECK(due({100}, {100}, {20}, {30}) == page_count{0});
  CHECK(due({100}, {100}, {50}, {0}) == page_count{50});
}

TEST_CASE("scavenge_pace: a process that shrinks until it is idle is followed, a decay time behind") {
  const curve stairs = [](double t) { return std::max(8.0, 1000.0 - 100 * std::floor(t)); };
  const history h = run({.in_use = stairs}, 20);
  for (double t = 3; t < 19; t += 0.5) {
    CHECK(h.resident_at(t) >= stairs(t - 0.9));
    CHECK(h.resident_at(t) <= stairs(t - 2));
  }
  CHECK(h.resident_at(19) == 8);
  CHECK(h.asleep_at != 0);
  CHECK(h.faulted == 0);
}

TEST_CASE("scavenge_pace: pressed, with no decay time, what is free goes at the next tick") {
  const history h = run({.in_use = [](double t) { return t < 2 ? 100.0 : 50.0; }, .decay = 0}, 4);
  CHECK(h.resident_at(1.9) == 100);
  CHECK(h.resident_at(2.2) == 50);
}

TEST_CASE("scavenge_pace: however much is due the thread takes a twentieth of a processor, and gets there") {
  simulation all_at_once{
      .in_use = [](double t) { return t < 1 ? 16'000.0 : 0.0; }, .page_ns = 1000, .other_work_ns = 3e6};
  const history h = run(all_at_once, 200);
  CHECK(h.longest_tick_ns < 5e6 + 65 * 1000);
  CHECK(h.cpu_ns < 200 * second / 20);
  CHECK(h.resident_at(100) < h.resident_at(50));
  CHECK(h.resident_at(50) < h.resident_at(10));
  CHECK(h.resident_at(199) == 0);
  all_at_once.may_go_on = [](std::uint64_t) { return true; };
  CHECK(run(all_at_once, 200).longest_tick_ns > second);
}

TEST_CASE("scavenge_pace: a tick that took long for other reasons is paid for, too") {
  simulation busy{.in_use = [](double) { return 100.0; }, .other_work_ns = 60e6};
  CHECK(run(busy, 60).cpu_ns < 60 * second / 19);
  busy.pause_after = [](std::uint64_t) { return tick_ns; };
  CHECK(run(busy, 60).cpu_ns > 60 * second / 3);
}

}  // namespace umber::testing

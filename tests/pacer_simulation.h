// A heap, its program and its collector as numbers: what the pacer's rules come to on curves of allocation.
#pragma once

#include "gc/pacer.h"

#include <algorithm>
#include <functional>
#include <vector>

namespace umber::testing {

using namespace umber::gc;
using alloc::gib;
using alloc::kib;
using alloc::mib;

using curve = std::function<double(double seconds, std::size_t cycle)>;
inline curve constant(double value) {
  return [value](double, std::size_t) { return value; };
}

// What runs beside the collector. Rates are in bytes per nanosecond of processor.
struct program {
  curve allocation = constant(0.2);
  curve live = constant(256.0 * mib);
  double external = 0;  // bytes of malloc memory that each managed byte owns
  double overhead = 0;
};
inline constexpr double marking = 4;
inline constexpr double processors = 4;

// The pacer under test, or one with a fault in it: each property is shown to fail for one.
struct strategy {
  plan (*make_plan)(const pacer_options&, const cycle_record&, const memory_state&) = plan_cycle;
  double (*ratio)(const plan&, const mark_progress&) = revised_assist_ratio;
  cons_mark_history (*rates)(const cycle_record&) = observe;
  bool obeys_limiter = true;
  bool holds_back = true;
  bool bucket_keeps_overflow = true;
  bool plans_after_sweep = true;
};

// Processor time. Assists are marking.
struct spent {
  double mark_ns = 0, assist_ns = 0, mutator_ns = 0;

  void add(double marked, double assists, double others) {
    mark_ns += marked;
    assist_ns += assists;
    mutator_ns += others;
  }
  double gc_share() const { return mark_ns / (mark_ns + mutator_ns); }
  double assist_share() const { return assist_ns / (assist_ns + mutator_ns); }
};

struct cycle : spent {  // since the one before
  plan p;
  double seconds = 0;   // when it ended
  double ended_at = 0;  // bytes of heap
  double ended_over_goal() const { return ended_at / static_cast<double>(p.goal); }
};

struct history : spent {
  std::vector<cycle> cycles;
  double allocated = 0;
  double peak = 0;  // of heap and overhead

  double worst_overshoot(std::size_t from) const {
    double worst = 0;
    for (std::size_t i = from; i < cycles.size(); ++i) worst = std::max(worst, cycles[i].ended_over_goal());
    return worst;
  }
  // The number of the first cycle that ended after that time.
  std::size_t first_after(double seconds) const {
    const auto is_before = [=](const cycle& c) { return c.seconds < seconds; };
    return static_cast<std::size_t>(std::count_if(cycles.begin(), cycles.end(), is_before));
  }
};

inline std::size_t bytes(double x) { return static_cast<std::size_t>(x); }
inline std::uint64_t ns(double x) { return static_cast<std::uint64_t>(x); }

// A heap as numbers, in steps of a tenth of a millisecond. All that is allocated while marking runs survives; garbage
// is gone when marking ends, what it owned a little later.
class simulation {
 public:
  explicit simulation(const program& p, const pacer_options& options = {}, const strategy& s = {})
      : program_(p), options_(options), strategy_(s) {
    limiter_.capacity_ns = ns(processors * gc_cpu_limiter::capacity_per_processor_ns);
    make_plan();
  }

  history run(double seconds) {
    while (now_ < seconds * 1e9) step();
    return history_;
  }

 private:
  static constexpr double step_ns = 1e5;
  static constexpr double sweep_ns = 5e6;

  double heap() const { return managed_ + external_; }
  bool is_due() const { return !marking_ && heap() >= static_cast<double>(plan_.trigger); }
  void make_plan() {
    const memory_state memory{bytes(heap()), bytes(program_.overhead), 0};
    plan_ = strategy_.make_plan(options_, record_, memory);
    if (strategy_.holds_back && plan_.limited_by_memory && limiter_.limiting())
      plan_ = held_back(options_, record_, memory);
  }

  void step() {
    if (!swept_ && (now_ - ended_ > sweep_ns || is_due())) sweep();
    if (plan_.is_held_back && !marking_ && !limiter_.limiting()) make_plan();
    if (is_due()) begin();
    const double cpu = step_ns * processors;
    const double rate = program_.allocation(now_ / 1e9, history_.cycles.size());
    const double workers = marking_ ? options_.background_share * cpu : 0;
    double allocated = (cpu - workers) * rate;
    const double assists = marking_ ? mark(workers, cpu - workers, rate, allocated) : 0;
    managed_ += allocated;
    external_ += allocated * program_.external;
    history_.allocated += allocated;
    history_.peak = std::max(history_.peak, heap() + program_.overhead);
    current_.add(workers + assists, assists, cpu - workers - assists);
    history_.add(workers + assists, assists, cpu - workers - assists);
    limiter_.update(ns(workers + assists), ns(cpu));
    if (!strategy_.bucket_keeps_overflow) limiter_.fill_ns = std::min(limiter_.fill_ns, limiter_.capacity_ns);
    now_ += step_ns;
    if (marking_ && done_ >= work_) end();
  }

  // One step of marking; the time of assists. They shorten the mutators' time, and so what they allocate.
  double mark(double workers, double left, double rate, double& allocated) {
    done_ += workers * marking;
    credit_ += workers * marking;
    const mark_progress progress{bytes(started_at_), bytes(heap()), bytes(done_), bytes(most_)};
    double ratio = strategy_.ratio(plan_, progress) * (1 + program_.external);
    if (limiter_.limiting() && strategy_.obeys_limiter) ratio = 0;
    double assists = 0;
    if (ratio * allocated > credit_) {
      allocated = (left + credit_ / marking) / (1 / rate + ratio / marking);
      assists = std::max(0.0, ratio * allocated - credit_) / marking;
    }
    credit_ = std::max(0.0, credit_ - ratio * allocated);
    done_ += assists * marking;
    black_ += allocated;
    return assists;
  }

  void begin() {
    marking_ = true;
    done_ = credit_ = black_ = 0;
    started_at_ = heap();
    most_ = managed_;
    work_ = std::min(managed_, program_.live(now_ / 1e9, history_.cycles.size()));
    before_ = current_;
  }

  void end() {
    marking_ = swept_ = false;
    ended_ = now_;
    current_.p = plan_;
    current_.ended_at = heap();
    current_.seconds = now_ / 1e9;
    managed_ = work_ + black_;
    record_.live_bytes = bytes(managed_);
    if (!strategy_.plans_after_sweep) record_.external_bytes = bytes(external_);
    record_.marked_bytes = bytes(work_);
    record_.allocated_while_marking = bytes(black_ * (1 + program_.external));
    record_.mutator_cpu_ns = ns(current_.mutator_ns - before_.mutator_ns);
    record_.mark_cpu_ns = ns(current_.mark_ns - before_.mark_ns);
    record_.rates = strategy_.rates(record_);
    history_.cycles.push_back(current_);
    current_ = {};
    make_plan();
  }

  void sweep() {
    swept_ = true;
    external_ = managed_ * program_.external;
    if (!strategy_.plans_after_sweep) return;
    record_.external_bytes = bytes(external_);
    make_plan();
  }

  program program_;
  pacer_options options_;
  strategy strategy_;
  cycle_record record_;
  plan plan_;
  gc_cpu_limiter limiter_;
  history history_;
  cycle current_;
  spent before_;  // marking
  double now_ = 0, ended_ = 0, managed_ = 0, external_ = 0;
  double started_at_ = 0, work_ = 0, most_ = 0, done_ = 0, credit_ = 0, black_ = 0;
  bool marking_ = false, swept_ = true;
};

}  // namespace umber::testing

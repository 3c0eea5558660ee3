// Times the operations of a workload's threads, and what the system does meanwhile.
//
// Each thread has a lane. `run` does operations one after the other: without a pace each begins when the one before has
// ended, so one look at the clock is enough for both; with a pace each is due at its time, whatever became of those
// before it, and its response time counts from then: who was held up for 100 ms has 100 ms of late operations behind
// it, not a single slow one (Tene's coordinated omission).
//
// What is measured begins when every lane is ready and ends when the last is done: setting up and checking are outside.
// What it costs: 16 to 25 ns an operation (the workload `recorder` of every program shows it), two histograms of 37 KiB
// a lane, and a thread that looks at the memory.
#pragma once

#include "clock.h"
#include "histogram.h"
#include "jitter.h"
#include "observation.h"
#include "stalls.h"
#include "system_view.h"

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>

namespace bench {

class recorder;

class alignas(128) lane {
 public:
  lane(recorder& all, unsigned index) : all_(all), index_(index) {}

  [[nodiscard]] unsigned index() const { return index_; }

  // Between these two lie the measured operations of a lane, once. Both wait for all other lanes.
  void begin();
  void end();

  // Does one operation; what is recorded of it, in nanoseconds, is also returned.
  template <class Operation>
  std::uint64_t time(Operation operation) {
    operation();
    const std::uint64_t now = now_ns();
    const std::uint64_t took = now - last_;
    service_.record(took);
    last_ = now;
    return took;
  }

  // What was done since the last operation is none.
  void skip() { last_ = now_ns(); }

  // All of that: operation(i) for each i below `operations` that is this lane's, at the pace of the recorder.
  template <class Operation>
  void run(std::size_t operations, Operation operation);

  // Called on the lane's thread by who held it up, when that is over.
  void stalled(cause why, std::uint64_t ns) { stalls_.add({now_ns() - ns, ns, why}); }
  // The lane that is being measured on this thread, or null.
  [[nodiscard]] static lane* of_this_thread() { return current_; }

 private:
  friend class recorder;

  std::uint64_t wait_until(std::uint64_t due);
  // Calls each(i) for all of this lane's operations, and adds up every tenth.
  template <class Each>
  void in_tenths(std::size_t operations, Each each);

  static thread_local lane* current_;

  recorder& all_;
  unsigned index_;
  std::uint64_t last_ = 0;
  histogram service_;
  std::unique_ptr<histogram> response_;
  stall_log stalls_;
  tenths tenths_{};
  std::uint64_t cpu_ns_ = 0;
};

class recorder {
 public:
  // `rate` is in operations a second of all lanes; 0: as fast as they can.
  recorder(system_view& system, unsigned lanes, double rate, double jitter_seconds);

  [[nodiscard]] lane& of(unsigned index) { return lanes_[index]; }
  [[nodiscard]] std::size_t lane_count() const { return lanes_.size(); }
  [[nodiscard]] double rate() const { return rate_; }
  [[nodiscard]] system_view& system() { return system_; }
  [[nodiscard]] std::uint64_t began() const { return began_; }

  // Once all lanes have ended.
  [[nodiscard]] measurement take();

 private:
  friend class lane;

  // Returns when all lanes have come here, the last of them having done `work`.
  void meet(void (recorder::*work)());
  void begin();
  void end();

  system_view& system_;
  double rate_;
  double jitter_seconds_;
  std::deque<lane> lanes_;
  std::uint64_t began_ = 0;
  std::unique_ptr<jitter_watch> jitter_;
  std::unique_ptr<observation> seen_;
  std::mutex lock_;
  std::condition_variable all_here_;
  std::size_t here_ = 0;
  std::size_t meetings_ = 0;
};

template <class Operation>
void lane::run(std::size_t operations, Operation operation) {
  begin();
  if (all_.rate() <= 0) {
    in_tenths(operations, [&](std::size_t i) { time([&] { operation(i); }); });
  } else {
    const double between_ns = 1e9 / all_.rate();
    in_tenths(operations, [&](std::size_t i) {
      const std::uint64_t due = all_.began() + static_cast<std::uint64_t>(static_cast<double>(i) * between_ns);
      const std::uint64_t since = last_ < due ? wait_until(due) : last_;
      operation(i);
      last_ = now_ns();
      service_.record(last_ - since);
      response_->record(last_ - due);
    });
  }
  end();
}

template <class Each>
void lane::in_tenths(std::size_t operations, Each each) {
  const std::size_t step = all_.lane_count();
  std::size_t i = index_;
  for (std::size_t part = 0; part < tenths_.size(); ++part) {
    const std::size_t end = operations / tenths_.size() * (part + 1);
    const std::size_t until = part + 1 == tenths_.size() ? operations : end;
    const std::uint64_t before = service_.sum();
    for (; i < until; i += step) each(i);
    tenths_[part] = service_.sum() - before;
  }
}

}  // namespace bench

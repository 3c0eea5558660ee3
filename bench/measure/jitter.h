// What the machine does to a thread that nobody disturbs: it reads the clock without pause, and each gap of a
// microsecond or more is a time when it was not running. A stall no longer than these gaps proves nothing.
//
// The spinning thread needs a core that nobody else wants. Where the run has one to spare it spins all the while, else
// before it.
#pragma once

#include "histogram.h"

#include <atomic>
#include <thread>

namespace bench {

class jitter_watch {
 public:
  static constexpr std::uint64_t least_gap_ns = 1000;

  // `busy_threads` will be running. `seconds`: how long to look where no core is spare; 0: never look.
  jitter_watch(unsigned busy_threads, double seconds);
  ~jitter_watch() { stop(); }
  jitter_watch(const jitter_watch&) = delete;
  jitter_watch& operator=(const jitter_watch&) = delete;

  void stop();
  // Once stopped.
  [[nodiscard]] const histogram& gaps() const { return gaps_; }
  [[nodiscard]] bool looked() const { return looked_; }

 private:
  void spin();

  histogram gaps_;
  std::atomic<bool> done_{false};
  bool looked_ = false;
  std::thread beside_;
};

}  // namespace bench

// Memory over time: a thread that looks at even intervals, at most 1000 times. It begins with 2 ms; when there is no
// room for more, every second sample goes and the interval doubles.
#pragma once

#include "system_view.h"

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace bench {

struct memory_sample {
  std::uint64_t at;  // by now_ns()
  std::uint64_t resident;
  system_reading::figure live, goal, heap;
};

class timeline {
 public:
  static constexpr std::size_t most_samples = 1000;

  // Begins to look.
  explicit timeline(system_view& system);
  ~timeline() { stop(); }
  timeline(const timeline&) = delete;
  timeline& operator=(const timeline&) = delete;

  // Looks once more, and no more.
  void stop();
  // Once stopped.
  [[nodiscard]] const std::vector<memory_sample>& samples() const { return samples_; }
  [[nodiscard]] const std::vector<cycle_seen>& cycles() const { return cycles_; }

 private:
  void look();
  void look_often();

  system_view& system_;
  std::vector<memory_sample> samples_;
  std::vector<cycle_seen> cycles_;
  std::mutex lock_;
  std::condition_variable changed_;
  bool done_ = false;
  std::thread looking_;
};

}  // namespace bench

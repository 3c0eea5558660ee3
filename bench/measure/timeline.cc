#include "timeline.h"

#include "clock.h"
#include "process_figures.h"

#include <chrono>

namespace bench {

timeline::timeline(system_view& system) : system_(system) {
  samples_.reserve(most_samples);
  look();
  looking_ = std::thread([this] { look_often(); });
}

void timeline::stop() {
  if (!looking_.joinable()) return;
  {
    const std::lock_guard guard(lock_);
    done_ = true;
  }
  changed_.notify_one();
  looking_.join();
}

void timeline::look() {
  const system_reading now = system_.read();
  samples_.push_back({now_ns(), resident_bytes(), now.live_bytes, now.goal_bytes, now.heap_bytes});
  for (const cycle_seen& each : system_.new_cycles()) cycles_.push_back(each);
}

void timeline::look_often() {
  std::chrono::milliseconds interval(2);
  auto next = std::chrono::steady_clock::now();
  std::unique_lock guard(lock_);
  for (;;) {
    next += interval;
    if (changed_.wait_until(guard, next, [this] { return done_; })) return look();
    look();
    if (samples_.size() + 1 < most_samples) continue;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < samples_.size(); i += 2) samples_[kept++] = samples_[i];
    samples_.resize(kept);
    interval *= 2;
  }
}

}  // namespace bench

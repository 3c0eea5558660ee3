#include "recorder.h"

#include <chrono>
#include <thread>
#include <utility>

namespace bench {

thread_local lane* lane::current_ = nullptr;

void lane::begin() {
  if (all_.rate() > 0) response_ = std::make_unique<histogram>();
  all_.meet(&recorder::begin);
  cpu_ns_ = thread_cpu_ns();
  current_ = this;
  last_ = all_.began();
}

void lane::end() {
  cpu_ns_ = thread_cpu_ns() - cpu_ns_;
  current_ = nullptr;
  all_.meet(&recorder::end);
}

std::uint64_t lane::wait_until(std::uint64_t due) {
  // Sleeping is for long waits only, and ends early: waking takes tens of microseconds.
  constexpr std::uint64_t worth_sleeping = 2'000'000, early = 500'000;
  for (std::uint64_t now = now_ns(); now < due; now = now_ns()) {
    if (due - now < worth_sleeping) {
      all_.system().safepoint();
      continue;
    }
    const std::chrono::nanoseconds time(due - now - early);
    all_.system().wait_in([time] { std::this_thread::sleep_for(time); });
  }
  return due;
}

recorder::recorder(system_view& system, unsigned lanes, double rate, double jitter_seconds)
    : system_(system), rate_(rate), jitter_seconds_(jitter_seconds) {
  for (unsigned i = 0; i < lanes; ++i) lanes_.emplace_back(*this, i);
}

void recorder::meet(void (recorder::*work)()) {
  std::unique_lock guard(lock_);
  if (++here_ < lanes_.size()) {
    const std::size_t meeting = meetings_;
    guard.unlock();
    return system_.wait_in([&] {
      std::unique_lock waiting(lock_);
      all_here_.wait(waiting, [&] { return meetings_ != meeting; });
    });
  }
  (this->*work)();
  here_ = 0;
  ++meetings_;
  all_here_.notify_all();
}

void recorder::begin() {
  system_.collect();
  // Besides the lanes there is a thread of the collector.
  const auto busy = static_cast<unsigned>(lanes_.size()) + 1;
  system_.wait_in([&] { jitter_ = std::make_unique<jitter_watch>(busy, jitter_seconds_); });
  seen_ = std::make_unique<observation>(system_);
  began_ = seen_->began();
}

void recorder::end() {
  seen_->end();
  system_.wait_in([this] { jitter_->stop(); });
  // The lanes have not let go of anything yet: what is held besides, after a collection, nobody has a use for.
  system_.collect();
  seen_->settle();
}

measurement recorder::take() {
  measurement m = seen_->take();
  for (const lane& each : lanes_) {
    m.lanes_cpu_ns += each.cpu_ns_;
    m.service.add(each.service_);
    for (std::size_t i = 0; i < m.parts.size(); ++i) m.parts[i] += each.tenths_[i];
    if (each.response_ != nullptr) {
      if (m.response == nullptr) m.response = std::make_unique<histogram>();
      m.response->add(*each.response_);
    }
    m.add(each.stalls_);
  }
  m.add_stops(system_.stops());
  if (jitter_->looked()) m.jitter = std::make_unique<histogram>(jitter_->gaps());
  return m;
}

}  // namespace bench

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
  static_cast<void>(system_.new_cycles());
  static_cast<void>(system_.stops());
  timeline_ = std::make_unique<timeline>(system_);
  // What takes long to find out comes first: its time is not the program's.
  const system_reading::figure returned = system_.read_all().returned_bytes;
  result_.before = system_.read();
  result_.before.returned_bytes = returned;
  result_.process = read_process_figures();
  const auto epoch = std::chrono::system_clock::now().time_since_epoch();
  result_.began_at_epoch_ms =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(epoch).count());
  result_.began = now_ns();
}

void recorder::end() {
  result_.wall_ns = now_ns() - result_.began;
  const process_figures now = read_process_figures();
  result_.process = {now.cpu_ns - result_.process.cpu_ns, now.minor_faults - result_.process.minor_faults,
                     now.major_faults - result_.process.major_faults};
  result_.end_resident = resident_bytes();
  result_.peak_resident = peak_resident_bytes();
  system_.wait_in([&] {
    timeline_->stop();
    jitter_->stop();
  });
  result_.after = system_.read_all();
}

measurement recorder::take() {
  measurement m = std::move(result_);
  m.samples = timeline_->samples();
  m.cycles = timeline_->cycles();
  m.tells_stalls = system_.tells_stalls();
  for (const lane& each : lanes_) {
    m.lanes_cpu_ns += each.cpu_ns_;
    m.service.add(each.service_);
    if (each.response_ != nullptr) {
      if (m.response == nullptr) m.response = std::make_unique<histogram>();
      m.response->add(*each.response_);
    }
    for (std::size_t i = 0; i < cause_names.size(); ++i) {
      const histogram* of = each.stalls_.of(static_cast<cause>(i));
      if (of == nullptr) continue;
      if (m.stalls[i] == nullptr) m.stalls[i] = std::make_unique<histogram>();
      m.stalls[i]->add(*of);
    }
    m.pauses.push_back(each.stalls_.remembered());
  }
  const std::vector<stall> stops = system_.stops();
  for (const stall& each : stops) {
    std::unique_ptr<histogram>& of = m.stalls[static_cast<std::size_t>(each.why)];
    if (of == nullptr) of = std::make_unique<histogram>();
    of->record(each.ns);
    for (std::vector<stall>& lane_pauses : m.pauses) lane_pauses.push_back(each);
  }
  if (jitter_->looked()) m.jitter = std::make_unique<histogram>(jitter_->gaps());
  return m;
}

}  // namespace bench

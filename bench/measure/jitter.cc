#include "jitter.h"

#include "clock.h"

namespace bench {

jitter_watch::jitter_watch(unsigned busy_threads, double seconds) : looked_(seconds > 0) {
  if (!looked_) return;
  if (busy_threads < std::thread::hardware_concurrency()) {
    beside_ = std::thread([this] { spin(); });
    return;
  }
  const std::uint64_t end = now_ns() + static_cast<std::uint64_t>(seconds * 1e9);
  for (std::uint64_t last = now_ns(); last < end;) {
    const std::uint64_t now = now_ns();
    if (now - last >= least_gap_ns) gaps_.record(now - last);
    last = now;
  }
}

void jitter_watch::stop() {
  done_ = true;
  if (beside_.joinable()) beside_.join();
}

void jitter_watch::spin() {
  std::uint64_t last = now_ns();
  while (!done_.load(std::memory_order_relaxed)) {
    const std::uint64_t now = now_ns();
    if (now - last >= least_gap_ns) gaps_.record(now - last);
    last = now;
  }
}

}  // namespace bench

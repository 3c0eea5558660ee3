// Nothing here waits for the collector with a lock held: a thread that wants the lock is no safepoint.
#include "watch.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "bench/measure/result.h"

namespace kv {

thread_local watch::thread_log* watch::own_ = nullptr;

void watch::join() {
  const std::lock_guard guard(lock_);
  own_ = &threads_.emplace_back();
}

void watch::tell(void* context, umber::stall_cause told, std::uint64_t since_ns, std::uint64_t ns) noexcept {
  const auto& of = *static_cast<watch*>(context);
  // relaxed: a stall at the very beginning counts or does not.
  if (own_ == nullptr || !of.is_on_.load(std::memory_order_relaxed)) return;
  const std::lock_guard guard(own_->lock);
  own_->stalls.add({since_ns, ns, bench::cause_of(told)});
}

void watch::begin(bench::measured_heap& heap) {
  const std::lock_guard guard(lock_);
  if (seen_ != nullptr) seen_->end();
  for (thread_log& each : threads_) {
    const std::lock_guard own(each.lock);
    each.stalls = {};
  }
  seen_ = std::make_unique<bench::observation>(heap);
  is_on_.store(true, std::memory_order_relaxed);  // relaxed: as in tell
}

void watch::end() {
  const std::lock_guard guard(lock_);
  if (seen_ != nullptr) seen_->end();
  seen_.reset();
}

std::string watch::report() {
  const std::lock_guard guard(lock_);
  if (seen_ == nullptr) return "";
  is_on_.store(false, std::memory_order_relaxed);  // relaxed: as in tell
  seen_->end();
  bench::measurement measured = seen_->take();
  seen_.reset();
  for (thread_log& each : threads_) {
    const std::lock_guard own(each.lock);
    measured.add(each.stalls);
  }
  nlohmann::ordered_json told = {{"began_ns", measured.began}};
  told.update(bench::to_json(measured));
  return told.dump();
}

}  // namespace kv

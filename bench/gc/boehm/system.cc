#include "system.h"

#include "../harness.h"

#include "bench/measure/clock.h"

#include <charconv>
#include <mutex>

namespace bench {

namespace {

// Written by who collects, with the allocation lock held: one at a time.
std::uint64_t stopping_since = 0;
std::mutex stops_lock;
std::vector<stall> stops_seen;

void on_event(GC_EventType event) {
  if (event == GC_EVENT_PRE_STOP_WORLD) {
    stopping_since = now_ns();
  } else if (event == GC_EVENT_POST_START_WORLD && stopping_since != 0) {
    const std::lock_guard guard(stops_lock);
    stops_seen.push_back({stopping_since, now_ns() - stopping_since, cause::stop});
    stopping_since = 0;
  }
}

// Between two collections it allocates at least a part of twice what lives and has links (and of a quarter of what has
// none); the divisor says which part, and is a whole number.
constexpr std::size_t most_percent = 200;
GC_word divisor_of(std::size_t percent) { return (most_percent + percent / 2) / percent; }

}  // namespace

const char* take_option(std::string_view name, std::string_view value, memory_choices& chosen) {
  if (name == "--workers") return "Boehm's collector takes its markers from GC_MARKERS in the environment";
  if (name == "--collector") return "Boehm's collector is the only one here";
  if (name != "--limit" && name != "--percent") return "there is no such option";
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size()) return "it takes a whole number";
  if (name == "--limit") {
    chosen.limit = number;
    return nullptr;
  }
  if (number == 0) return "a heap that may not grow would be collected all the time; it takes 1 to 200";
  if (number > most_percent) return "Boehm's collector lets a heap of links grow by 200 percent at the most";
  chosen.percent = number;
  return nullptr;
}

std::vector<std::pair<const char*, std::string>> listed(const memory_choices& chosen) {
  std::vector<std::pair<const char*, std::string>> result;
  if (chosen.limit) result.emplace_back("limit", std::to_string(*chosen.limit));
  if (!chosen.percent) return result;
  result.emplace_back("percent", std::to_string(*chosen.percent));
  result.emplace_back("free_space_divisor", std::to_string(divisor_of(*chosen.percent)));
  return result;
}

memory::memory(const memory_choices& chosen) {
  GC_INIT();
  GC_allow_register_threads();
  if (chosen.limit) GC_set_max_heap_size(*chosen.limit);
  if (chosen.percent) GC_set_free_space_divisor(divisor_of(*chosen.percent));
  if (chosen.never_by_itself) GC_set_free_space_divisor(1);
  GC_set_on_collection_event(on_event);
}

std::string memory::version() const {
  const unsigned v = GC_get_version();
  return std::to_string(v >> 16) + "." + std::to_string(v >> 8 & 0xff) + "." + std::to_string(v & 0xff);
}

system_reading memory::read() {
  system_reading r;
  r.allocated_bytes = GC_get_total_bytes();
  r.cycles = GC_get_gc_no();
  r.heap_bytes = GC_get_heap_size();
  r.live_bytes = GC_get_heap_size() - GC_get_free_bytes();
  return r;
}

std::vector<stall> memory::stops() {
  const std::lock_guard guard(stops_lock);
  return std::exchange(stops_seen, {});
}

attached::attached(memory&) {
  if (GC_thread_is_registered()) return;
  GC_stack_base base;
  if (GC_get_stack_base(&base) != GC_SUCCESS || GC_register_my_thread(&base) != GC_SUCCESS)
    fail("Boehm's collector does not take this thread");
  registered_ = true;
}

attached::~attached() {
  if (registered_) GC_unregister_my_thread();
}

std::span<const workload> own_workloads() { return {}; }

}  // namespace bench

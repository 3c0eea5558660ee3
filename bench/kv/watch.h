// What the collector does to the server while somebody loads it: `DEBUG WATCH` begins to look, `DEBUG REPORT` ends it
// and replies with what bench/run.md calls stalls, pauses, mmu, timeline, marking, cpu_ns and memory, as JSON.
//
// The mutators are the threads of the event loops. Each has a log of its own, behind a lock that nobody else wants
// until the report. Instants count from `began_ns`, which is by CLOCK_MONOTONIC: so a client on the same machine knows
// which of its requests were under way during a collection.
#pragma once

#include "bench/gc/umber/measured_heap.h"
#include "bench/measure/observation.h"

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

namespace kv {

class watch {
 public:
  // The calling thread is one of the mutators, from now until it ends.
  void join();
  // Looks anew; what was seen before is forgotten. Any attached thread, as the next.
  void begin(bench::measured_heap& heap);
  // Ends it. Empty: nobody has begun.
  [[nodiscard]] std::string report();
  // Ends it, if it is on: before the heap goes.
  void end();

  // For heap_options::on_stall, with the watch as its context.
  static void tell(void* context, umber::stall_cause told, std::uint64_t since_ns, std::uint64_t ns) noexcept;

 private:
  struct thread_log {
    std::mutex lock;
    bench::stall_log stalls;  // guarded by lock
  };

  static thread_local thread_log* own_;

  std::atomic<bool> is_on_{false};
  std::mutex lock_;
  std::deque<thread_log> threads_;            // guarded by lock_, as the next
  std::unique_ptr<bench::observation> seen_;  // null: nobody looks
};

}  // namespace kv

// umber's managed heap, and what it says of itself in the words of the measuring: for the workloads, and for the
// server.
#pragma once

#include "bench/measure/system_view.h"

#include <umber/heap.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace bench {

// What a heap calls a stall's cause, as runs are told of it; with the world stopped, answering and waiting are the
// stop.
[[nodiscard]] cause cause_of(umber::stall_cause told, bool stops = false);

class measured_heap : public system_view {
 public:
  explicit measured_heap(const umber::heap_options& options);

  [[nodiscard]] umber::heap& heap() { return heap_; }

  [[nodiscard]] std::string name() const override { return "umber"; }
  [[nodiscard]] std::string version() const override;
  [[nodiscard]] system_reading read() override;
  [[nodiscard]] system_reading read_all() override;
  [[nodiscard]] std::vector<cycle_seen> new_cycles() override;
  // By who has given the options an `on_stall`.
  [[nodiscard]] bool tells_stalls() const override { return true; }
  void collect() override { heap_.collect(); }
  void wait_in(const std::function<void()>& waiting) override {
    const umber::blocking here;
    waiting();
  }
  void safepoint() override { umber::safepoint(); }

 private:
  umber::heap heap_;
  std::uint64_t made_at_;
  std::uint64_t last_cycle_ = 0;
};

}  // namespace bench

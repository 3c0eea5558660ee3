// What a system and its process do between two instants, whoever works meanwhile: processor time, page faults, what the
// system says of itself, and its memory and cycles over time. The times of operations are not seen here (recorder.h).
#pragma once

#include "histogram.h"
#include "process_figures.h"
#include "stalls.h"
#include "system_view.h"
#include "timeline.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace bench {

// The operations of a lane in ten parts of as many each, and how long they took: that tells who has to warm up.
using tenths = std::array<std::uint64_t, 10>;

// What was measured.
struct measurement {
  std::uint64_t began = 0;  // by now_ns()
  std::uint64_t wall_ns = 0;
  std::uint64_t began_at_epoch_ms = 0;
  process_figures process{};
  std::uint64_t lanes_cpu_ns = 0;
  std::uint64_t end_resident = 0;
  std::uint64_t peak_resident = 0;
  // Once it had ended and all had been collected, while what was held was still held.
  std::optional<std::uint64_t> settled_resident, settled_live;
  system_reading before, after;
  bool tells_stalls = false;
  histogram service;
  tenths parts{};  // of all lanes; all zero where operations were not numbered
  std::unique_ptr<histogram> response;
  std::array<std::unique_ptr<histogram>, cause_names.size()> stalls;
  std::vector<std::vector<stall>> pauses;  // of each mutator
  std::vector<memory_sample> samples;
  std::vector<cycle_seen> cycles;
  std::unique_ptr<histogram> jitter;

  // What one mutator was held up for.
  void add(const stall_log& of);
  // What held up all of them, once they are added.
  void add_stops(const std::vector<stall>& stops);
};

class observation {
 public:
  // Begins: what was before does not count.
  explicit observation(system_view& system);
  // Waits inside of the system's `wait_in`.
  void end();
  // It has ended, and all has been collected: what is held now.
  void settle();
  // Once it has ended.
  [[nodiscard]] measurement take() { return std::move(result_); }
  [[nodiscard]] std::uint64_t began() const { return result_.began; }

 private:
  system_view& system_;
  measurement result_;
  std::optional<timeline> timeline_;
};

}  // namespace bench

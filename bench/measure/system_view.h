// The one thing the measuring knows of the memory it measures: an object that reads what the system says of itself, and
// does what every system does in a way of its own.
#pragma once

#include "stalls.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace bench {

// What a system says of itself at one time; sums are since it began. Absent is what it does not say.
struct system_reading {
  using figure = std::optional<std::uint64_t>;

  figure allocated_bytes, allocated_objects, freed_bytes, returned_bytes, cycles;
  // Processor time. `mark` and `sweep` are of the system's own threads, `collector` is all but the mutator's own.
  figure mutator_ns, mark_ns, sweep_ns, assist_ns, barrier_ns, collector_ns;
  figure live_bytes, goal_bytes, heap_bytes, metadata_bytes;
};

struct cycle_seen {
  std::uint64_t at;  // by now_ns()
  std::uint64_t ns;
  std::optional<std::uint64_t> mark_ns, live_bytes, goal_bytes;
};

class system_view {
 public:
  virtual ~system_view() = default;

  // Which one, and what it says of its version.
  [[nodiscard]] virtual std::string name() const = 0;
  [[nodiscard]] virtual std::string version() const = 0;
  // By any thread, at any time.
  [[nodiscard]] virtual system_reading read() { return {}; }
  // The same, and what takes longer to find out; while nothing is measured.
  [[nodiscard]] virtual system_reading read_all() { return read(); }
  // Cycles since the last call. By one thread at a time.
  [[nodiscard]] virtual std::vector<cycle_seen> new_cycles() { return {}; }
  // Whether it says when it holds a mutator up, by lane::stalled() or in `stops`.
  [[nodiscard]] virtual bool tells_stalls() const { return false; }
  // Times when it held all mutators up, of the whole run.
  [[nodiscard]] virtual std::vector<stall> stops() { return {}; }
  // A whole collection, where there is one; by an attached thread.
  virtual void collect() {}
  // By an attached thread: it waits, and the system does not wait for it; it is about to go on.
  virtual void wait_in(const std::function<void()>& waiting) { waiting(); }
  virtual void safepoint() {}
};

}  // namespace bench

// One run of a row under a system: the command, what it printed, and whether that can be believed.
#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

#include "gc_plan.h"
#include "gc_systems.h"
#include "process.h"

namespace umber::tool {

struct run_limits {
  double seconds = 0;
  // Resident, with all its children.
  std::uint64_t bytes = 0;
  // The processors that every run is bound to, as taskset takes them; all when empty.
  std::string processors;
};

// When `problem` is not empty the object means nothing.
struct gc_run {
  // The object of bench/run.md, with what was seen from outside.
  nlohmann::ordered_json object;
  std::string problem;
  // The system said that it cannot honour the arguments: that is no failure.
  bool unsupported = false;
};

[[nodiscard]] command_line command_of(const gc_row& row, const gc_system& system, const run_limits& limits);

[[nodiscard]] gc_run run_once(const gc_row& row, const gc_system& system, const run_limits& limits);

}  // namespace umber::tool

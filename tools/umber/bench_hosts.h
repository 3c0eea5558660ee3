// Real programs that live by their heap, driven by the scripts of bench/hosts. Those that are installed become rows.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "bench_job.h"

namespace umber::tool {

struct host_program {
  const char* program;
  const char* description;
};

[[nodiscard]] std::span<const host_program> known_hosts();

// A row for each host that is installed. `scale` is passed to the scripts that take one.
[[nodiscard]] std::vector<job> host_jobs(double scale);

}  // namespace umber::tool

// `umber bench malloc --evolution`: the textbook allocators of bench/evolution in the order of history, and umber.
#pragma once

#include <vector>

#include "bench_job.h"
#include "bench_results.h"
#include "evolution.h"

namespace umber::tool {

// Those named, or all; umber is always among them. Throws `failure` with status 2 for a name that there is not.
[[nodiscard]] std::vector<allocator> textbook_allocators(const std::vector<std::string>& names);

// The patterns by which they are measured.
[[nodiscard]] std::vector<job> evolution_jobs(const job_options& options);

// Each step between two that were measured, in the figures that it was taken for.
[[nodiscard]] std::vector<evolution_step> allocator_steps(const comparison& all);

}  // namespace umber::tool

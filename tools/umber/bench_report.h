// What `umber bench malloc` prints and writes: the table, the commands, the JSON document.
#pragma once

#include <string>
#include <vector>

#include "bench_results.h"
#include "evolution.h"

namespace umber::tool {

// The table of the timed rows with geometric means, that of the memory scenarios, and a line for each failure.
[[nodiscard]] std::string report_text(const comparison& all);

// For each row the command that reproduces it, for a shell.
[[nodiscard]] std::string commands_text(const comparison& all);

// Everything measured, every single run included; of the evolution also its steps.
[[nodiscard]] std::string report_json(const comparison& all, const std::vector<evolution_step>& steps, int runs,
                                      double scale);

}  // namespace umber::tool

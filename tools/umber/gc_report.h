// What `umber bench gc` prints: a table for each row, the studies, and a line for all that is missing or went wrong.
#pragma once

#include <string>

#include "gc_results.h"

namespace umber::tool {

[[nodiscard]] std::string gc_report(const gc_results& all);

// For each row and system the command that reproduces it, for a shell.
[[nodiscard]] std::string gc_commands(const gc_results& all);

}  // namespace umber::tool

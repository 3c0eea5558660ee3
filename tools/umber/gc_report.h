// What `umber bench gc` prints: a table for each row as soon as it is measured, and at the end the studies over all
// rows, the targets, and a line for all that is missing or went wrong.
#pragma once

#include <string>

#include "gc_results.h"

namespace umber::tool {

// Empty for a row whose figure counts only beside others, as a point of a study, and for one that nobody could do.
[[nodiscard]] std::string gc_row_report(const gc_row_result& result);

[[nodiscard]] std::string gc_summary(const gc_results& all);

// For each row and system the command that reproduces it, for a shell.
[[nodiscard]] std::string gc_commands(const gc_results& all);

}  // namespace umber::tool

// Histograms of a run as a log of the HdrHistogram project, version 1.3, which its own tools and plotters read.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace umber::tool {

// The head of a log; the lines of its runs follow.
[[nodiscard]] std::string hlog_head(const std::string& what);

// One line for each histogram of a run that is an object of bench/run.md, tagged with its name: response, service,
// jitter, and as in the logs of the programs stall-CAUSE. A count is recorded at the highest value of its bucket, to
// two digits.
[[nodiscard]] std::string hlog_lines(const nlohmann::ordered_json& run);

}  // namespace umber::tool

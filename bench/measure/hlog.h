// HdrHistogram's log format, version 1.3, which its tools read and plot (HistogramLogProcessor, HistogramLogAnalyzer).
#pragma once

#include "histogram.h"
#include "recorder.h"

#include <string>

namespace bench {

// One histogram in the library's compressed encoding (V2), as base64. Throws std::runtime_error.
[[nodiscard]] std::string encoded(const histogram& h);

// What a log begins with; `times` are lines that say what its instants count from, if it is not 1970.
[[nodiscard]] std::string histogram_log_head(const std::string& times = "");
// An interval of it; both times in seconds. `max_ns` is exact, where the histogram knows only its bucket.
[[nodiscard]] std::string histogram_log_line(const std::string& tag, double start, double seconds, double max_ns,
                                             const histogram& h);

// A whole log: one interval, with a tag each for service and response times and for stalls by cause.
[[nodiscard]] std::string histogram_log(const measurement& m);

}  // namespace bench

// HdrHistogram's log format, version 1.3, which its tools read and plot (HistogramLogProcessor, HistogramLogAnalyzer).
#pragma once

#include "histogram.h"
#include "recorder.h"

#include <string>

namespace bench {

// One histogram in the library's compressed encoding (V2), as base64. Throws std::runtime_error.
[[nodiscard]] std::string encoded(const histogram& h);

// A whole log: one interval, with a tag each for service and response times and for stalls by cause.
[[nodiscard]] std::string histogram_log(const measurement& m);

}  // namespace bench

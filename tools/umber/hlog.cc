// The histograms come as buckets in JSON; the encoding is that of bench/measure.
#include "hlog.h"

#include <fmt/format.h>

#include "bench/measure/hlog.h"

namespace umber::tool {

namespace {

using json = nlohmann::ordered_json;

std::string line_of(const std::string& tag, const json& from, double start, double seconds) {
  if (!from.is_object() || !from.contains("buckets") || !from.contains("max")) return "";
  bench::histogram counted;
  for (const json& bucket : from["buckets"])
    counted.record(bucket.at(0).get<std::uint64_t>(), bucket.at(1).get<std::uint64_t>());
  return bench::histogram_log_line(tag, start, seconds, from["max"].get<double>(), counted);
}

}  // namespace

std::string hlog_head(const std::string& what) { return fmt::format("#[{}]\n{}", what, bench::histogram_log_head()); }

std::string hlog_lines(const json& run) {
  const double start = run["outside"]["started"].get<double>();
  const double seconds = run["wall_ns"].get<double>() / 1e9;
  std::string text;
  for (const char* name : {"response", "service", "probe", "probe_collecting", "jitter"}) {
    const std::string field = std::string(name) + "_ns";
    if (run.contains(field)) text += line_of(name, run[field], start, seconds);
  }
  if (!run.contains("stalls")) return text;
  for (const auto& [cause, histogram] : run["stalls"].items())
    text += line_of("stall-" + cause, histogram, start, seconds);
  return text;
}

}  // namespace umber::tool

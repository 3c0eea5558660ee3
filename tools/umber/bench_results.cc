// Arithmetic only; the report and the JSON file both show what is computed here.
#include "bench_results.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "statistics.h"

namespace umber::tool {

namespace {

std::vector<double> gather(const std::vector<measurement>& runs, double measurement::*figure) {
  std::vector<double> values;
  for (const measurement& each : runs) values.push_back(each.*figure);
  return values;
}

}  // namespace

bool row_result::failed() const {
  const bool broken =
      std::any_of(cells.begin(), cells.end(), [](const auto& each) { return !each.second.problem.empty(); });
  return broken || !disagreement.empty();
}

bool comparison::failed() const {
  return std::any_of(rows.begin(), rows.end(), [](const row_result& each) { return each.failed(); });
}

cell summarise(std::vector<measurement> runs) {
  cell result;
  result.runs = std::move(runs);
  for (const measurement& each : result.runs) {
    if (each.problem.empty()) continue;
    result.problem = each.problem;
    return result;
  }
  const std::vector<double> seconds = gather(result.runs, &measurement::seconds);
  if (seconds.empty()) return result;
  result.seconds = median(seconds);
  result.fastest = *std::min_element(seconds.begin(), seconds.end());
  result.slowest = *std::max_element(seconds.begin(), seconds.end());
  result.peak_rss_kb = median(gather(result.runs, &measurement::peak_rss_kb));
  result.value = median(gather(result.runs, &measurement::value));
  return result;
}

void compare_checksums(row_result& result) {
  agreement found;
  for (const auto& [name, each] : result.cells) {
    for (const measurement& run : each.runs) {
      if (run.problem.empty()) found.add(name, run.checksum);
    }
  }
  result.disagreement = found.disagreement();
}

std::optional<ratio> relative(const row_result& result, const std::string& name, const std::string& baseline) {
  const auto own = result.cells.find(name);
  const auto other = result.cells.find(baseline);
  if (own == result.cells.end() || other == result.cells.end()) return std::nullopt;
  if (!own->second.problem.empty() || !other->second.problem.empty()) return std::nullopt;
  if (other->second.seconds <= 0 || other->second.peak_rss_kb <= 0) return std::nullopt;
  return ratio{own->second.seconds / other->second.seconds, own->second.peak_rss_kb / other->second.peak_rss_kb};
}

std::optional<ratio> geometric_mean(const comparison& all, const std::string& name, const std::string& group) {
  double time = 0;
  double memory = 0;
  int count = 0;
  for (const row_result& each : all.rows) {
    if (!each.is_timed() || (!group.empty() && each.row.group != group)) continue;
    const auto one = relative(each, name, all.baseline);
    if (!one || one->time <= 0 || one->memory <= 0) continue;
    time += std::log(one->time);
    memory += std::log(one->memory);
    ++count;
  }
  if (count == 0) return std::nullopt;
  return ratio{std::exp(time / count), std::exp(memory / count)};
}

}  // namespace umber::tool

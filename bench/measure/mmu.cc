#include "mmu.h"

#include <algorithm>
#include <cmath>

namespace bench {

namespace {

// How much of the time before an instant was paused; the instants asked for never go back.
class paused_before {
 public:
  explicit paused_before(std::span<const interval> pauses) : pauses_(pauses) {}

  std::uint64_t operator()(std::uint64_t instant) {
    while (next_ < pauses_.size() && pauses_[next_].at + pauses_[next_].ns <= instant) whole_ += pauses_[next_++].ns;
    const bool within = next_ < pauses_.size() && pauses_[next_].at < instant;
    return whole_ + (within ? instant - pauses_[next_].at : 0);
  }

 private:
  std::span<const interval> pauses_;
  std::size_t next_ = 0;
  std::uint64_t whole_ = 0;
};

}  // namespace

std::vector<interval> disjoint(std::vector<interval> pauses, std::uint64_t run_ns) {
  std::sort(pauses.begin(), pauses.end(), [](const interval& a, const interval& b) { return a.at < b.at; });
  std::vector<interval> result;
  for (interval each : pauses) {
    if (each.at >= run_ns) break;
    each.ns = std::min(each.ns, run_ns - each.at);
    if (!result.empty() && each.at <= result.back().at + result.back().ns) {
      interval& last = result.back();
      last.ns = std::max(last.at + last.ns, each.at + each.ns) - last.at;
    } else if (each.ns > 0) {
      result.push_back(each);
    }
  }
  return result;
}

double least_utilisation(std::span<const interval> pauses, std::uint64_t run_ns, std::uint64_t window_ns) {
  // What is paused in a window changes with where it begins as a line does, which bends where either end of the window
  // meets either end of a pause. So the worst window begins where a pause begins or ends where one ends, or would if
  // that were within the run.
  std::uint64_t worst = 0;
  const std::uint64_t last_begin = run_ns - window_ns;
  const auto try_all = [&](auto begin_of) {
    paused_before at_begin(pauses), at_end(pauses);
    for (const interval& each : pauses) {
      const std::uint64_t begin = std::min(begin_of(each), last_begin);
      worst = std::max(worst, at_end(begin + window_ns) - at_begin(begin));
    }
  };
  try_all([](const interval& each) { return each.at; });
  try_all([=](const interval& each) {
    const std::uint64_t end = each.at + each.ns;
    return end > window_ns ? end - window_ns : 0;
  });
  return 1 - static_cast<double>(worst) / static_cast<double>(window_ns);
}

std::vector<utilisation> utilisation_curve(std::span<const std::vector<interval>> mutators, std::uint64_t run_ns) {
  constexpr int least_decade = 3, decades = 6, per_decade = 4;
  std::vector<utilisation> result;
  for (int i = 0; i <= decades * per_decade; ++i) {
    const auto window = static_cast<std::uint64_t>(std::llround(std::pow(10.0, least_decade + i / double{per_decade})));
    if (window > run_ns) break;
    double least = 1;
    for (const std::vector<interval>& pauses : mutators)
      least = std::min(least, least_utilisation(pauses, run_ns, window));
    result.push_back({window, least});
  }
  return result;
}

}  // namespace bench

// Minimum mutator utilisation (Cheng and Blelloch, 2001): of all windows of one length within a run, the smallest share
// that the mutator had for itself. One long pause and many short ones in a row are the same to it, as they are to a
// program with a deadline.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace bench {

// A time that a mutator could not use.
struct interval {
  std::uint64_t at = 0;  // ns since the run began
  std::uint64_t ns = 0;
};

// Sorted, cut to the run, and those that touch or overlap made one.
[[nodiscard]] std::vector<interval> disjoint(std::vector<interval> pauses, std::uint64_t run_ns);

// Of one mutator, whose pauses are disjoint. The window is not longer than the run.
[[nodiscard]] double least_utilisation(std::span<const interval> pauses, std::uint64_t run_ns, std::uint64_t window_ns);

struct utilisation {
  std::uint64_t window_ns;
  double share;
};

// For windows of 1 us to 1 s, four a decade, as far as the run is long: the least of all mutators.
[[nodiscard]] std::vector<utilisation> utilisation_curve(std::span<const std::vector<interval>> mutators,
                                                         std::uint64_t run_ns);

}  // namespace bench

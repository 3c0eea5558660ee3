// How much goes back to the system now, and when to look again: arithmetic only.
//
// At each tick the scavenger notes how many pages are in use. The highest use within the decay time is what the process
// is likely to want again, so as many pages stay, in use or free; what is free beyond that is due. So memory that comes
// and goes within the decay time is not given back and faulted in again, and what is not used for that long is: all of
// it, converging on what is in use. What is used between two ticks only is not seen.
//
//     pages ^          ____ kept: the highest use of the decay time
//           |    /\___/    \______
//           |   /  \  /\          |  <- due: free pages above the line
//           |__/    \/  \_________|____ in use
//           +---------------------------> time
//
// The rate is bounded by processor time, for a page that goes back costs what the system makes of it: a tick ends after
// 5 ms of giving back, and after a tick of t, whatever it did, comes a pause of at least 20 t. So the thread never
// takes more than a twentieth of a processor, and what is due waits.
//
// Invariants
//   [scavenge_pace.1] pages in use and free ones that stay are no fewer than the highest use noted in the decay time.
// Concurrency
//   `demand` belongs to one thread; the rest are pure functions.
// Uses / used by
//   Uses units. Used by scavenger.
#pragma once

#include "units.h"

#include <algorithm>
#include <cstdint>

namespace umber::alloc::scavenger {

inline constexpr std::uint64_t tick_ns = 100'000'000;
inline constexpr std::uint64_t most_cpu_a_tick_ns = 5'000'000;
inline constexpr std::uint64_t pause_for_each_ns = 20;
inline constexpr page_count worth_waking = page_count::covering(256 * kib);

// What the process used at its highest within the decay time.
class demand {
 public:
  explicit constexpr demand(std::uint64_t decay_ns) : ticks_(decay_ns / tick_ns + 1) {
    ticks_per_entry_ = (ticks_ + most_entries - 2) / (most_entries - 1);
    length_ = (ticks_ - 1) / ticks_per_entry_ + 1 + (ticks_per_entry_ > 1);  // one more: the newest is not full
  }

  // Once a tick: the pages in use. The highest of those of the decay time, these included.
  constexpr page_count highest(page_count in_use) {
    page_count& newest = entries_[now_ / ticks_per_entry_ % length_];
    if (now_++ % ticks_per_entry_ == 0 || newest < in_use) newest = in_use;
    page_count most{0};
    for (std::size_t i = 0; i < length_; ++i)
      if (entries_[i] > most) most = entries_[i];
    return most;
  }
  // After this many ticks in which there was nothing to do the thread may sleep: idle processors and half-used spans
  // have had their turn.
  constexpr std::size_t quiet_ticks() const { return 2 * (ticks_ - 1) + 10; }

 private:
  static constexpr std::size_t most_entries = 64;

  page_count entries_[most_entries] = {};  // each the highest of some ticks
  std::size_t ticks_;                      // of the decay time
  std::size_t ticks_per_entry_ = 1;
  std::size_t length_ = 0;  // of these entries, used
  std::size_t now_ = 0;     // ticks so far
};

// Of the free pages that the system has not got back: how many it gets now. `highest` is what demand says of `in_use`,
// `expected` how many a managed heap is about to take.
constexpr page_count due(page_count in_use, page_count highest, page_count unscavenged, page_count expected) {
  const page_count keep = std::max(highest - in_use, expected);
  return unscavenged > keep ? unscavenged - keep : page_count{0};
}
// Whether a tick that has taken this much processor time may give back more.
constexpr bool may_go_on(std::uint64_t cpu_ns) { return cpu_ns < most_cpu_a_tick_ns; }
// Until the next tick, after one that took this much processor time.
constexpr std::uint64_t pause_after(std::uint64_t cpu_ns) {
  const std::uint64_t wanted = cpu_ns * pause_for_each_ns;
  return wanted > tick_ns ? wanted : tick_ns;
}
// Whether there is something left to wait for.
constexpr bool is_worth_another_tick(page_count unscavenged) { return unscavenged >= worth_waking; }

}  // namespace umber::alloc::scavenger

// What mutators wait for the engine: how often, how long, and for what.
//
// Each mutator counts for itself, by plain loads and stores; who asks adds them up, and what a mutator has counted
// stays with the heap when it leaves. Durations go to buckets by their logarithm: bucket i is of those below 2^i times
// 128 ns (and not in a lower one), the last has all that are longer.
//
// How long a thread waited is not how long it was busy: it may have lost the processor meanwhile. Where that is told it
// is counted as it is, else as the time that passed, at most `most_busy_ns`: what is meant to take microseconds and
// took longer was not all work. So the sum of a million sweeps is right to a few percent, and costs no clock of its
// own.
//
// Invariants
//   [stalls.1] count is the sum of the buckets, once the mutator rests.
// Concurrency
//   `add` and `take_over`: one thread, or a lock. `add_to`: anybody.
// Uses / used by
//   Uses the public heap.h. Used by mutator, managed_heap.
#pragma once

#include "alloc/base.h"

#include <umber/heap.h>

#include <bit>

namespace umber::gc {

using namespace alloc;

constexpr std::size_t stall_bucket(std::uint64_t ns) {
  const auto i = static_cast<std::size_t>(std::bit_width(ns / stall_histogram::shortest_ns));
  return i < stall_histogram::buckets ? i : stall_histogram::buckets - 1;
}

class stall_record {
 public:
  static constexpr std::uint64_t most_busy_ns = 200'000;

  static constexpr std::uint64_t unknown = UINT64_MAX;

  static constexpr std::uint64_t likely_busy(std::uint64_t passed_ns) {
    return passed_ns < most_busy_ns ? passed_ns : most_busy_ns;
  }

  void add(stall_cause cause, std::uint64_t ns, std::uint64_t busy_ns = unknown) {
    counters& c = of_[static_cast<std::size_t>(cause)];
    raise(c.buckets[stall_bucket(ns)], 1);
    raise(c.total_ns, ns);
    raise(c.busy_ns, busy_ns != unknown ? busy_ns : likely_busy(ns));
    // relaxed, both: written by one thread.
    if (ns > c.longest_ns.load(std::memory_order_relaxed)) c.longest_ns.store(ns, std::memory_order_relaxed);
  }
  void add_to(stall_histogram (&into)[stall_causes]) const {
    for (std::size_t i = 0; i < stall_causes; ++i) {
      // relaxed, all: figures, each by itself.
      for (std::size_t b = 0; b < stall_histogram::buckets; ++b) {
        const std::uint64_t n = of_[i].buckets[b].load(std::memory_order_relaxed);
        into[i].counts[b] += n;
        into[i].count += n;
      }
      into[i].total_ns += of_[i].total_ns.load(std::memory_order_relaxed);
      const std::uint64_t longest = of_[i].longest_ns.load(std::memory_order_relaxed);
      if (longest > into[i].longest_ns) into[i].longest_ns = longest;
    }
  }
  // Processor time.
  std::uint64_t busy_ns(stall_cause cause) const {
    return of_[static_cast<std::size_t>(cause)].busy_ns.load(std::memory_order_relaxed);  // relaxed: a figure
  }
  // Adds what the other has counted, and lets it begin afresh.
  void take_over(stall_record& other) {
    for (std::size_t i = 0; i < stall_causes; ++i) {
      for (std::size_t b = 0; b < stall_histogram::buckets; ++b) move(of_[i].buckets[b], other.of_[i].buckets[b]);
      move(of_[i].total_ns, other.of_[i].total_ns);
      move(of_[i].busy_ns, other.of_[i].busy_ns);
      // relaxed, all: written by one thread.
      const std::uint64_t longest = other.of_[i].longest_ns.load(std::memory_order_relaxed);
      if (longest > of_[i].longest_ns.load(std::memory_order_relaxed))
        of_[i].longest_ns.store(longest, std::memory_order_relaxed);
      other.of_[i].longest_ns.store(0, std::memory_order_relaxed);
    }
  }

 private:
  using counter = std::atomic<std::uint64_t>;
  struct counters {
    counter buckets[stall_histogram::buckets] = {};
    counter total_ns{0};
    counter busy_ns{0};
    counter longest_ns{0};
  };

  static void raise(counter& c, std::uint64_t by) {
    c.store(c.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);  // relaxed, both: one thread writes
  }
  static void move(counter& to, counter& from) {
    raise(to, from.load(std::memory_order_relaxed));  // relaxed, both: one thread writes
    from.store(0, std::memory_order_relaxed);
  }

  counters of_[stall_causes];
};

}  // namespace umber::gc

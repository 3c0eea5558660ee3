// Nanoseconds on the scale of CLOCK_MONOTONIC, read from the processor's time stamp counter where that is steady.
//
// On a virtual machine with 2 cores (Xeon) clock_gettime takes 23 to 58 ns, rdtsc 12 to 21: with the recording of a
// value (3 ns) only the second keeps an operation's cost below 30 ns. The counter's rate is taken from the system's
// clock over 10 ms when the program starts, to about 5 in a million; no barrier orders it with the instructions around
// it, of which some tens may be counted on the wrong side: 10 ns, of either sign.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace bench {

// The system's own clock, for what happens rarely.
[[nodiscard]] std::uint64_t system_clock_ns();

class tick_clock {
 public:
  tick_clock();

  // Whether ticks are of the processor's counter, and not of the system's clock.
  [[nodiscard]] bool reads_counter() const { return reads_counter_; }

  [[nodiscard]] std::uint64_t now() const {
#if defined(__x86_64__)
    if (__builtin_expect(reads_counter_, true)) {
      const auto passed = static_cast<unsigned __int128>(__rdtsc() - first_tick_) * ns_per_tick_;
      return first_ns_ + static_cast<std::uint64_t>(passed >> fraction_bits);
    }
#endif
    return system_clock_ns();
  }

 private:
  static constexpr int fraction_bits = 32;

  bool reads_counter_ = false;
  std::uint64_t first_tick_ = 0;
  std::uint64_t first_ns_ = 0;
  std::uint64_t ns_per_tick_ = 0;  // in fractions of 2^-32
};

// The one of this program.
extern const tick_clock ticks;

[[nodiscard]] inline std::uint64_t now_ns() { return ticks.now(); }

}  // namespace bench

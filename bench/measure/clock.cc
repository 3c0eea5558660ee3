#include "clock.h"

#include <ctime>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace bench {

std::uint64_t system_clock_ns() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(t.tv_nsec);
}

namespace {

#if defined(__x86_64__)

// Whether the counter runs at one rate whatever the processor does, and is the same on all cores.
bool counter_is_steady() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(0x80000007u, &a, &b, &c, &d) != 0 && (d & (1u << 8)) != 0;
}

struct instant {
  std::uint64_t tick;
  std::uint64_t ns;
};

// Both clocks at one time: the narrowest of some tries, since the thread may be held up between the two.
instant both_clocks() {
  instant best{};
  std::uint64_t narrowest = UINT64_MAX;
  for (int i = 0; i < 32; ++i) {
    const std::uint64_t before = __rdtsc();
    const std::uint64_t ns = system_clock_ns();
    const std::uint64_t width = __rdtsc() - before;
    if (width >= narrowest) continue;
    narrowest = width;
    best = {before + width / 2, ns};
  }
  return best;
}

#endif

}  // namespace

tick_clock::tick_clock() {
#if defined(__x86_64__)
  if (!counter_is_steady()) return;
  constexpr std::uint64_t long_enough = 10'000'000;
  const instant first = both_clocks();
  while (system_clock_ns() - first.ns < long_enough) continue;
  const instant last = both_clocks();
  const auto ns = static_cast<unsigned __int128>(last.ns - first.ns) << fraction_bits;
  first_tick_ = first.tick;
  first_ns_ = first.ns;
  ns_per_tick_ = static_cast<std::uint64_t>(ns / (last.tick - first.tick));
  reads_counter_ = true;
#endif
}

const tick_clock ticks;

}  // namespace bench

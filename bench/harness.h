// The harness every workload is written against: its parameters, what it hands back, and the few helpers that keep a
// workload honest and repeatable.
//
// A workload is one function that does a fixed amount of heap work and returns a checksum. The checksum is computed
// from what was written to and read back from blocks, and does not depend on how threads interleave: the same workload
// with the same parameters gives the same checksum under every allocator, or one of them handed out overlapping or
// damaged memory. The random numbers come from fixed seeds for the same reason. The program links nothing but libc and
// libstdc++, and the harness itself allocates nothing while a workload runs, so that the peak memory it reports is the
// workload's own.
#pragma once

#include "basics.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace bench {

// What the command line chose. `scale` multiplies the amount of work, 1.0 being half a second or so.
struct params {
  unsigned threads;
  double scale;

  // Returns `count` times the scale, at least `least`.
  [[nodiscard]] std::size_t scaled(std::size_t count, std::size_t least = 1) const {
    const auto result = static_cast<std::size_t>(static_cast<double>(count) * scale);
    return result < least ? least : result;
  }
};

// One figure of a memory scenario, in place of the time: its unit is part of its name, as in `rss_after_5s_kb`.
struct metric {
  const char* name = nullptr;
  double value = 0;
};

// What a workload hands back. `seconds` stays zero unless the workload timed a part of itself.
struct outcome {
  std::uint64_t checksum = 0;
  std::uint64_t operations = 0;
  double seconds = 0;
  metric figure = {};
  std::size_t sample_count = 0;
  std::uint64_t samples_kb[8] = {};
};

// One row of the table in workloads.cc. A `default_threads` of zero means one thread per core, at most four.
struct workload {
  const char* name;
  const char* group;
  const char* description;
  unsigned default_threads;
  outcome (*run)(const params&);
};

// Writes `mark` at both ends of a block: enough to touch a small block whole and to catch overlap in a large one.
inline void stamp(void* block, std::size_t size, std::uint64_t mark) {
  auto* bytes = static_cast<unsigned char*>(block);
  if (size < sizeof mark) {
    std::memcpy(bytes, &mark, size);
    return;
  }
  std::memcpy(bytes + size - sizeof mark, &mark, sizeof mark);
  std::memcpy(bytes, &mark, sizeof mark);
}

// Reads back what stamp() wrote at both ends.
[[nodiscard]] inline std::uint64_t read_stamp(const void* block, std::size_t size) {
  const auto* bytes = static_cast<const unsigned char*>(block);
  std::uint64_t first = 0;
  if (size < sizeof first) {
    std::memcpy(&first, bytes, size);
    return first;
  }
  std::uint64_t last = 0;
  std::memcpy(&first, bytes, sizeof first);
  std::memcpy(&last, bytes + size - sizeof last, sizeof last);
  return first + 3 * last;
}

// Allocates with malloc and stamps the block.
[[nodiscard]] inline void* allocate_stamped(std::size_t size, std::uint64_t mark) {
  void* block = std::malloc(size);
  if (block == nullptr) fail("malloc returned null");
  escape(block);
  stamp(block, size, mark);
  return block;
}

// Frees a block made by allocate_stamped() and returns what was read from it.
inline std::uint64_t free_stamped(void* block, std::size_t size) {
  escape(block);
  const std::uint64_t value = read_stamp(block, size);
  std::free(block);
  return value;
}

}  // namespace bench

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

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

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

// Ends the program with one line on stderr. Used where a workload cannot go on, such as malloc returning null.
[[noreturn]] void fail(const char* why);

// Returns a field of /proc/self/status such as "VmRSS:" or "VmHWM:" in KiB, without touching the heap.
[[nodiscard]] std::uint64_t status_kb(const char* field);

// Makes the compiler believe that memory behind `pointer` is read and written here, so that no allocation is optimised
// away.
inline void escape(void* pointer) { asm volatile("" : : "g"(pointer) : "memory"); }

// Marsaglia's xorshift64*: small, fast, and the same everywhere.
class random_source {
 public:
  explicit random_source(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15u + 0x1234567u) {}

  std::uint64_t next() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545F4914F6CDD1Du;
  }

  // Returns a number in [0, bound), by multiplication instead of division so that it costs little beside malloc.
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(((next() >> 32) * bound) >> 32); }

  // Returns a number in [low, high].
  std::size_t between(std::size_t low, std::size_t high) { return low + below(high - low + 1); }

 private:
  std::uint64_t state_;
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

// Runs `body(index)` on `count` threads and returns the sum of what they return. One thread means the calling thread.
template <typename Body>
std::uint64_t on_threads(unsigned count, Body body) {
  if (count == 1) return body(0u);
  std::vector<std::uint64_t> results(count);
  std::vector<std::thread> threads;
  threads.reserve(count);
  for (unsigned index = 0; index < count; ++index) {
    threads.emplace_back([&results, &body, index] { results[index] = body(index); });
  }
  std::uint64_t sum = 0;
  for (unsigned index = 0; index < count; ++index) {
    threads[index].join();
    sum += results[index];
  }
  return sum;
}

}  // namespace bench

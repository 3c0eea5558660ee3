// What every program of the bench needs: repeatable random numbers, threads, and a plain end when something is wrong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <thread>
#include <vector>

namespace bench {

// Ends the program with one line on stderr. Used where a workload cannot go on, such as malloc returning null.
[[noreturn]] void fail(const char* why);

// The beginning of a file, as much as `into` holds; empty when it cannot be read. Does not touch the heap.
[[nodiscard]] std::string_view read_file(const char* path, std::span<char> into);

// The first number in a text, 0 without one.
[[nodiscard]] std::uint64_t number_in(std::string_view text);

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

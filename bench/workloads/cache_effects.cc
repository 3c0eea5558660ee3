// False sharing, after Hoard's cache-thrash and cache-scratch (Berger et al. 2000). Threads write tiny blocks of their
// own many times: if the allocator gave blocks of one cache line to two threads, they slow each other down. In the
// scratch form the first blocks come from the main thread, side by side, and a careless allocator keeps reusing them.
#include "../workloads.h"

namespace bench {

namespace {

constexpr std::size_t size = 8;
constexpr std::size_t writes = 200000;

// Writes every byte of a block many times, through a volatile pointer so that each write reaches the cache.
std::uint64_t write_often(void* block, std::size_t times) {
  auto* bytes = static_cast<volatile unsigned char*>(block);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = 0;
  for (std::size_t i = 0; i < times; ++i) {
    volatile unsigned char& byte = bytes[i % size];
    byte = static_cast<unsigned char>(byte + 1);
  }
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < size; ++i) sum += bytes[i];
  return sum;
}

std::uint64_t allocate_and_write(std::size_t rounds, std::size_t times) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < rounds; ++i) {
    void* block = allocate_stamped(size, i);
    sum += write_often(block, times);
    std::free(block);
  }
  return sum;
}

std::size_t rounds_for(const params& chosen) { return chosen.scaled(2500 / chosen.threads); }

}  // namespace

outcome cache_scratch(const params& chosen) {
  const std::size_t rounds = rounds_for(chosen);
  std::vector<void*> inherited(chosen.threads);
  for (unsigned i = 0; i < chosen.threads; ++i) inherited[i] = allocate_stamped(size, i);
  outcome result;
  result.checksum = on_threads(chosen.threads, [&](unsigned index) {
    const std::uint64_t seen = free_stamped(inherited[index], size);
    return seen + allocate_and_write(rounds, writes);
  });
  result.operations = chosen.threads * rounds;
  return result;
}

outcome cache_thrash(const params& chosen) {
  const std::size_t rounds = rounds_for(chosen);
  outcome result;
  result.checksum = on_threads(chosen.threads, [&](unsigned) { return allocate_and_write(rounds, writes); });
  result.operations = chosen.threads * rounds;
  return result;
}

}  // namespace bench

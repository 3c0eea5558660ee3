// Random operations through the C library's names against a shadow, on one thread and on many that pass blocks on.
//
// The seed is printed; SEED in the environment sets it. With one thread a seed reproduces a run exactly.
#include "../fuzz/operations.h"
#include "cases.h"

#include <malloc.h>
#include <atomic>
#include <memory>
#include <random>
#include <thread>
#include <vector>

extern "C" {
[[gnu::weak]] void free_sized(void* p, std::size_t n);
[[gnu::weak]] void free_aligned_sized(void* p, std::size_t alignment, std::size_t n);
}

namespace {

struct libc_heap {
  static void* malloc(std::size_t n) { return std::malloc(n); }
  static void* calloc(std::size_t count, std::size_t n) { return std::calloc(count, n); }
  static void* realloc(void* p, std::size_t n) { return std::realloc(p, n); }
  static void* aligned_alloc(std::size_t alignment, std::size_t n) { return std::aligned_alloc(alignment, n); }
  static void* allocate_at_least(std::size_t n, std::size_t& granted) {
    void* const p = std::malloc(n);
    granted = malloc_usable_size(p);
    return p;
  }
  static std::size_t usable_size(void* p) { return malloc_usable_size(p); }
  static void free(void* p) { std::free(p); }
  static void free_sized(void* p, std::size_t n) {
    if (::free_sized != nullptr) return ::free_sized(p, n);
    std::free(p);
  }
  static void free_aligned_sized(void* p, std::size_t alignment, std::size_t n) {
    if (::free_aligned_sized != nullptr) return ::free_aligned_sized(p, alignment, n);
    std::free(p);
  }
};
using state = operations::state<libc_heap>;

unsigned long seed() {
  static const unsigned long value = [] {
    const char* const given = std::getenv("SEED");
    const unsigned long chosen = given != nullptr ? std::strtoul(given, nullptr, 10) : std::random_device()();
    std::printf("SEED=%lu\n", chosen);
    std::fflush(stdout);
    return chosen;
  }();
  return value;
}

void run(state& s, std::mt19937_64& random, std::size_t bytes) {
  std::vector<std::uint8_t> script(bytes);
  for (std::uint8_t& byte : script) byte = static_cast<std::uint8_t>(random());
  operations::decisions d(script);
  while (!d.done()) operations::perform_one(s, d);
}

void one_thread() {
  std::mt19937_64 random(seed());
  for (int round = 0; round < 8; ++round) {
    const auto s = std::make_unique<state>();
    run(*s, random, 100000);
  }
}

// Blocks on their way from one thread to another.
std::atomic<operations::block*> exchange[64];

void pass_on(state& s, std::mt19937_64& random) {
  if (s.count == 0) return;
  auto* const mine = new operations::block(s.take(random() % s.count));
  // acq_rel: the contents of the block go with it.
  operations::block* const theirs = exchange[random() % 64].exchange(mine, std::memory_order_acq_rel);
  if (theirs == nullptr) return;
  theirs->check("contents changed on the way");
  if (random() % 2 == 0 && !s.full()) {
    s.blocks[s.count++] = *theirs;
    s.bytes += theirs->size;
  } else {
    std::free(theirs->start);
  }
  delete theirs;
}

void worker(unsigned long own_seed, int rounds) {
  std::mt19937_64 random(own_seed);
  const auto s = std::make_unique<state>();
  for (int round = 0; round < rounds; ++round) {
    run(*s, random, 200);
    for (int i = 0; i < 8; ++i) pass_on(*s, random);
  }
}

void run_threads(unsigned count, int generations, int rounds) {
  for (int generation = 0; generation < generations; ++generation) {
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < count; ++i)
      threads.emplace_back(worker, seed() + static_cast<unsigned long>(generation) * 1000 + i, rounds);
    for (std::thread& t : threads) t.join();
  }
  for (std::atomic<operations::block*>& slot : exchange) {
    operations::block* const last = slot.exchange(nullptr);
    if (last == nullptr) continue;
    last->check("contents changed at the end");
    std::free(last->start);
    delete last;
  }
}

void four_threads() { run_threads(4, 2, 400); }
void many_short_threads() { run_threads(16, 10, 12); }

constexpr cases::test_case all[] = {
    {"one thread", one_thread},
    {"four threads that pass blocks on", four_threads},
    {"many short threads that pass blocks on", many_short_threads},
};

}  // namespace

int main(int argc, char** argv) { return cases::run(argc, argv, all); }

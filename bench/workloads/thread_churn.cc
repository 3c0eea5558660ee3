// Short threads: each frees what its predecessor left, allocates its own and exits. A cache that dies with its thread
// costs time here, and one that does not die costs memory. `short-threads` is the same with 20,000 threads, for the
// memory.
#include "../workloads.h"

namespace bench {

namespace {

struct estate {
  static constexpr std::size_t most = 400;
  void* blocks[most];
  std::size_t sizes[most];
  std::size_t count = 0;
};

std::uint64_t inherit(estate& left) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < left.count; ++i) sum += free_stamped(left.blocks[i], left.sizes[i]);
  left.count = 0;
  return sum;
}

void leave(estate& left, std::size_t count, random_source& random) {
  for (std::size_t i = 0; i < count; ++i) {
    left.sizes[i] = std::size_t{16} << random.below(7);
    left.blocks[i] = allocate_stamped(left.sizes[i], i);
  }
  left.count = count;
}

std::uint64_t generations(estate& left, unsigned seed, std::size_t lives, std::size_t blocks) {
  random_source random(seed + 9);
  std::uint64_t sum = 0;
  for (std::size_t life = 0; life < lives; ++life) {
    std::thread([&] {
      sum += inherit(left);
      leave(left, blocks, random);
    }).join();
  }
  return sum + inherit(left);
}

}  // namespace

outcome thread_churn(const params& chosen) {
  const std::size_t lives = chosen.scaled(8000 / chosen.threads);
  std::vector<estate> estates(chosen.threads);
  outcome result;
  result.checksum = on_threads(chosen.threads,
                               [&](unsigned index) { return generations(estates[index], index, lives, estate::most); });
  result.operations = chosen.threads * lives * estate::most;
  return result;
}

outcome short_threads(const params& chosen) {
  constexpr std::size_t blocks = 50;
  static estate left;
  const std::size_t lives = chosen.scaled(20000);
  outcome result;
  result.checksum = generations(left, 1, lives, blocks);
  result.operations = lives * blocks;
  result.figure = {"peak_rss_kb", static_cast<double>(status_kb("VmHWM:"))};
  return result;
}

}  // namespace bench

// Many threads at once, each replacing blocks of 16 to 512 bytes in a small table of its own. The total work is fixed,
// so the time should not rise with the number of threads: what rises is the price of locks held by threads that are not
// running.
#include "../workloads.h"

namespace bench {

namespace {

constexpr std::size_t slot_count = 64;

std::uint64_t replace_at_random(unsigned index, std::size_t steps) {
  void* blocks[slot_count] = {};
  std::size_t sizes[slot_count] = {};
  random_source random(index + 2);
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < steps; ++i) {
    const std::size_t at = random.below(slot_count);
    if (blocks[at] != nullptr) sum += free_stamped(blocks[at], sizes[at]);
    sizes[at] = random.between(16, 512);
    blocks[at] = allocate_stamped(sizes[at], i);
  }
  for (std::size_t at = 0; at < slot_count; ++at) {
    if (blocks[at] != nullptr) sum += free_stamped(blocks[at], sizes[at]);
  }
  return sum;
}

}  // namespace

outcome contention(const params& chosen) {
  const std::size_t steps = chosen.scaled(80000000 / chosen.threads);
  outcome result;
  result.checksum = on_threads(chosen.threads, [&](unsigned index) { return replace_at_random(index, steps); });
  result.operations = steps * chosen.threads;
  return result;
}

}  // namespace bench

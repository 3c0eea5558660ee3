// The fast path in isolation: one thread, one size, blocks freed at once, in order, in reverse or at random. These are
// the rows in which an instruction more or less in malloc shows.
#include "../workloads.h"

#include <utility>

namespace bench {

namespace {

constexpr std::size_t batch = 1000;
constexpr std::size_t live_blocks = 100000;

// The larger the blocks the dearer an operation may be, so that every row takes about as long.
std::size_t batches_for(std::size_t size) {
  if (size <= 64) return 60000;
  if (size <= 1024) return 25000;
  return size <= 8192 ? 4000 : 3000;
}

struct sized_block {
  void* address;
  std::size_t size;
};

}  // namespace

outcome immediate_pair(const params& chosen, std::size_t size) {
  const std::size_t pairs = chosen.scaled(40000000);
  outcome result;
  for (std::size_t i = 0; i < pairs; ++i) result.checksum += free_stamped(allocate_stamped(size, i), size);
  result.operations = pairs;
  return result;
}

outcome batch_in_order(const params& chosen, std::size_t size) {
  static void* blocks[batch];
  const std::size_t rounds = chosen.scaled(batches_for(size));
  outcome result;
  for (std::size_t round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < batch; ++i) blocks[i] = allocate_stamped(size, round + i);
    for (std::size_t i = 0; i < batch; ++i) result.checksum += free_stamped(blocks[i], size);
  }
  result.operations = rounds * batch;
  return result;
}

outcome batch_reverse(const params& chosen) {
  constexpr std::size_t size = 64;
  static void* blocks[batch];
  const std::size_t rounds = chosen.scaled(batches_for(size));
  outcome result;
  for (std::size_t round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < batch; ++i) blocks[i] = allocate_stamped(size, round + i);
    for (std::size_t i = batch; i-- > 0;) result.checksum += free_stamped(blocks[i], size);
  }
  result.operations = rounds * batch;
  return result;
}

outcome random_sizes(const params& chosen) {
  static sized_block blocks[live_blocks];
  const std::size_t rounds = chosen.scaled(120);
  const std::size_t live = chosen.scale < 0.01 ? live_blocks / 100 : live_blocks;
  random_source random(16512);
  outcome result;
  for (std::size_t round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < live; ++i) {
      const std::size_t size = random.between(16, 512);
      blocks[i] = {allocate_stamped(size, i), size};
    }
    for (std::size_t i = live; i > 1; --i) std::swap(blocks[i - 1], blocks[random.below(i)]);
    for (std::size_t i = 0; i < live; ++i) result.checksum += free_stamped(blocks[i].address, blocks[i].size);
  }
  result.operations = rounds * live;
  return result;
}

}  // namespace bench

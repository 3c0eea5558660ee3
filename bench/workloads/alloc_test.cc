// After Ignatchenko's alloc-test: each thread draws slots at random; an empty one gets a block of a random size,
// written whole, and a full one is read whole and freed. Sizes are log-uniform from 16 B to 1 KiB, slots are drawn with
// a bias so that some blocks live short and some long.
#include "../workloads.h"

namespace bench {

namespace {

constexpr std::size_t slot_count = std::size_t{1} << 16;

struct slot {
  unsigned char* block = nullptr;
  std::size_t size = 0;
};

std::uint64_t read_and_free(slot& each) {
  escape(each.block);
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i + 8 <= each.size; i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, each.block + i, sizeof word);
    sum += word;
  }
  std::free(each.block);
  each = {};
  return sum;
}

void fill(slot& each, random_source& random) {
  const std::size_t base = std::size_t{16} << random.below(6);
  each.size = base + random.below(base);
  each.block = static_cast<unsigned char*>(allocate_stamped(each.size, 0));
  std::memset(each.block, static_cast<int>(each.size & 0xFF), each.size);
}

std::uint64_t work(unsigned index, std::size_t steps) {
  random_source random(index + 26);
  std::vector<slot> slots(slot_count);
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < steps; ++i) {
    const std::size_t span = random.below(2) == 0 ? slot_count : slot_count / 16;
    slot& each = slots[random.below(span)];
    if (each.block == nullptr)
      fill(each, random);
    else
      sum += read_and_free(each);
  }
  for (slot& each : slots) {
    if (each.block != nullptr) sum += read_and_free(each);
  }
  return sum;
}

}  // namespace

outcome alloc_test(const params& chosen) {
  const std::size_t steps = chosen.scaled(6000000);
  outcome result;
  result.checksum = on_threads(chosen.threads, [&](unsigned index) { return work(index, steps); });
  result.operations = steps * chosen.threads;
  return result;
}

}  // namespace bench

// Blocks of 1 to 16 MiB, replaced at random in a small table, as image and numeric programs do. One word in every 64
// KiB is written: what is measured is whether the allocator goes to the kernel each time and how much it keeps.
#include "../workloads.h"

namespace bench {

namespace {

constexpr std::size_t slot_count = 24;
constexpr std::size_t mebibyte = std::size_t{1} << 20;
constexpr std::size_t stride = std::size_t{64} << 10;

struct slot {
  unsigned char* block = nullptr;
  std::size_t size = 0;
};

std::uint64_t replace(slot& each, std::size_t size, std::uint64_t mark) {
  std::uint64_t sum = 0;
  for (std::size_t at = 0; at + stride <= each.size; at += stride) sum += read_stamp(each.block + at, 8);
  std::free(each.block);
  each = {};
  if (size == 0) return sum;
  each = {static_cast<unsigned char*>(allocate_stamped(size, mark)), size};
  for (std::size_t at = 0; at + stride <= size; at += stride) stamp(each.block + at, 8, mark + at);
  return sum;
}

}  // namespace

outcome large(const params& chosen) {
  const std::size_t replacements = chosen.scaled(30000);
  slot slots[slot_count];
  random_source random(1616);
  outcome result;
  for (std::size_t i = 0; i < replacements; ++i) {
    const std::size_t size = random.between(mebibyte, 16 * mebibyte);
    result.checksum += replace(slots[random.below(slot_count)], size, i);
  }
  for (slot& each : slots) result.checksum += replace(each, 0, 0);
  result.operations = replacements;
  return result;
}

}  // namespace bench

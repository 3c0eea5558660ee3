// Buffers that grow by realloc, as strings, vectors and output buffers do: by half, by doubling, and by small fixed
// steps. Several grow side by side, so that a block can rarely be extended by luck, and the bytes are checked at the
// end.
#include "../workloads.h"

#include <algorithm>

namespace bench {

namespace {

constexpr std::size_t largest = std::size_t{4} << 20;
constexpr std::size_t buffer_count = 12;

struct buffer {
  unsigned char* bytes = nullptr;
  std::size_t size = 0;
  std::size_t limit = 0;
};

// Each buffer grows in its own manner: a third doubles, a third grows by half, a third by a step that rises slowly.
std::size_t next_size(std::size_t size, std::size_t manner) {
  if (size == 0) return 16;
  if (manner % 3 == 0) return size * 2;
  if (manner % 3 == 1) return size + size / 2;
  return size + 64 + size / 16;
}

// Writes the first byte of every 64 in what is new.
void grow(buffer& each, std::size_t manner) {
  const std::size_t size = next_size(each.size, manner);
  auto* bytes = static_cast<unsigned char*>(std::realloc(each.bytes, size));
  if (bytes == nullptr) fail("realloc returned null");
  escape(bytes);
  for (std::size_t i = (each.size + 63) / 64 * 64; i < size; i += 64) bytes[i] = static_cast<unsigned char>(i >> 6);
  each = {bytes, size, each.limit};
}

std::uint64_t read_and_free(buffer& each) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < each.size; i += 64) {
    sum += each.bytes[i] * (i + 1);
  }
  std::free(each.bytes);
  each = {};
  return sum;
}

// Half of the buffers stay below 4 KiB, as strings do, and the rest reach up to 4 MiB.
std::size_t draw_limit(random_source& random) {
  const std::size_t bits = random.below(2) == 0 ? random.between(5, 12) : random.between(13, 22);
  return std::min(largest, (std::size_t{1} << bits) + random.below(1000));
}

}  // namespace

outcome realloc_growth(const params& chosen) {
  const std::size_t finished_goal = chosen.scaled(6000);
  buffer buffers[buffer_count];
  random_source random(4);
  outcome result;
  std::size_t finished = 0;
  while (finished < finished_goal) {
    const std::size_t index = random.below(buffer_count);
    buffer& each = buffers[index];
    if (each.limit == 0) each.limit = draw_limit(random);
    grow(each, index);
    ++result.operations;
    if (each.size < each.limit) continue;
    result.checksum += read_and_free(each);
    ++finished;
  }
  for (buffer& each : buffers) result.checksum += read_and_free(each);
  return result;
}

}  // namespace bench

// What espresso, the logic minimiser of allocator papers, asks of a heap: covers that are lists of cubes (small bit
// sets), grown with realloc, intersected pair by pair into new covers, cleared of absorbed cubes, and thrown away
// whole.
#include "../workloads.h"

#include <algorithm>

namespace bench {

namespace {

constexpr std::size_t kept_covers = 64;
constexpr std::size_t most_cubes = 60;

// A cube is `words` 64-bit sets. Covers of different widths live side by side.
struct cover {
  std::uint64_t** cubes = nullptr;
  std::size_t count = 0;
  std::size_t capacity = 0;
  std::size_t words = 0;
};

std::uint64_t* make_cube(std::size_t words) {
  auto* cube = static_cast<std::uint64_t*>(std::malloc(words * sizeof(std::uint64_t)));
  if (cube == nullptr) fail("malloc returned null");
  escape(cube);
  return cube;
}

void append(cover& to, std::uint64_t* cube) {
  if (to.count == to.capacity) {
    to.capacity += 8 + to.capacity / 2;
    to.cubes = static_cast<std::uint64_t**>(std::realloc(to.cubes, to.capacity * sizeof(std::uint64_t*)));
    if (to.cubes == nullptr) fail("realloc returned null");
  }
  to.cubes[to.count++] = cube;
}

std::uint64_t discard(cover& old) {
  std::uint64_t sum = old.count;
  for (std::size_t i = 0; i < old.count; ++i) {
    sum += old.cubes[i][0];
    std::free(old.cubes[i]);
  }
  std::free(old.cubes);
  old = {};
  return sum;
}

cover draw(random_source& random) {
  cover made;
  made.words = random.between(1, 12);
  for (std::size_t left = random.between(5, 30); left > 0; --left) {
    std::uint64_t* cube = make_cube(made.words);
    for (std::size_t w = 0; w < made.words; ++w) cube[w] = random.next() | random.next() | random.next();
    append(made, cube);
  }
  return made;
}

// True when every set of `a` lies in that of `b`.
bool absorbed(const std::uint64_t* a, const std::uint64_t* b, std::size_t words) {
  for (std::size_t w = 0; w < words; ++w) {
    if ((a[w] & ~b[w]) != 0) return false;
  }
  return true;
}

// Adds a cube unless another one absorbs it.
void append_unless_absorbed(cover& to, std::uint64_t* cube) {
  for (std::size_t i = 0; i < to.count; ++i) {
    if (absorbed(cube, to.cubes[i], to.words)) return std::free(cube);
  }
  append(to, cube);
}

cover intersect(const cover& a, const cover& b) {
  cover made;
  made.words = std::min(a.words, b.words);
  for (std::size_t i = 0; i < a.count && made.count < most_cubes; ++i) {
    for (std::size_t k = 0; k < b.count && made.count < most_cubes; ++k) {
      std::uint64_t* cube = make_cube(made.words);
      for (std::size_t w = 0; w < made.words; ++w) cube[w] = a.cubes[i][w] & b.cubes[k][w];
      append_unless_absorbed(made, cube);
    }
  }
  return made;
}

}  // namespace

outcome espresso(const params& chosen) {
  const std::size_t steps = chosen.scaled(240000);
  std::vector<cover> kept(kept_covers);
  random_source random(111);
  for (cover& each : kept) each = draw(random);
  outcome result;
  for (std::size_t i = 0; i < steps; ++i) {
    cover& target = kept[random.below(kept_covers)];
    const cover fresh = random.below(3) == 0 ? draw(random) : intersect(kept[random.below(kept_covers)], target);
    result.operations += fresh.count;
    result.checksum += discard(target);
    target = fresh;
  }
  for (cover& each : kept) result.checksum += discard(each);
  return result;
}

}  // namespace bench

// Arrays of 64 KiB to 2 MiB that take each other's place, half of them of numbers, which need not be looked into, half
// of links, which must be: what large objects cost to make, to mark and to give back.
#include "harness.h"

namespace bench {

namespace {

constexpr std::size_t least_length = 8192;
constexpr std::size_t stride = 512;  // elements of a page of 4 KiB

struct cell {
  link<cell> next;
  std::uint64_t number;
};

using numbers = array<std::uint64_t>;
using links = array<link<cell>>;

std::uint64_t use_up(numbers* old, std::uint64_t sum) {
  if (old == nullptr) return sum;
  sum = mix(sum, old->size());
  for (std::size_t j = 0; j < old->size(); j += stride) sum = mix(sum, (*old)[j]);
  drop(old);
  return sum;
}

std::uint64_t use_up(links* old, std::uint64_t sum) {
  if (old == nullptr) return sum;
  sum = mix(sum, old->size());
  for (std::size_t j = 0; j < old->size(); j += stride) {
    sum = mix(sum, (*old)[j]->number);
    drop((*old)[j]);
  }
  drop(old);
  return sum;
}

ref<numbers> make_numbers(std::size_t length, std::size_t first) {
  ref<numbers> fresh = make_array<std::uint64_t>(length);
  for (std::size_t j = 0; j < length; j += stride) (*fresh)[j] = first + j;
  return fresh;
}

ref<links> make_links(std::size_t length, std::size_t first) {
  ref<links> fresh = make_array<link<cell>>(length);
  for (std::size_t j = 0; j < length; j += stride) {
    (*fresh)[j] = make<cell>();
    (*fresh)[j]->number = first + j;
  }
  return fresh;
}

std::uint64_t replace_arrays(run& r, lane& l) {
  const ref<array<link<numbers>>> even = make_array<link<numbers>>(r.size());
  const ref<array<link<links>>> odd = make_array<link<links>>(r.size());
  random_source random = random_of(l, 12);
  std::uint64_t sum = 0;
  l.run(r.operations(4000), [&](std::size_t i) {
    const std::size_t slot = random.below(r.size());
    const std::size_t length = least_length << random.below(6);
    if (slot % 2 == 0) {
      sum = use_up((*even)[slot], sum);
      (*even)[slot] = nullptr;
      (*even)[slot] = make_numbers(length, i);
    } else {
      sum = use_up((*odd)[slot], sum);
      (*odd)[slot] = nullptr;
      (*odd)[slot] = make_links(length, i);
    }
  });
  for (std::size_t slot = 0; slot < r.size(); ++slot)
    sum = slot % 2 == 0 ? use_up((*even)[slot], sum) : use_up((*odd)[slot], sum);
  drop(even);
  drop(odd);
  return sum;
}

}  // namespace

outcome large_arrays(run& r) {
  return {r.on_lanes([&](lane& l) { return replace_arrays(r, l); })};
}

}  // namespace bench

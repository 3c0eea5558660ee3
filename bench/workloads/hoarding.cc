// A service whose load changes shape: 12 phases allocate 200 MB each in objects of one size, larger in every phase, and
// free all but one object in 500, which lives to the end. Survivors pin the slabs they lie in; the peak memory shows
// whether an allocator gives the rest back or hoards it for a size that never comes again. Objects are chained through
// their first word, so the program needs no memory but the objects.
#include "../workloads.h"

namespace bench {

namespace {

constexpr std::size_t phase_bytes = 200000000;
constexpr std::size_t survivor_every = 500;
constexpr std::size_t sizes[] = {32, 48, 80, 128, 208, 336, 544, 880, 1424, 2304, 3728, 6032};

struct object {
  object* next;
  std::uint64_t size;
  std::uint64_t mark;
};

object* make(std::size_t size, std::uint64_t mark, object* next) {
  auto* made = static_cast<object*>(allocate_stamped(size, mark));
  *made = {next, size, mark};
  return made;
}

// Frees a chain and returns the sum of its marks. Every 500th object moves to `survivors` when that is given.
std::uint64_t release(object* first, object** survivors) {
  std::uint64_t sum = 0;
  std::size_t position = 0;
  while (first != nullptr) {
    object* next = first->next;
    if (survivors != nullptr && ++position % survivor_every == 0) {
      first->next = *survivors;
      *survivors = first;
    } else {
      sum += first->mark + first->size;
      std::free(first);
    }
    first = next;
  }
  return sum;
}

}  // namespace

outcome hoarding(const params& chosen) {
  object* survivors = nullptr;
  outcome result;
  for (const std::size_t size : sizes) {
    const std::size_t count = chosen.scaled(phase_bytes) / size;
    object* chain = nullptr;
    for (std::size_t i = 0; i < count; ++i) chain = make(size, i, chain);
    result.checksum += release(chain, &survivors);
    result.operations += count;
  }
  result.checksum += release(survivors, nullptr);
  return result;
}

}  // namespace bench

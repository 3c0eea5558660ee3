// After mimalloc's test-stress (Leijen): rounds of threads that allocate blocks of 8 B to 80 KB, mostly small and
// sometimes a hundred or a thousand times larger, write every word, retain some blocks for long and swap others with
// all threads through a shared table. Every word of a block is checked when it is freed.
#include "../workloads.h"

#include <atomic>

namespace bench {

namespace {

constexpr std::size_t transfer_slots = 1000;
constexpr std::size_t allocations_per_thread = 5000;

// A block of words. The first holds the count, the others that count mixed with their index.
std::uint64_t* make_words(random_source& random) {
  std::size_t count = std::size_t{2} << random.below(7);
  if (random.below(100) == 0)
    count = random.below(500) == 0 ? 10000 : 1000 + count;
  else if (random.below(10) == 0)
    count += 100;
  auto* words = static_cast<std::uint64_t*>(std::malloc(count * sizeof(std::uint64_t)));
  if (words == nullptr) fail("malloc returned null");
  words[0] = count;
  for (std::size_t i = 1; i < count; ++i) words[i] = count ^ (i * 0x9E3779B9u);
  escape(words);
  return words;
}

std::uint64_t free_words(std::uint64_t* words) {
  if (words == nullptr) return 0;
  escape(words);
  const std::uint64_t count = words[0];
  for (std::size_t i = 1; i < count; ++i) {
    if (words[i] != (count ^ (i * 0x9E3779B9u))) fail("mstress: a block was overwritten");
  }
  std::free(words);
  return count;
}

class stress {
 public:
  // The draws never depend on the blocks received from others, so the sum of all counts is the same in every run.
  std::uint64_t work(std::uint64_t seed, std::size_t allocations) {
    random_source random(seed);
    std::vector<std::uint64_t*> retained;
    std::vector<std::uint64_t*> passing(allocations / 4 + 1);
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < allocations; ++i) {
      if (random.below(2) == 0) {
        retained.push_back(make_words(random));
      } else {
        std::uint64_t*& place = passing[random.below(passing.size())];
        sum += free_words(place);
        place = make_words(random);
      }
      if (random.below(4) == 0) {
        std::uint64_t*& place = passing[random.below(passing.size())];
        place = transfer_[random.below(transfer_slots)].exchange(place, std::memory_order_acq_rel);
      }
    }
    for (std::uint64_t* words : retained) sum += free_words(words);
    for (std::uint64_t* words : passing) sum += free_words(words);
    return sum;
  }

  // Between rounds half of the table is freed by the main thread.
  std::uint64_t thin(bool all) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < transfer_slots; i += all ? 1 : 2) {
      sum += free_words(transfer_[i].exchange(nullptr, std::memory_order_acq_rel));
    }
    return sum;
  }

 private:
  std::atomic<std::uint64_t*> transfer_[transfer_slots] = {};
};

}  // namespace

outcome mstress(const params& chosen) {
  static stress shared;
  const std::size_t rounds = chosen.scaled(300);
  const std::size_t allocations = chosen.scale < 0.01 ? allocations_per_thread / 20 : allocations_per_thread;
  outcome result;
  for (std::size_t round = 0; round < rounds; ++round) {
    result.checksum += on_threads(
        chosen.threads, [&](unsigned index) { return shared.work(round * chosen.threads + index + 1, allocations); });
    result.checksum += shared.thin(round + 1 == rounds);
  }
  result.operations = rounds * chosen.threads * allocations;
  return result;
}

}  // namespace bench

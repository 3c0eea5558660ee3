// What the allocators are measured by: a few of the patterns of bench/workloads, with less work, for the oldest of them
// search long lists; and bump, which frees nothing, must fit into memory.
#include "../workloads.h"
#include "../workloads/batch_queue.h"
#include "allocator.h"

#include <algorithm>
#include <memory>

namespace bench {

namespace {

using evolution::allocator;
using evolution::chosen_allocator;

void* make(const allocator& from, std::size_t size, std::uint64_t mark) {
  void* const block = from.allocate(size);
  if (block == nullptr) fail("the allocator returned null");
  escape(block);
  stamp(block, size, mark);
  return block;
}

std::uint64_t drop(const allocator& from, void* block, std::size_t size) {
  escape(block);
  const std::uint64_t value = read_stamp(block, size);
  from.deallocate(block);
  return value;
}

struct slot {
  void* block;
  std::size_t size;
};

// Live blocks of random sizes, one at random replaced by another at a time.
outcome churn(const params& chosen, std::size_t live, std::size_t replaced, std::size_t least, std::size_t most) {
  const allocator& from = chosen_allocator();
  const std::size_t count = chosen.scaled(replaced);
  const auto body = [&](unsigned thread) {
    random_source random(1 + 1000 * thread);
    std::vector<slot> slots(live);
    std::uint64_t sum = 0;
    for (slot& each : slots) {
      each.size = random.between(least, most);
      each.block = make(from, each.size, each.size);
    }
    for (std::size_t i = 0; i < count; ++i) {
      slot& each = slots[random.below(live)];
      sum += drop(from, each.block, each.size);
      each.size = random.between(least, most);
      each.block = make(from, each.size, i);
    }
    for (const slot& each : slots) sum += drop(from, each.block, each.size);
    return sum;
  };
  outcome result;
  result.checksum = on_threads(chosen.threads, body);
  result.operations = chosen.threads * (count + live);
  return result;
}

outcome churn_small(const params& chosen) { return churn(chosen, 5000, 200000, 16, 512); }
outcome churn_mixed(const params& chosen) { return churn(chosen, 500, 20000, 16, 32768); }

// A thousand blocks of 64 bytes at a time, freed in the order in which they were made.
outcome batches(const params& chosen) {
  const allocator& from = chosen_allocator();
  const std::size_t rounds = chosen.scaled(1000);
  const auto body = [&](unsigned) {
    std::array<void*, 1000> blocks;
    std::uint64_t sum = 0;
    for (std::size_t round = 0; round < rounds; ++round) {
      for (std::size_t i = 0; i < blocks.size(); ++i) blocks[i] = make(from, 64, round + i);
      for (void* each : blocks) sum += drop(from, each, 64);
    }
    return sum;
  };
  outcome result;
  result.checksum = on_threads(chosen.threads, body);
  result.operations = chosen.threads * rounds * 1000;
  return result;
}

// One thread allocates, another frees.
outcome handed_on(const params& chosen) {
  using queue = batch_queue<100, 16>;
  const allocator& from = chosen_allocator();
  const std::size_t rounds = chosen.scaled(5000);
  const auto between = std::make_unique<queue>();
  std::vector<queue::batch> batches(32);
  outcome result;
  result.checksum = on_threads(2, [&](unsigned thread) {
    std::uint64_t sum = 0;
    if (thread == 0) {
      // A batch is used again only when those between it and its first use no longer fit into the queue.
      for (std::size_t round = 0; round < rounds; ++round) {
        queue::batch& fresh = batches[round % batches.size()];
        for (std::size_t i = 0; i < fresh.blocks.size(); ++i) fresh.blocks[i] = make(from, 128, round + i);
        between->push(&fresh);
      }
      between->close();
      return sum;
    }
    while (queue::batch* full = between->pop()) {
      for (void* each : full->blocks) sum += drop(from, each, 128);
    }
    return sum;
  });
  result.operations = rounds * 100;
  return result;
}

// Eight phases of 8 MB each of one size, larger in every phase; one block in a thousand survives to the end. What is
// resident when only the survivors are left is the figure.
outcome phases(const params& chosen) {
  constexpr std::size_t sizes[] = {32, 64, 128, 256, 512, 1024, 2048, 4096};
  const allocator& from = chosen_allocator();
  outcome result;
  std::vector<slot> survivors;
  std::vector<void*> blocks;
  for (const std::size_t size : sizes) {
    blocks.resize(chosen.scaled(8000000) / size);
    for (std::size_t i = 0; i < blocks.size(); ++i) blocks[i] = make(from, size, i);
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      if (i % 1000 == 999)
        survivors.push_back({blocks[i], size});
      else
        result.checksum += drop(from, blocks[i], size);
    }
    result.operations += blocks.size();
  }
  result.figure = {"rss_after_kb", static_cast<double>(status_kb("VmRSS:"))};
  for (const slot& each : survivors) result.checksum += drop(from, each.block, each.size);
  return result;
}

// 32 MB of blocks of 4 KiB, and after them one small block that stays. What is resident when all but that one are
// freed is the figure.
outcome pinned_end(const params& chosen) {
  const allocator& from = chosen_allocator();
  outcome result;
  std::vector<void*> blocks(chosen.scaled(32000000) / 4096);
  for (std::size_t i = 0; i < blocks.size(); ++i) blocks[i] = make(from, 4096, i);
  void* const last = make(from, 5000, 1);
  for (void* each : blocks) result.checksum += drop(from, each, 4096);
  result.figure = {"rss_after_kb", static_cast<double>(status_kb("VmRSS:"))};
  result.checksum += drop(from, last, 5000);
  result.operations = blocks.size();
  return result;
}

}  // namespace

std::span<const workload> all_workloads() {
  static constexpr workload table[] = {
      {"churn", "one thread", "5000 live blocks of 16 to 512 bytes, replaced at random", 1, churn_small},
      {"churn-mixed", "one thread", "500 live blocks of 16 bytes to 32 KiB, replaced at random", 1, churn_mixed},
      {"batches", "one thread", "1000 blocks of 64 bytes made, then freed in the same order", 1, batches},
      {"churn-threads", "threads", "churn in each of several threads", 0, churn_small},
      {"batches-threads", "threads", "batches in each of several threads", 0, batches},
      {"handed-on", "threads", "one thread allocates, another frees", 2, handed_on},
      {"phases", "memory", "phases of rising sizes, of which one block in a thousand survives", 1, phases},
      {"pinned-end", "memory", "32 MB freed below one small block that stays", 1, pinned_end},
  };
  return table;
}

}  // namespace bench

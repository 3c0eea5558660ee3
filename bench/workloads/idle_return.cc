// Memory given back by a process that does nothing: 800 MB of blocks of 16 B to 1 MiB are allocated by one thread,
// freed, and then nobody calls malloc or free again. The resident set is read once a second for five seconds. In the
// foreign form a thread that never allocated frees the blocks while the one that made them sleeps, and both live on.
#include "../workloads.h"

#include <atomic>
#include <chrono>

namespace bench {

namespace {

constexpr std::size_t total_bytes = 800000000;
constexpr std::size_t seconds_idle = 5;

struct object {
  object* next;
  std::uint64_t size;
};

// Most blocks are small, most bytes are in the middle: the size is drawn log-uniformly from 16 B to 1 MiB, and small
// ones come in runs.
object* allocate_all(std::size_t bytes) {
  random_source random(800);
  object* chain = nullptr;
  std::size_t made = 0;
  while (made < bytes) {
    const std::size_t base = std::size_t{16} << random.below(16);
    const std::size_t size = base + random.below(base);
    for (std::size_t run = base < 1024 ? 256 : 1; run > 0; --run) {
      auto* block = static_cast<object*>(allocate_stamped(size, made));
      auto* bytes_of = reinterpret_cast<unsigned char*>(block);
      for (std::size_t at = 4096; at + 8 < size; at += 4096) bytes_of[at] = 1;
      *block = {chain, size};
      chain = block;
      made += size;
    }
  }
  return chain;
}

std::uint64_t release(object* chain) {
  std::uint64_t sum = 0;
  while (chain != nullptr) {
    object* next = chain->next;
    sum += chain->size;
    std::free(chain);
    chain = next;
  }
  return sum;
}

// The first sample is taken at once, the others a second apart.
void watch(outcome& result) {
  for (std::size_t i = 0; i <= seconds_idle; ++i) {
    if (i > 0) std::this_thread::sleep_for(std::chrono::seconds(1));
    result.samples_kb[i] = status_kb("VmRSS:");
  }
  result.sample_count = seconds_idle + 1;
  result.figure = {"rss_after_5s_kb", static_cast<double>(result.samples_kb[seconds_idle])};
}

}  // namespace

outcome idle_return(const params& chosen) {
  outcome result;
  result.checksum = release(allocate_all(chosen.scaled(total_bytes)));
  watch(result);
  return result;
}

outcome idle_return_foreign(const params& chosen) {
  std::atomic<object*> handed = nullptr;
  std::atomic<bool> freed = false;
  std::atomic<bool> over = false;
  outcome result;
  std::thread maker([&] {
    handed.store(allocate_all(chosen.scaled(total_bytes)), std::memory_order_release);
    handed.notify_one();
    over.wait(false, std::memory_order_acquire);
  });
  std::thread freer([&] {
    handed.wait(nullptr, std::memory_order_acquire);
    result.checksum = release(handed.load(std::memory_order_acquire));
    freed.store(true, std::memory_order_release);
    freed.notify_one();
    over.wait(false, std::memory_order_acquire);
  });
  freed.wait(false, std::memory_order_acquire);
  watch(result);
  over.store(true, std::memory_order_release);
  over.notify_all();
  maker.join();
  freer.join();
  return result;
}

}  // namespace bench

// Producers and consumers, after Lever and Boreham's xmalloc-test: some threads only allocate and others only free, so
// every free is foreign. `remote-64` is the smallest form of it, one of each, and `local-64` its twin in which the
// allocating thread frees while the other passes empty batches: their ratio is the price of a foreign free.
#include "../workloads.h"
#include "batch_queue.h"

namespace bench {

namespace {

constexpr std::size_t size = 64;

template <std::size_t BlocksPerBatch>
class exchange {
 public:
  using queue = batch_queue<BlocksPerBatch, 32>;
  using batch = typename queue::batch;

  // Makes and fills `batches` batches. When `local`, the producer frees the blocks itself and passes on empty batches.
  std::uint64_t produce(std::size_t batches, bool local) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < batches; ++i) {
      auto* full = static_cast<batch*>(std::malloc(sizeof(batch)));
      if (full == nullptr) fail("malloc returned null");
      for (std::size_t k = 0; k < BlocksPerBatch; ++k) full->blocks[k] = allocate_stamped(size, i + k);
      if (local) sum += release(*full);
      queue_.push(full);
    }
    return sum;
  }

  std::uint64_t consume(bool local) {
    std::uint64_t sum = 0;
    while (batch* full = queue_.pop()) {
      if (!local) sum += release(*full);
      std::free(full);
    }
    return sum;
  }

  void close() { queue_.close(); }

 private:
  static std::uint64_t release(batch& full) {
    std::uint64_t sum = 0;
    for (void* block : full.blocks) sum += free_stamped(block, size);
    return sum;
  }

  queue queue_;
};

// The first half of the threads produce and the second half consume.
template <std::size_t BlocksPerBatch>
outcome trade(unsigned pairs, std::size_t batches, bool local) {
  exchange<BlocksPerBatch> market;
  std::vector<std::uint64_t> freed(pairs);
  std::vector<std::thread> consumers;
  consumers.reserve(pairs);
  for (unsigned i = 0; i < pairs; ++i) {
    consumers.emplace_back([&market, &freed, i, local] { freed[i] = market.consume(local); });
  }
  outcome result;
  result.checksum = on_threads(pairs, [&](unsigned) { return market.produce(batches, local); });
  market.close();
  for (std::thread& each : consumers) each.join();
  for (const std::uint64_t sum : freed) result.checksum += sum;
  result.operations = pairs * batches * BlocksPerBatch;
  return result;
}

}  // namespace

outcome xmalloc(const params& chosen) { return trade<4096>(chosen.threads, chosen.scaled(2000), false); }

outcome remote_free(const params& chosen) { return trade<1000>((chosen.threads + 1) / 2, chosen.scaled(22000), false); }

outcome local_free(const params& chosen) { return trade<1000>((chosen.threads + 1) / 2, chosen.scaled(22000), true); }

}  // namespace bench

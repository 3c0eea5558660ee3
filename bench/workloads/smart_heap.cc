// The mix of MicroQuill's SmartHeap benchmarks sh6 and sh8, rebuilt from its description: sizes from 1 to 1000 bytes
// with the small ones most frequent, allocated in runs of one size. When the table is full most blocks are freed, two
// thirds last first and the rest first to last, and every sixth survives to the next round. In sh8 each thread also
// swaps its survivors with a shared table, so that many frees are foreign.
#include "../workloads.h"

#include <mutex>
#include <utility>

namespace bench {

namespace {

constexpr std::size_t table_size = 20000;
constexpr std::size_t largest = 1000;
constexpr std::size_t survivors_one_in = 6;

struct block {
  void* address = nullptr;
  std::size_t size = 0;
};

std::uint64_t release(block& each) {
  if (each.address == nullptr) return 0;
  const std::uint64_t value = free_stamped(each.address, each.size);
  each = {};
  return value;
}

// The table through which the threads of sh8 exchange blocks. It is full from the start, so that a swap always gives a
// block back: which slots are occupied, and so the sum over all blocks, does not depend on who swaps with whom.
class shared_table {
 public:
  void fill() {
    for (std::size_t i = 0; i < capacity; ++i) blocks_[i] = {allocate_stamped(1 + i % largest, i), 1 + i % largest};
  }

  void swap(block& mine, std::size_t index) {
    const std::lock_guard lock(mutexes_[index % lock_count]);
    std::swap(mine, blocks_[index]);
  }

  std::uint64_t clear() {
    std::uint64_t sum = 0;
    for (block& each : blocks_) sum += release(each);
    return sum;
  }

  static constexpr std::size_t capacity = 4096;

 private:
  static constexpr std::size_t lock_count = 64;
  std::mutex mutexes_[lock_count];
  block blocks_[capacity];
};

class mixer {
 public:
  mixer(unsigned index, shared_table* shared) : random_(index + 60), shared_(shared), table_(table_size) {}

  void round() {
    fill();
    free_most();
  }

  std::uint64_t finish() {
    for (block& each : table_) sum_ += release(each);
    return sum_;
  }

 private:
  // Runs of one size: the smaller the size the longer the run.
  void fill() {
    std::size_t at = 0;
    while (at < table_size) {
      const std::size_t draw = random_.between(1, largest);
      const std::size_t size = 1 + draw * draw / largest;
      std::size_t run = 1 + 2 * largest / (size + 20);
      for (; run > 0 && at < table_size; ++at) {
        if (table_[at].address != nullptr) continue;
        table_[at] = {allocate_stamped(size, size + at), size};
        --run;
      }
    }
  }

  void free_most() {
    const std::size_t split = table_size / 3;
    for (std::size_t i = table_size; i-- > split;) drop(i);
    for (std::size_t i = 0; i < split; ++i) drop(i);
    survivor_ = (survivor_ + 1) % survivors_one_in;
  }

  void drop(std::size_t i) {
    if (i % survivors_one_in != survivor_) {
      sum_ += release(table_[i]);
      return;
    }
    if (shared_ != nullptr) shared_->swap(table_[i], random_.below(shared_table::capacity));
  }

  random_source random_;
  shared_table* shared_;
  std::vector<block> table_;
  std::size_t survivor_ = 0;
  std::uint64_t sum_ = 0;
};

outcome mix(const params& chosen, std::size_t rounds, shared_table* shared) {
  outcome result;
  if (shared != nullptr) shared->fill();
  result.checksum = on_threads(chosen.threads, [&](unsigned index) {
    mixer mine(index, shared);
    for (std::size_t i = 0; i < rounds; ++i) mine.round();
    return mine.finish();
  });
  if (shared != nullptr) result.checksum += shared->clear();
  result.operations = rounds * chosen.threads * table_size;
  return result;
}

}  // namespace

outcome sh6(const params& chosen) { return mix(chosen, chosen.scaled(900), nullptr); }

outcome sh8(const params& chosen) {
  static shared_table shared;
  return mix(chosen, chosen.scaled(600), &shared);
}

}  // namespace bench

// After rpmalloc's benchmark (Jansson): every thread keeps a table of blocks from 16 B to 16 KB, smaller ones more
// often, frees and refills a part of it at each step, and every second step posts a list of blocks that another thread
// will free.
#include "../workloads.h"

#include <algorithm>
#include <atomic>

namespace bench {

namespace {

constexpr std::size_t slots = 4000;
constexpr std::size_t smallest = 16;
constexpr std::size_t largest = 16000;
constexpr std::size_t refilled_per_step = 400;
constexpr std::size_t posted_per_step = 200;
constexpr std::size_t most_threads = 4096;

struct header {
  header* next;
  std::uint64_t size;
  std::uint64_t mark;
};

// The odds fall linearly with the size; the header needs 24 bytes, so the smallest blocks are that.
header* make(random_source& random, std::uint64_t mark) {
  const std::size_t draw = std::min(random.below(largest - smallest), random.below(largest - smallest));
  const std::size_t size = std::max(smallest + draw * draw / largest, sizeof(header));
  auto* block = static_cast<header*>(std::malloc(size));
  if (block == nullptr) fail("malloc returned null");
  stamp(block, size, mark);
  *block = {nullptr, size, mark};
  escape(block);
  return block;
}

std::uint64_t release(header* block) {
  escape(block);
  const std::uint64_t sum = block->size + block->mark;
  std::free(block);
  return sum;
}

std::uint64_t release_list(header* block) {
  std::uint64_t sum = 0;
  while (block != nullptr) {
    header* next = block->next;
    sum += release(block);
    block = next;
  }
  return sum;
}

// Where a thread finds what others posted to it. It holds a bounded number of letters: with no bound the peak of memory
// tells for how long the system ran one thread and not the other.
struct alignas(128) mailbox {
  static constexpr std::size_t most_letters = 64;

  bool has_room() const { return letters.load(std::memory_order_relaxed) < most_letters; }

  void post(header* front, header* back) {
    letters.fetch_add(1, std::memory_order_relaxed);
    back->next = first.load(std::memory_order_relaxed);
    while (!first.compare_exchange_weak(back->next, front, std::memory_order_release, std::memory_order_relaxed)) {
    }
  }

  header* empty() {
    letters.store(0, std::memory_order_relaxed);
    return first.exchange(nullptr, std::memory_order_acquire);
  }

  std::atomic<header*> first{nullptr};
  std::atomic<std::size_t> letters{0};
};
mailbox mailboxes[most_threads];

// A letter goes to the next thread, or is thrown away when that one's mailbox is full.
std::uint64_t send_letter(mailbox& box, random_source& random, std::size_t step) {
  header* last = make(random, step);
  header* first = last;
  for (std::size_t i = 1; i < posted_per_step; ++i) {
    header* block = make(random, step);
    block->next = first;
    first = block;
  }
  if (!box.has_room()) return release_list(first);
  box.post(first, last);
  return 0;
}

std::uint64_t work(unsigned index, unsigned threads, std::size_t steps) {
  random_source random(index + 500);
  std::vector<header*> table(slots);
  std::uint64_t sum = 0;
  for (header*& each : table) each = make(random, index);
  for (std::size_t step = 0; step < steps; ++step) {
    for (std::size_t i = 0; i < refilled_per_step; ++i) {
      header*& each = table[random.below(slots)];
      sum += release(each);
      each = make(random, step);
    }
    if (step % 2 == 0) sum += send_letter(mailboxes[(index + 1) % threads], random, step);
    sum += release_list(mailboxes[index].empty());
  }
  for (header* each : table) sum += release(each);
  return sum;
}

}  // namespace

outcome rptest(const params& chosen) {
  const unsigned threads = std::min<unsigned>(chosen.threads, most_threads);
  const std::size_t steps = chosen.scaled(10000);
  outcome result;
  result.checksum = on_threads(threads, [&](unsigned index) { return work(index, threads, steps); });
  for (unsigned i = 0; i < threads; ++i) {
    result.checksum += release_list(mailboxes[i].empty());
  }
  result.operations = threads * steps * (refilled_per_step + posted_per_step / 2);
  return result;
}

}  // namespace bench

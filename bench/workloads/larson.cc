// Larson and Krishnan's server simulation (1998): every thread replaces randomly chosen objects of 7 to 1000 bytes in
// an array of 5000, then hands the array to a fresh thread. Objects outlive the thread that made them, which shows
// whether an allocator recovers the memory of dead threads and how dear a foreign free is.
#include "../workloads.h"

#include <new>

namespace bench {

namespace {

constexpr std::size_t slot_count = 5000;
constexpr std::size_t smallest = 7;
constexpr std::size_t largest = 1000;
constexpr std::size_t replacements = 100000;
constexpr std::size_t generations = 100;

struct slot {
  void* block;
  std::size_t size;
};

struct by_malloc {
  static void* allocate(std::size_t size) { return std::malloc(size); }
  static void release(void* block, std::size_t) { std::free(block); }
};

struct by_sized_delete {
  static void* allocate(std::size_t size) { return ::operator new(size); }
  static void release(void* block, std::size_t size) { ::operator delete(block, size); }
};

// What is handed from thread to thread: the array, the random numbers and the sum so far. Lanes lie apart, because each
// writes to its own with every replacement: two in one cache line would take most of the time themselves.
template <typename Heap>
class alignas(128) lane {
 public:
  explicit lane(unsigned index) : random_(index + 1), slots_(slot_count) {
    for (slot& each : slots_) fill(each);
  }

  void replace(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      slot& each = slots_[random_.below(slot_count)];
      empty(each);
      fill(each);
    }
  }

  [[nodiscard]] std::uint64_t finish() {
    for (slot& each : slots_) empty(each);
    return sum_;
  }

 private:
  void fill(slot& each) {
    each.size = random_.between(smallest, largest);
    each.block = Heap::allocate(each.size);
    if (each.block == nullptr) fail("malloc returned null");
    escape(each.block);
    stamp(each.block, each.size, each.size * 7 + sum_);
  }

  void empty(slot& each) {
    sum_ += read_stamp(each.block, each.size);
    Heap::release(each.block, each.size);
  }

  random_source random_;
  std::uint64_t sum_ = 0;
  std::vector<slot> slots_;
};

template <typename Heap>
outcome serve(const params& chosen) {
  const std::size_t lifetimes = chosen.scaled(generations);
  const std::size_t each = chosen.scale < 0.01 ? replacements / 100 : replacements;
  std::vector<lane<Heap>> lanes;
  lanes.reserve(chosen.threads);
  for (unsigned i = 0; i < chosen.threads; ++i) lanes.emplace_back(i);
  outcome result;
  result.checksum = on_threads(chosen.threads, [&](unsigned index) {
    for (std::size_t life = 0; life < lifetimes; ++life) {
      std::thread([&lanes, index, each] { lanes[index].replace(each); }).join();
    }
    return std::uint64_t{0};
  });
  for (lane<Heap>& done : lanes) result.checksum += done.finish();
  result.operations = lifetimes * each * chosen.threads;
  return result;
}

}  // namespace

outcome larson(const params& chosen) { return serve<by_malloc>(chosen); }

outcome larson_sized(const params& chosen) { return serve<by_sized_delete>(chosen); }

}  // namespace bench

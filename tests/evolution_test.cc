// The textbook allocators of bench/evolution against a model that knows every live block: none overlaps another, all
// are aligned, and what was written is there when a block is freed.
#include "../bench/evolution/allocator.h"
#include "../bench/harness.h"

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <iterator>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using evolution::allocator;

struct block {
  unsigned char* at;
  std::size_t size;
  unsigned char mark;
};

// Empty while the allocator keeps its promises.
class model {
 public:
  model(const allocator& under, std::uint64_t seed) : under_(under), random_(seed) {}

  void step() {
    if (live_.size() < 400 && (live_.empty() || random_.below(2) == 0)) {
      add(any_size());
    } else {
      remove(random_.below(live_.size()));
    }
  }

  void finish() {
    while (!live_.empty()) remove(live_.size() - 1);
  }

  [[nodiscard]] const std::string& fault() const { return fault_; }

 private:
  // Mostly small, some around the borders of spans, a few larger than an arena.
  std::size_t any_size() {
    const std::size_t kind = random_.below(100);
    if (kind < 80) return random_.between(0, 600);
    if (kind < 95) return random_.between(600, 20000);
    return kind < 99 ? random_.between(20000, 300000) : random_.between(3000000, 5000000);
  }

  void add(std::size_t size) {
    auto* const at = static_cast<unsigned char*>(under_.allocate(size));
    if (at == nullptr) return set_fault("returned null");
    if (reinterpret_cast<std::uintptr_t>(at) % 16 != 0) set_fault("is not aligned");
    const auto above = by_address_.lower_bound(at);
    if (above != by_address_.end() && above->first < at + size) set_fault("reaches into the block above");
    if (above != by_address_.begin() && std::prev(above)->first + std::prev(above)->second > at)
      set_fault("lies in the block below");
    const auto mark = static_cast<unsigned char>(random_.next());
    touch(at, size, [&](unsigned char& byte) { byte = mark; });
    by_address_[at] = size;
    live_.push_back({at, size, mark});
  }

  void remove(std::size_t index) {
    const block gone = live_[index];
    live_[index] = live_.back();
    live_.pop_back();
    by_address_.erase(gone.at);
    touch(gone.at, gone.size, [&](const unsigned char& byte) {
      if (byte != gone.mark) set_fault("lost what was written");
    });
    under_.deallocate(gone.at);
  }

  // All bytes of a small block, both ends and every page of a large one.
  template <typename Visit>
  static void touch(unsigned char* at, std::size_t size, Visit visit) {
    const std::size_t stride = size > 1024 ? 509 : 1;
    for (std::size_t i = 0; i < size; i += stride) visit(at[i]);
    if (size > 0) visit(at[size - 1]);
  }

  void set_fault(const char* what) {
    if (fault_.empty()) fault_ = std::string("a block of ") + under_.name + " " + what;
  }

  const allocator& under_;
  bench::random_source random_;
  std::vector<block> live_;
  std::map<unsigned char*, std::size_t> by_address_;
  std::string fault_;
};

std::string fault_of(const allocator& under, std::uint64_t seed, int steps) {
  model one(under, seed);
  for (int i = 0; i < steps; ++i) one.step();
  one.finish();
  return one.fault();
}

// Hands out every block a second time, one call later.
void* allocate_twice(std::size_t size) {
  static void* kept = nullptr;
  static std::size_t kept_size = 0;
  if (kept != nullptr && size <= kept_size) return std::exchange(kept, nullptr);
  kept = evolution::mcache.allocate(size);
  kept_size = size;
  return kept;
}

}  // namespace

TEST_CASE("evolution: no textbook allocator lets blocks overlap or loses what was written") {
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  for (const allocator& each : evolution::all_allocators()) CHECK(fault_of(each, seed, 4000) == "");
}

TEST_CASE("evolution: nor do they with several threads") {
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  for (const allocator& each : evolution::all_allocators()) {
    std::vector<std::string> faults(3);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < faults.size(); ++i)
      threads.emplace_back([&, i] { faults[i] = fault_of(each, seed + i, 1500); });
    for (std::thread& thread : threads) thread.join();
    CHECK(faults == std::vector<std::string>(3));
  }
}

TEST_CASE("evolution: a block may be freed by a thread that did not allocate it") {
  for (const allocator& each : evolution::all_allocators()) {
    std::vector<unsigned char*> blocks;
    std::thread([&] {
      for (std::size_t i = 0; i < 3000; ++i) {
        blocks.push_back(static_cast<unsigned char*>(each.allocate(i % 700 + 1)));
        *blocks.back() = static_cast<unsigned char>(i);
      }
    }).join();
    bool kept = true;
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      kept = kept && *blocks[i] == static_cast<unsigned char>(i);
      each.deallocate(blocks[i]);
    }
    CHECK(kept);
    CHECK(fault_of(each, 7, 500) == "");
  }
}

TEST_CASE("evolution: all but bump use again what was freed") {
  for (const allocator& each : evolution::all_allocators()) {
    unsigned char* lowest = nullptr;
    unsigned char* highest = nullptr;
    for (int i = 0; i < 20000; ++i) {
      auto* const at = static_cast<unsigned char*>(each.allocate(1000));
      if (lowest == nullptr || at < lowest) lowest = at;
      if (at > highest) highest = at;
      each.deallocate(at);
    }
    CHECK((highest - lowest < 10000000) == (std::string(each.name) != "bump"));
  }
}

TEST_CASE("evolution: the model finds an allocator that hands out a block twice") {
  const allocator wrong = {"wrong", "", allocate_twice, [](void*) {}};
  CHECK(fault_of(wrong, 1, 4000) != "");
}

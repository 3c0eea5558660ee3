// What the tests of managed containers share: the heaps they run under, and threads beside them.
#pragma once

#include <umber/heap.h>

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <cstdint>
#include <random>
#include <thread>
#include <vector>

namespace umber::testing {

// Runs body(heap, random, scale) in a heap that collects often by itself, in one that collects at every seventh
// allocation and poisons what it frees, and in one that checks itself. `scale` says how much work is right for it.
template <class Body>
void under_heaps(Body body) {
  const std::uint64_t seed = std::random_device{}();
  struct kind {
    heap_options options;
    std::size_t scale;
  };
  const kind busy{{.minimum = 256 << 10, .workers = 2}, 16}, tortured{{.torture = 7}, 1};
  const kind checked{{.minimum = 64 << 10, .check_marks = true, .check_barriers = true}, 2};
  for (const kind& k : {busy, tortured, checked}) {
    INFO("seed " << seed << ", torture " << k.options.torture << ", checks " << k.options.check_marks);
    heap h(k.options);
    const mutator attached(h);
    std::mt19937_64 random(seed);
    body(h, random, k.scale);
    h.collect();
  }
}

// Threads attached to a heap that call body(index) until it says false or the object goes; then they are waited for.
class beside {
 public:
  template <class Body>
  beside(heap& h, unsigned count, Body body) {
    for (unsigned i = 0; i < count; ++i)
      threads_.emplace_back([this, &h, i, body] {
        const mutator attached(h);
        ready_.fetch_add(1);
        while (!ending_.load() && body(i)) {
          safepoint();
          std::this_thread::yield();
        }
      });
    const blocking wait;
    while (ready_.load() != count) std::this_thread::yield();
  }
  ~beside() { finish(); }
  void finish() {
    ending_.store(true);
    wait_for_all();
  }
  void wait_for_all() {
    const blocking wait;
    for (std::thread& t : threads_) t.join();
    threads_.clear();
  }

 private:
  std::vector<std::thread> threads_;
  std::atomic<unsigned> ready_{0};
  std::atomic<bool> ending_{false};
};

// A number kept in an object, to see that it was not freed.
struct boxed {
  std::uint64_t number = 0;
};

inline local<boxed> make_boxed(std::uint64_t number) {
  local<boxed> b = make<boxed>();
  b->number = number;
  return b;
}

}  // namespace umber::testing

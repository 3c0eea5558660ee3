// Links swapped between random nodes of a large graph, while another thread makes garbage so that the heap marks again
// and again: what the write barrier costs where it is least welcome.
#include "harness.h"

#include <chrono>

namespace bench {

namespace {

struct cell {
  link<cell> next;
  std::uint64_t number;
};

// Makes and drops cells while the swaps go on: so many a second, or, 0, as fast as it can.
class garbage_beside {
 public:
  garbage_beside(memory& heap, double rate) : heap_(heap), rate_(rate), thread_([this] { make_garbage(); }) {}
  garbage_beside(const garbage_beside&) = delete;
  garbage_beside& operator=(const garbage_beside&) = delete;

  void start() { stage_.store(going, std::memory_order_relaxed); }
  // By an attached thread; returns how many were made.
  std::uint64_t stop() {
    stage_ = done;
    heap_.wait_in([this] { thread_.join(); });
    return made_;
  }

 private:
  enum stage { waiting, going, done };
  static constexpr std::uint64_t at_once = 16384;

  void make_garbage() {
    const attached here(heap_);
    heap_.wait_in([this] {
      while (stage_ == waiting) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    });
    const std::uint64_t began = now_ns();
    while (stage_.load(std::memory_order_relaxed) == going) {
      for (std::uint64_t i = 0; i < at_once; ++i, ++made_) {
        const ref<cell> garbage = make<cell>();
        keep(garbage);
        drop(garbage);
      }
      if (rate_ != 0) wait_until(began + static_cast<std::uint64_t>(static_cast<double>(made_) / rate_ * 1e9));
    }
  }
  void wait_until(std::uint64_t due) {
    const std::uint64_t now = now_ns();
    if (now < due) heap_.wait_in([&] { std::this_thread::sleep_for(std::chrono::nanoseconds(due - now)); });
  }

  memory& heap_;
  const double rate_;
  std::atomic<stage> stage_{waiting};
  std::uint64_t made_ = 0;
  std::thread thread_;
};

void swap_links(array<link<wide_node>>& nodes, random_source& random) {
  wide_node* a = nodes[random.below(nodes.size())];
  wide_node* b = nodes[random.below(nodes.size())];
  wide_node* const left = a->left;
  wide_node* const right = b->right;
  a->left = right;
  b->right = left != nullptr ? left : a;
}

std::uint64_t checksum_of(array<link<wide_node>>& nodes) {
  std::uint64_t sum = 0;
  const auto number = [](const wide_node* n) { return n == nullptr ? 0 : n->words[0] + 1; };
  for (const link<wide_node>& each : nodes) {
    sum = mix(sum, number(each->left));
    sum = mix(sum, number(each->right));
  }
  return sum;
}

}  // namespace

outcome graph_mutate(run& r) {
  outcome result;
  result.checksum = r.on_lanes([&](lane& l) {
    const ref<array<link<wide_node>>> nodes = make_array<link<wide_node>>(r.size());
    for (std::size_t i = 0; i < r.size(); ++i) {
      (*nodes)[i] = make<wide_node>();
      (*nodes)[i]->words[0] = i;
    }
    random_source random = random_of(l, 3);
    garbage_beside garbage(r.heap(), r.chosen().beside);
    std::uint64_t swaps = 0;
    std::uint64_t began = 0;
    std::uint64_t ended = 0;
    l.run(r.operations(20'000), [&](std::size_t i) {
      if (i == 0) {
        began = now_ns();
        garbage.start();
      }
      for (int n = 0; n < 1000; ++n) swap_links(*nodes, random);
      r.heap().safepoint();
      swaps += 1000;
      ended = now_ns();
    });
    const auto took = static_cast<double>(ended - began);
    result.figures = {{"swap_ns", took / static_cast<double>(swaps)},
                      {"beside_per_second", static_cast<double>(garbage.stop()) / took * 1e9}};
    const std::uint64_t sum = checksum_of(*nodes);
    for (const link<wide_node>& each : *nodes) drop(each);
    drop(nodes);
    return sum;
  });
  return result;
}

}  // namespace bench

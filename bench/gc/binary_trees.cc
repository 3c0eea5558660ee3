// Binary trees (Boehm; the Computer Language Benchmarks Game): trees of many depths are made, walked and dropped beside
// one that lives. Allocation and the collection of young garbage are all it does.
#include "managed.h"

#include <atomic>

namespace bench {

namespace {

constexpr unsigned least_depth = 4;

struct tree {
  umber::field<tree> left, right;
};

umber::local<tree> make_tree(unsigned depth) {
  umber::local<tree> top = umber::make<tree>();
  if (depth == 0) return top;
  top->left = make_tree(depth - 1);
  top->right = make_tree(depth - 1);
  return top;
}

std::uint64_t count(const tree* t) { return t->left ? 1 + count(t->left) + count(t->right) : 1; }

std::uint64_t make_and_count(unsigned depth) { return count(make_tree(depth)); }

std::uint64_t grow_forests(unsigned depth) {
  std::uint64_t sum = make_and_count(depth + 1);
  const umber::local<tree> long_lived = make_tree(depth);
  for (unsigned d = least_depth; d <= depth; d += 4)
    for (std::size_t i = std::size_t{1} << (depth - d + least_depth); i > 0; --i) sum += make_and_count(d);
  return sum + count(long_lived);
}

}  // namespace

std::vector<figure> binary_trees(const managed_params& chosen) {
  const unsigned depth = chosen.depth != 0 ? chosen.depth : 18;
  umber::heap heap(chosen.heap);
  std::atomic<std::uint64_t> sum{0};
  const double started = now_ns();
  static_cast<void>(on_threads(chosen.threads, [&](unsigned) {
    const umber::mutator attached(heap);
    sum += grow_forests(depth);
    return std::uint64_t{0};
  }));
  const double ms = (now_ns() - started) / 1e6;
  const umber::heap_statistics s = heap.statistics();
  return {{"ms", ms},
          {"nodes", static_cast<double>(sum.load())},
          {"cycles", static_cast<double>(s.cycles)},
          {"mark_ms", static_cast<double>(s.mark_ns) / 1e6},
          {"assist_ms", static_cast<double>(s.assist_ns) / 1e6},
          {"sweep_ms", static_cast<double>(s.sweep_ns) / 1e6}};
}

}  // namespace bench

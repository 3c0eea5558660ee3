// GCBench (Ellis, Kovac, Boehm): trees made from the top down and from the bottom up, beside a long-lived tree and a
// long-lived array of numbers.
#include "managed.h"

namespace bench {

namespace {

constexpr unsigned stretch_depth = 18;
constexpr unsigned long_lived_depth = 16;
constexpr unsigned least_depth = 4;
constexpr unsigned most_depth = 16;
constexpr std::size_t array_size = 500000;

struct node {
  umber::field<node> left, right;
  std::int32_t i, j;
};

std::size_t tree_size(unsigned depth) { return (std::size_t{2} << depth) - 1; }
std::size_t iterations(unsigned depth) { return 2 * tree_size(stretch_depth) / tree_size(depth); }

void populate(unsigned depth, const umber::local<node>& top) {
  if (depth == 0) return;
  top->left = umber::make<node>();
  top->right = umber::make<node>();
  populate(depth - 1, top->left);
  populate(depth - 1, top->right);
}

umber::local<node> make_tree(unsigned depth) {
  if (depth == 0) return umber::make<node>();
  const umber::local<node> left = make_tree(depth - 1);
  const umber::local<node> right = make_tree(depth - 1);
  umber::local<node> top = umber::make<node>();
  top->left = left;
  top->right = right;
  return top;
}

void time_construction(unsigned depth) {
  for (std::size_t i = iterations(depth); i > 0; --i) {
    const umber::local<node> top = umber::make<node>();
    populate(depth, top);
  }
  for (std::size_t i = iterations(depth); i > 0; --i) static_cast<void>(make_tree(depth));
}

void run_once() {
  static_cast<void>(make_tree(stretch_depth));
  const umber::local<node> long_lived = umber::make<node>();
  populate(long_lived_depth, long_lived);
  const umber::local<umber::array<double>> numbers = umber::make_array<double>(array_size);
  for (std::size_t i = 1; i < array_size / 2; ++i) (*numbers)[i] = 1.0 / static_cast<double>(i);
  for (unsigned d = least_depth; d <= most_depth; d += 2) time_construction(d);
  if (long_lived->left == nullptr || (*numbers)[1000] != 1.0 / 1000) fail("gcbench lost what lives long");
}

}  // namespace

std::vector<figure> gcbench(const managed_params& chosen) {
  umber::heap heap(chosen.heap);
  const umber::mutator attached(heap);
  std::vector<figure> result;
  for (int i = 0; i < 3; ++i) {
    const double started = now_ns();
    run_once();
    result = {{"ms", (now_ns() - started) / 1e6}};
  }
  result.push_back({"cycles", static_cast<double>(heap.statistics().cycles)});
  return result;
}

}  // namespace bench

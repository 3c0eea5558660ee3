// GCBench (Ellis, Kovac, Boehm): trees made from the top down and from the bottom up, beside a long-lived tree and a
// long-lived array of numbers.
#include "harness.h"

#include <bit>

namespace bench {

namespace {

constexpr unsigned least_depth = 4;
constexpr std::size_t array_size = 500000;

struct node {
  link<node> left, right;
  std::int32_t i, j;
};

std::size_t tree_size(unsigned depth) { return (std::size_t{2} << depth) - 1; }

void populate(unsigned depth, const ref<node>& top) {
  if (depth == 0) return;
  top->left = make<node>();
  top->right = make<node>();
  populate(depth - 1, top->left);
  populate(depth - 1, top->right);
}

ref<node> make_tree(unsigned depth) {
  if (depth == 0) return make<node>();
  const ref<node> left = make_tree(depth - 1);
  const ref<node> right = make_tree(depth - 1);
  ref<node> top = make<node>();
  top->left = left;
  top->right = right;
  return top;
}

std::uint64_t count(const node* n) { return n == nullptr ? 0 : 1 + count(n->left) + count(n->right); }

void time_construction(run& r, lane& l, unsigned depth) {
  const std::size_t trees = r.scaled(2 * tree_size(r.depth()) / tree_size(depth));
  for (std::size_t i = trees; i > 0; --i)
    l.time([&] {
      const ref<node> top = make<node>();
      populate(depth, top);
      drop_tree(top);
    });
  for (std::size_t i = trees; i > 0; --i) l.time([&] { drop_tree(make_tree(depth)); });
}

std::uint64_t iterate(run& r, lane& l, std::uint64_t sum) {
  const unsigned most_depth = r.depth() > 2 ? r.depth() - 2 : 1;
  l.time([&] { drop_tree(make_tree(r.depth())); });
  const ref<node> long_lived = make<node>();
  l.time([&] { populate(most_depth, long_lived); });
  const ref<array<double>> numbers = make_array<double>(array_size);
  for (std::size_t i = 1; i < array_size / 2; ++i) (*numbers)[i] = 1.0 / static_cast<double>(i);
  l.skip();
  for (unsigned d = least_depth; d <= most_depth; d += 2) time_construction(r, l, d);
  sum = mix(sum, count(long_lived));
  sum = mix(sum, std::bit_cast<std::uint64_t>((*numbers)[1000]));
  drop_tree(long_lived);
  drop(numbers);
  l.skip();
  return sum;
}

}  // namespace

outcome gcbench(run& r) {
  outcome result;
  result.checksum = r.on_lanes([&](lane& l) {
    std::uint64_t sum = 0;
    l.begin();
    for (int i = 0; i < 3; ++i) {
      const std::uint64_t began = now_ns();
      sum = iterate(r, l, sum);
      result.warm_up.push_back(now_ns() - began);
    }
    l.end();
    return sum;
  });
  return result;
}

}  // namespace bench

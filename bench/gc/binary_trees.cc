// Binary trees (Boehm; the Computer Language Benchmarks Game): trees of many depths are made, walked and dropped beside
// one that lives. Allocation and the collection of young garbage are all it does.
#include "harness.h"

namespace bench {

namespace {

constexpr unsigned least_depth = 4;

struct tree {
  link<tree> left, right;
};

ref<tree> make_tree(unsigned depth) {
  ref<tree> top = make<tree>();
  if (depth == 0) return top;
  top->left = make_tree(depth - 1);
  top->right = make_tree(depth - 1);
  return top;
}

std::uint64_t count(const tree* t) { return t->left ? 1 + count(t->left) + count(t->right) : 1; }

std::uint64_t make_and_count(unsigned depth) {
  const ref<tree> top = make_tree(depth);
  const std::uint64_t nodes = count(top);
  drop_tree(top);
  return nodes;
}

std::uint64_t grow_forests(run& r, lane& l) {
  std::uint64_t sum = 0;
  l.begin();
  l.time([&] { sum += make_and_count(r.depth() + 1); });
  const ref<tree> long_lived = make_tree(r.depth());
  l.skip();
  for (unsigned d = least_depth; d <= r.depth(); d += 4)
    for (std::size_t i = r.scaled(std::size_t{1} << (r.depth() - d + least_depth)); i > 0; --i)
      l.time([&] { sum += make_and_count(d); });
  l.end();
  sum += count(long_lived);
  drop_tree(long_lived);
  return sum;
}

}  // namespace

outcome binary_trees(run& r) {
  return {r.on_lanes([&](lane& l) { return grow_forests(r, l); })};
}

}  // namespace bench

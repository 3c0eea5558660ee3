// Binary trees built from the bottom up and freed from the top down: the allocation half of the well-known binary-trees
// program, with nodes of three sizes so that more than one size class is in play. One long-lived tree stays throughout.
#include "../workloads.h"

namespace bench {

namespace {

constexpr unsigned smallest_depth = 4;
constexpr unsigned largest_depth = 16;

struct node {
  node* left;
  node* right;
  std::uint64_t weight;
};

node* build(unsigned depth, std::uint64_t& serial) {
  const std::uint64_t mark = ++serial;
  auto* made = static_cast<node*>(std::malloc(sizeof(node) + (mark % 3) * 16));
  if (made == nullptr) fail("malloc returned null");
  escape(made);
  made->weight = mark;
  made->left = depth == 0 ? nullptr : build(depth - 1, serial);
  made->right = depth == 0 ? nullptr : build(depth - 1, serial);
  return made;
}

std::uint64_t take_down(node* root) {
  if (root == nullptr) return 0;
  const std::uint64_t sum = root->weight + take_down(root->left) + take_down(root->right);
  std::free(root);
  return sum;
}

}  // namespace

outcome object_tree(const params& chosen) {
  const unsigned depth = chosen.scale < 0.01 ? largest_depth - 6 : largest_depth;
  const std::size_t nodes_per_depth = chosen.scaled(std::size_t{70} << depth >> 4);
  outcome result;
  node* long_lived = build(depth, result.operations);
  for (unsigned each = smallest_depth; each <= depth; each += 2) {
    const std::size_t trees = 1 + nodes_per_depth * 16 / (std::size_t{2} << each);
    for (std::size_t i = 0; i < trees; ++i) result.checksum += take_down(build(each, result.operations));
  }
  result.checksum += take_down(long_lived);
  return result;
}

}  // namespace bench

#include "live_sets.h"

namespace bench {

namespace {

ref<wide_node> make_in_order(unsigned depth) {
  ref<wide_node> node = make<wide_node>();
  if (depth == 0) return node;
  node->left = make_in_order(depth - 1);
  node->right = make_in_order(depth - 1);
  return node;
}

// Nodes allocated in one order, to be linked in another: entry i of `order` says which is the i-th.
struct shuffled {
  explicit shuffled(std::size_t count) : nodes(make_array<link<wide_node>>(count)), order(count) {
    for (std::size_t i = 0; i < count; ++i) {
      (*nodes)[i] = make<wide_node>();
      order[i] = static_cast<std::uint32_t>(i);
    }
    random_source random(1);
    for (std::size_t i = count; i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  }
  ~shuffled() { drop(nodes); }
  shuffled(const shuffled&) = delete;
  shuffled& operator=(const shuffled&) = delete;

  [[nodiscard]] wide_node* at(std::size_t i) const { return (*nodes)[order[i]]; }

  ref<array<link<wide_node>>> nodes;
  std::vector<std::uint32_t> order;
};

}  // namespace

ref<wide_node> make_live_tree(unsigned depth, bool random) {
  if (!random) return make_in_order(depth);
  const std::size_t count = (std::size_t{2} << depth) - 1;
  const shuffled all(count);
  for (std::size_t i = 0; 2 * i + 2 < count; ++i) {
    all.at(i)->left = all.at(2 * i + 1);
    all.at(i)->right = all.at(2 * i + 2);
  }
  return all.at(0);
}

ref<wide_node> make_live_list(std::size_t count) {
  const shuffled all(count);
  for (std::size_t i = 0; i + 1 < count; ++i) all.at(i)->left = all.at(i + 1);
  return all.at(0);
}

}  // namespace bench

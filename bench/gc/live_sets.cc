// Large live sets, for workloads that measure what marking one costs.
#include "managed.h"

namespace bench {

namespace {

umber::local<wide_node> make_in_order(std::size_t depth) {
  umber::local<wide_node> node = umber::make<wide_node>();
  if (depth == 0) return node;
  node->left = make_in_order(depth - 1);
  node->right = make_in_order(depth - 1);
  return node;
}

// Nodes allocated in one order, to be linked in another: entry i of `order` says which is the i-th.
struct shuffled {
  explicit shuffled(std::size_t count) : nodes(umber::make_array<umber::field<wide_node>>(count)), order(count) {
    for (std::size_t i = 0; i < count; ++i) {
      (*nodes)[i] = umber::make<wide_node>();
      order[i] = static_cast<std::uint32_t>(i);
    }
    random_source random(1);
    for (std::size_t i = count; i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  }
  wide_node* at(std::size_t i) const { return (*nodes)[order[i]].get(); }

  umber::local<umber::array<umber::field<wide_node>>> nodes;
  std::vector<std::uint32_t> order;
};

}  // namespace

umber::local<wide_node> make_live_tree(std::size_t depth, bool random) {
  if (!random) return make_in_order(depth);
  const std::size_t count = (std::size_t{2} << depth) - 1;
  const shuffled all(count);
  for (std::size_t i = 0; 2 * i + 2 < count; ++i) {
    all.at(i)->left = all.at(2 * i + 1);
    all.at(i)->right = all.at(2 * i + 2);
  }
  return all.at(0);
}

umber::local<wide_node> make_live_list(std::size_t count) {
  const shuffled all(count);
  for (std::size_t i = 0; i + 1 < count; ++i) all.at(i)->left = all.at(i + 1);
  return all.at(0);
}

}  // namespace bench

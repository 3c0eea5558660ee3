// Everything below works on numbers of the depth-first walk, in which what dominates comes first.
#include "dominators.h"

namespace umber::tool {

namespace {

using number = std::uint32_t;
constexpr number none = dominator_tree::none;

class semi_nca {
 public:
  explicit semi_nca(const heap_snapshot& snapshot) : snapshot_(snapshot) {}

  dominator_tree find() {
    walk();
    find_predecessors();
    find_semidominators();
    dominator_tree result;
    result.dominator.assign(snapshot_.node_count(), none);
    result.retained.assign(snapshot_.node_count(), 0);
    // No semidominator is above the dominator, and no dominator below the parent.
    for (number v = 1; v < order_.size(); ++v) {
      while (dominator_[v] > semi_[v]) dominator_[v] = dominator_[dominator_[v]];
      result.dominator[order_[v]] = order_[dominator_[v]];
    }
    for (auto v = order_.size(); v-- > 0;) {
      const std::uint32_t node = order_[v];
      result.retained[node] += snapshot_.bytes[node];
      if (v != 0) result.retained[result.dominator[node]] += result.retained[node];
    }
    result.order = std::move(order_);
    return result;
  }

 private:
  template <class Visit>
  void for_each_child(std::uint32_t node, Visit visit) const {
    for (std::uint64_t e = snapshot_.first_edge[node]; e != snapshot_.first_edge[node + 1]; ++e)
      if (snapshot_.kinds[e] != edge_kind::weak) visit(snapshot_.targets[e]);
  }

  void reach(std::uint32_t node, number parent) {
    number_[node] = static_cast<number>(order_.size());
    order_.push_back(node);
    dominator_.push_back(parent);
  }

  void walk() {
    number_.assign(snapshot_.node_count(), none);
    struct step {
      std::uint32_t node;
      std::uint64_t edge;
    };
    std::vector<step> path;
    reach(0, 0);
    path.push_back({0, snapshot_.first_edge[0]});
    while (!path.empty()) {
      step& top = path.back();
      if (top.edge == snapshot_.first_edge[top.node + 1]) {
        path.pop_back();
        continue;
      }
      const std::uint64_t edge = top.edge++;
      const std::uint32_t child = snapshot_.targets[edge];
      if (snapshot_.kinds[edge] == edge_kind::weak || number_[child] != none) continue;
      reach(child, number_[top.node]);
      path.push_back({child, snapshot_.first_edge[child]});
    }
  }

  void find_predecessors() {
    first_.assign(order_.size() + 1, 0);
    for (const std::uint32_t node : order_) for_each_child(node, [&](std::uint32_t to) { ++first_[number_[to] + 1]; });
    for (std::size_t v = 1; v < first_.size(); ++v) first_[v] += first_[v - 1];
    predecessors_.resize(first_.back());
    std::vector<std::uint64_t> next(first_.begin(), first_.end() - 1);
    for (number v = 0; v < order_.size(); ++v)
      for_each_child(order_[v], [&](std::uint32_t to) { predecessors_[next[number_[to]]++] = v; });
  }

  void find_semidominators() {
    const auto count = static_cast<number>(order_.size());
    ancestor_ = dominator_;
    for (number v = 0; v < count; ++v) {
      label_.push_back(v);
      semi_.push_back(v);
    }
    for (number v = count - 1; v > 0; --v) {
      semi_[v] = ancestor_[v];
      for (std::uint64_t p = first_[v]; p != first_[v + 1]; ++p) {
        const number above = semi_[lowest_label(predecessors_[p], v + 1)];
        if (above < semi_[v]) semi_[v] = above;
      }
    }
  }

  // Of v and those above it that are numbered from `linked` on, the one with the lowest semidominator; shortens the way
  // for the next time.
  number lowest_label(number v, number linked) {
    if (ancestor_[v] < linked) return label_[v];
    do {
      way_.push_back(v);
      v = ancestor_[v];
    } while (ancestor_[v] >= linked);
    number above = v;
    while (!way_.empty()) {
      v = way_.back();
      way_.pop_back();
      ancestor_[v] = ancestor_[above];
      if (semi_[label_[above]] < semi_[label_[v]]) label_[v] = label_[above];
      above = v;
    }
    return label_[v];
  }

  const heap_snapshot& snapshot_;
  std::vector<number> number_;        // by node
  std::vector<std::uint32_t> order_;  // nodes by number
  std::vector<number> dominator_;     // at first, who reached it
  std::vector<number> ancestor_, label_, semi_, way_;
  std::vector<std::uint64_t> first_;  // of its predecessors
  std::vector<number> predecessors_;
};

}  // namespace

dominator_tree find_dominators(const heap_snapshot& snapshot) { return semi_nca(snapshot).find(); }

}  // namespace umber::tool

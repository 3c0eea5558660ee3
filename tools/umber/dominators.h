// What keeps what alive: the dominator tree of a heap snapshot. Object A dominates B if every path of strong edges from
// the root to B leads through A; so what an object dominates would go with it: its retained size.
#pragma once

#include "heap_snapshot.h"

namespace umber::tool {

struct dominator_tree {
  static constexpr std::uint32_t none = UINT32_MAX;

  std::vector<std::uint32_t> order;      // nodes that the root reaches, each after its dominator
  std::vector<std::uint32_t> dominator;  // by node: the next one up; `none`: it is not reached, or the root
  std::vector<std::uint64_t> retained;   // by node, bytes
};

// By the algorithm "semi-NCA" (Georgiadis: Linear-Time Algorithms for Dominators and Related Problems, 2005), in time
// that is nearly linear for heaps as they are.
dominator_tree find_dominators(const heap_snapshot& snapshot);

}  // namespace umber::tool

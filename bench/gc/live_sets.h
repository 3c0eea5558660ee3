// Large live sets, for workloads that are about what marking one costs.
#pragma once

#include "harness.h"

namespace bench {

// A complete binary tree: in the order of allocation, depth first, or in random order.
[[nodiscard]] ref<wide_node> make_live_tree(unsigned depth, bool random);
// A list by `left`, in random order.
[[nodiscard]] ref<wide_node> make_live_list(std::size_t count);

}  // namespace bench

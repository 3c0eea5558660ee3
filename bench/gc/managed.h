// The managed workloads: each does a fixed piece of work on an umber::heap, or for a fixed time, and prints one line of
// JSON. `umber-gc-workloads --list` names them.
#pragma once

#include "../harness.h"

#include <umber/heap.h>

#include <chrono>
#include <cstdio>
#include <span>
#include <string_view>
#include <vector>

namespace bench {

// What the command line chose.
struct managed_params {
  unsigned threads = 1;
  double scale = 1;
  unsigned depth = 0;    // of a tree; 0: the workload's own
  double rate = 250000;  // operations a second of a paced workload; 0: as fast as it can
  double seconds = 10;   // of a workload that runs for a time
  bool random = false;   // objects linked in random order instead of that of their allocation
  umber::heap_options heap;
};

// One figure of a result. Its unit is part of its name.
struct figure {
  const char* name;
  double value;
};

struct managed_workload {
  const char* name;
  const char* description;
  std::vector<figure> (*run)(const managed_params&);
};

[[nodiscard]] std::span<const managed_workload> all_managed_workloads();

inline double now_ns() {
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// A node of the trees that are only there to be marked: 64 bytes, as large as a cache line.
struct wide_node {
  umber::field<wide_node> left, right;
  std::uint64_t payload[6];
};

// `count` nodes as a complete binary tree: in the order of their allocation, depth first; or in random order.
[[nodiscard]] umber::local<wide_node> make_live_tree(std::size_t depth, bool random);
// As a list in random order.
[[nodiscard]] umber::local<wide_node> make_live_list(std::size_t count);

std::vector<figure> binary_trees(const managed_params& chosen);
std::vector<figure> gcbench(const managed_params& chosen);
std::vector<figure> allocate_16(const managed_params& chosen);
std::vector<figure> barrier_stores(const managed_params& chosen);
std::vector<figure> graph_mutate(const managed_params& chosen);
std::vector<figure> full_collection(const managed_params& chosen);
std::vector<figure> linked_list(const managed_params& chosen);
std::vector<figure> message_ring(const managed_params& chosen);
std::vector<figure> handshakes(const managed_params& chosen);

}  // namespace bench

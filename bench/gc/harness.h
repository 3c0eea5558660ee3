// What the workloads of a collector are written against: what the command line chose, a run with its lanes, and what it
// hands back. What they say about memory is in a header of each system (`umber/system.h`, `malloc/system.h`,
// `boehm/system.h`), of which each program has one.
#pragma once

#include "../basics.h"
#include "../measure/recorder.h"

#include "system.h"

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace bench {

// One figure of a result. Its unit is the end of its name.
struct figure {
  std::string name;
  double value;
};

struct outcome {
  std::uint64_t checksum = 0;
  std::vector<figure> figures = {};
  std::vector<std::uint64_t> warm_up = {};  // ns of each repetition
};

// The command line. What was not chosen is the workload's own.
struct choices {
  std::optional<unsigned> threads, depth;
  std::optional<double> rate;
  double scale = 1;
  double seconds = 10;
  double survival = 0.1;
  double beside = 0;
  double jitter = 0.1;
  bool random = false;
  std::string hlog;
  memory_choices memory;
};

class run;

// What a workload can be told, and what it does when it is not.
struct workload_shape {
  unsigned threads = 1;
  bool may_have_threads = false;
  unsigned depth = 0;  // 0: it has none
  bool may_be_random = false;
  bool has_survival = false;
  bool has_beside = false;
  bool is_paced = false;
  bool idles = false;  // for --seconds
  double rate = 0;
  bool collects_by_itself = true;  // false: only when told
};

struct workload {
  const char* name;
  const char* description;
  outcome (*work)(run&);
  workload_shape shape = {};
};

// Of this program: the common ones, and those of its system alone.
[[nodiscard]] std::span<const workload> common_workloads();
[[nodiscard]] std::span<const workload> own_workloads();

outcome binary_trees(run& r);
outcome gcbench(run& r);
outcome message_ring(run& r);
outcome graph_mutate(run& r);
outcome lru_cache(run& r);
outcome large_arrays(run& r);
outcome ast(run& r);
outcome threads(run& r);
outcome churn_survive(run& r);
outcome leak_slow(run& r);
outcome finalizer_storm(run& r);
outcome weak_cache(run& r);
outcome idle_return(run& r);
outcome allocate(run& r);
outcome recording(run& r);
outcome full_collection(run& r);
outcome linked_list(run& r);

[[nodiscard]] inline std::uint64_t mix(std::uint64_t h, std::uint64_t x) {
  h = (h ^ x) * 0x9E3779B97F4A7C15u;
  return h ^ (h >> 32);
}

class run {
 public:
  run(const workload& row, const choices& chosen);

  [[nodiscard]] const workload& row() const { return row_; }
  [[nodiscard]] const choices& chosen() const { return chosen_; }
  [[nodiscard]] unsigned threads() const { return threads_; }
  [[nodiscard]] unsigned depth() const { return depth_; }
  [[nodiscard]] double rate() const { return rate_; }
  [[nodiscard]] std::size_t size() const { return std::size_t{1} << depth_; }
  [[nodiscard]] std::size_t scaled(std::size_t count) const;
  // How many operations a paced workload does, of which `count` are its own at scale 1.
  [[nodiscard]] std::size_t operations(std::size_t count) const;

  [[nodiscard]] memory& heap() { return memory_; }
  [[nodiscard]] recorder& records() { return recorder_; }

  // Runs body(lane) on a thread for each lane, attached, and returns the sum of what they return.
  template <class Body>
  std::uint64_t on_lanes(Body body) {
    return on_threads(threads_, [&](unsigned index) {
      const attached here(memory_);
      return body(recorder_.of(index));
    });
  }
  // The same from a thread that is attached itself, and holds what they share.
  template <class Body>
  std::uint64_t on_lanes_beside(Body body) {
    std::atomic<std::uint64_t> sum{0};
    std::vector<std::thread> all;
    for (unsigned index = 0; index < threads_; ++index)
      all.emplace_back([&, index] {
        const attached here(memory_);
        sum += body(recorder_.of(index));
      });
    memory_.wait_in([&] {
      for (std::thread& each : all) each.join();
    });
    return sum;
  }

 private:
  const workload& row_;
  const choices& chosen_;
  unsigned threads_;
  unsigned depth_;
  double rate_;
  memory memory_;
  recorder recorder_;
};

[[nodiscard]] inline random_source random_of(const lane& l, std::uint64_t seed) {
  return random_source(seed + 1000 * l.index());
}

// Drops all of a tree of `left` and `right`, where memory is freed by hand.
template <class Holder>
void drop_tree(const Holder& top) {
  if constexpr (!has_collector) {
    if (top == nullptr) return;
    drop_tree(top->left);
    drop_tree(top->right);
    drop(top);
  }
}

// A node of the trees and lists that are only there to be marked: 64 bytes, as large as a cache line.
struct wide_node {
  link<wide_node> left, right;
  std::uint64_t words[6];
};

}  // namespace bench

// A program that had much to hold and holds nothing any more: how much of that the system gets back, and how soon.
#include "live_sets.h"

#include <algorithm>
#include <chrono>

namespace bench {

namespace {

constexpr std::chrono::milliseconds between_looks(5);

// What the process holds more than when it began.
std::uint64_t held_above(std::uint64_t base) {
  const std::uint64_t now = resident_bytes();
  return now > base ? now - base : 0;
}

std::uint64_t count(const wide_node* n) { return n == nullptr ? 0 : 1 + count(n->left) + count(n->right); }

struct held {
  std::uint64_t nodes = 0;
  std::uint64_t bytes = 0;
  std::uint64_t dropped_at = 0;
};

// In a function of its own, so that no handle and no word of a stack is left of the tree.
[[gnu::noinline]] held hold_and_drop(run& r, std::uint64_t base) {
  const ref<wide_node> tree = make_live_tree(r.depth(), false);
  held result;
  result.nodes = count(tree);
  result.bytes = held_above(base);
  result.dropped_at = now_ns();
  drop_tree(tree);
  return result;
}

// Overwrites what calls have left below: a collector that looks at stacks would find the tree there.
[[gnu::noinline]] void wipe_stack() {
  volatile char below[1 << 16];
  std::fill(std::begin(below), std::end(below), '\0');
}

}  // namespace

outcome idle_return(run& r) {
  outcome result;
  r.on_lanes([&](lane& l) {
    l.begin();
    const std::uint64_t base = resident_bytes();
    const held all = hold_and_drop(r, base);
    wipe_stack();
    r.heap().collect();
    const auto idle_ns = static_cast<std::uint64_t>(r.chosen().seconds * 1e9);
    std::optional<std::uint64_t> half_back;
    r.heap().wait_in([&] {
      for (const std::uint64_t began = now_ns(); now_ns() - began < idle_ns;) {
        std::this_thread::sleep_for(between_looks);
        if (!half_back && held_above(base) <= all.bytes / 2) half_back = now_ns() - all.dropped_at;
      }
    });
    const std::uint64_t left = held_above(base);
    l.end();
    result.checksum = mix(0, all.nodes);
    result.figures = {{"full_bytes", static_cast<double>(all.bytes)},
                      {"idle_bytes", static_cast<double>(left)},
                      {"given_back_bytes", static_cast<double>(all.bytes - std::min(left, all.bytes))}};
    if (half_back) result.figures.push_back({"half_back_ns", static_cast<double>(*half_back)});
    return std::uint64_t{0};
  });
  return result;
}

}  // namespace bench

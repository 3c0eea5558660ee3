// What a whole collection costs: of a tree, in the order of allocation or at random, and of a list, where each object
// is found only when the one before has been read.
#include "managed.h"

#include <atomic>
#include <thread>

namespace bench {

namespace {

std::vector<figure> collect_often(umber::heap& heap, std::size_t objects) {
  double best_ms = 1e9;
  double best_mark = 1e9;
  double best_sweep = 1e9;
  for (int i = 0; i < 5; ++i) {
    const umber::heap_statistics before = heap.statistics();
    const double started = now_ns();
    heap.collect();
    best_ms = std::min(best_ms, (now_ns() - started) / 1e6);
    const umber::heap_statistics after = heap.statistics();
    const auto n = static_cast<double>(objects);
    best_mark = std::min(best_mark, static_cast<double>(after.mark_ns - before.mark_ns) / n);
    best_sweep = std::min(best_sweep, static_cast<double>(after.sweep_ns - before.sweep_ns) / n);
    if (after.marked_objects < objects) fail("a collection marked less than there is");
  }
  return {{"ms", best_ms}, {"mark_cpu_ns_an_object", best_mark}, {"sweep_cpu_ns_an_object", best_sweep}};
}

umber::heap_options without_own_cycles(const managed_params& chosen) {
  umber::heap_options options = chosen.heap;
  options.percent = umber::heap_options::off;
  return options;
}

}  // namespace

std::vector<figure> full_collection(const managed_params& chosen) {
  const unsigned depth = chosen.depth != 0 ? chosen.depth : 23;
  umber::heap heap(without_own_cycles(chosen));
  const umber::mutator attached(heap);
  const umber::local<wide_node> tree = make_live_tree(depth, chosen.random);
  return collect_often(heap, (std::size_t{2} << depth) - 1);
}

std::vector<figure> linked_list(const managed_params& chosen) {
  const auto count = static_cast<std::size_t>(4e6 * chosen.scale);
  umber::heap heap(without_own_cycles(chosen));
  const umber::mutator attached(heap);
  const umber::local<wide_node> list = make_live_list(count);
  const double started = now_ns();
  std::uint64_t sum = 0;
  for (const wide_node* n = list; n != nullptr; n = n->left) sum += n->payload[0] + 1;
  const double chase = (now_ns() - started) / static_cast<double>(count);
  if (sum != count) fail("the list lost objects");
  std::vector<figure> result = collect_often(heap, count);
  result.push_back({"pointer_chase_ns", chase});
  return result;
}

std::vector<figure> handshakes(const managed_params& chosen) {
  const unsigned threads = chosen.threads > 1 ? chosen.threads : 1000;
  umber::heap heap(without_own_cycles(chosen));
  std::atomic<bool> done{false};
  std::atomic<unsigned> attached_count{0};
  std::vector<std::thread> all;
  for (unsigned i = 0; i < threads; ++i) {
    all.emplace_back([&, i] {
      const umber::mutator attached(heap);
      ++attached_count;
      if (i % 10 != 0) {
        const umber::blocking waiting;
        while (!done) std::this_thread::sleep_for(std::chrono::milliseconds(20));
      } else {
        while (!done) {
          umber::safepoint();
          std::this_thread::yield();
        }
      }
    });
  }
  while (attached_count < threads) std::this_thread::yield();
  double best_ms = 1e9;
  for (int i = 0; i < 10; ++i) {
    const double started = now_ns();
    heap.collect();
    best_ms = std::min(best_ms, (now_ns() - started) / 1e6);
  }
  done = true;
  for (std::thread& each : all) each.join();
  // A cycle of an empty heap is five rounds.
  return {{"ms_a_round", best_ms / 5},
          {"longest_stall_us", static_cast<double>(heap.statistics().longest_stall_ns) / 1e3}};
}

}  // namespace bench

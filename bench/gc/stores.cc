// What a program pays for being managed: an allocation, a store, and both beside each other.
#include "managed.h"

#include <atomic>
#include <thread>

namespace bench {

namespace {

struct leaf {
  std::uint64_t first, second;
};

struct cell {
  umber::field<cell> next;
  std::uint64_t number;
};

constexpr std::size_t cell_count = 4096;

// The same loop over fields and over plain pointers: a random cell's pointer becomes a random cell.
template <class Store>
double ns_a_store(std::size_t count, Store store) {
  random_source random(7);
  const double started = now_ns();
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t draw = random.next();
    store(draw % cell_count, draw / cell_count % cell_count);
  }
  return (now_ns() - started) / static_cast<double>(count);
}

double ns_a_field_store(const umber::local<umber::array<umber::field<cell>>>& cells, std::size_t count) {
  umber::array<umber::field<cell>>& all = *cells;
  return ns_a_store(count, [&](std::size_t from, std::size_t to) { all[from]->next = all[to].get(); });
}

double ns_a_plain_store(std::size_t count) {
  struct plain {
    plain* next;
    std::uint64_t number;
  };
  std::vector<plain> memory(cell_count);
  std::vector<std::atomic<plain*>> all(cell_count);
  for (std::size_t i = 0; i < cell_count; ++i) all[i].store(&memory[i], std::memory_order_relaxed);
  return ns_a_store(count, [&](std::size_t from, std::size_t to) {
    all[from].load(std::memory_order_acquire)->next = all[to].load(std::memory_order_acquire);
    asm volatile("" : : : "memory");
  });
}

}  // namespace

std::vector<figure> allocate_16(const managed_params& chosen) {
  umber::heap_options options = chosen.heap;
  options.percent = umber::heap_options::off;
  umber::heap heap(options);
  const umber::mutator attached(heap);
  const auto count = static_cast<std::size_t>(2e7 * chosen.scale);
  double best = 1e9;
  for (int round = 0; round < 3; ++round) {
    const double started = now_ns();
    for (std::size_t i = 0; i < count; ++i) umber::keep_alive(umber::make<leaf>());
    best = std::min(best, (now_ns() - started) / static_cast<double>(count));
    heap.collect();
  }
  return {{"ns", best}};
}

std::vector<figure> barrier_stores(const managed_params& chosen) {
  umber::heap heap(chosen.heap);
  const umber::mutator attached(heap);
  const auto count = static_cast<std::size_t>(5e7 * chosen.scale);
  const umber::local<umber::array<umber::field<cell>>> cells = umber::make_array<umber::field<cell>>(cell_count);
  for (umber::field<cell>& each : *cells) each = umber::make<cell>();
  const double plain = ns_a_plain_store(count);
  const double idle = ns_a_field_store(cells, count);
  // A list that takes long to mark, from another thread, keeps the barrier on.
  const umber::local<wide_node> list = make_live_list(static_cast<std::size_t>(4e6 * chosen.scale));
  std::atomic<bool> done{false};
  std::thread collecting([&] {
    while (!done) heap.collect();
  });
  const double marking = ns_a_field_store(cells, count);
  done = true;
  {
    const umber::blocking waiting;
    collecting.join();
  }
  umber::keep_alive(list);
  return {{"plain_ns", plain}, {"idle_ns", idle}, {"marking_ns", marking}};
}

std::vector<figure> graph_mutate(const managed_params& chosen) {
  umber::heap heap(chosen.heap);
  const auto count = static_cast<std::size_t>(1e6 * chosen.scale);
  std::atomic<bool> done{false};
  std::atomic<std::uint64_t> allocated{0};
  const umber::mutator attached(heap);
  const umber::local<umber::array<umber::field<wide_node>>> nodes = umber::make_array<umber::field<wide_node>>(count);
  for (umber::field<wide_node>& each : *nodes) each = umber::make<wide_node>();
  std::thread allocating([&] {
    const umber::mutator beside(heap);
    std::uint64_t n = 0;
    for (; !done.load(std::memory_order_relaxed); ++n) umber::keep_alive(umber::make<cell>());
    allocated = n;
  });
  random_source random(3);
  std::uint64_t swaps = 0;
  const double started = now_ns();
  for (; now_ns() - started < chosen.seconds * 1e9; swaps += 1000) {
    for (int i = 0; i < 1000; ++i) {
      wide_node* a = (*nodes)[random.below(count)];
      wide_node* b = (*nodes)[random.below(count)];
      wide_node* left = a->left;
      a->left = b->right.get();
      b->right = left != nullptr ? left : a;
    }
    umber::safepoint();
  }
  const double took = now_ns() - started;
  done = true;
  {
    const umber::blocking waiting;
    allocating.join();
  }
  return {{"ns_a_swap", took / static_cast<double>(swaps)},
          {"million_allocations_a_second", static_cast<double>(allocated.load()) / took * 1e3},
          {"cycles", static_cast<double>(heap.statistics().cycles)}};
}

}  // namespace bench

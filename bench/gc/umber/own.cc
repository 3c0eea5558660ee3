// Rows that only the managed heap has: what its barrier costs, and its handshakes.
#include "bench/gc/live_sets.h"
#include "bench/gc/rounds.h"

#include <chrono>

namespace bench {

namespace {

struct cell {
  umber::field<cell> next;
  std::uint64_t number;
};

constexpr std::size_t cell_count = 4096;

// The same loop over fields and over plain pointers: a random cell's pointer becomes a random cell.
template <class Store>
double ns_a_store(std::size_t count, Store store) {
  random_source random(7);
  const std::uint64_t began = now_ns();
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t draw = random.next();
    store(draw % cell_count, draw / cell_count % cell_count);
  }
  return static_cast<double>(now_ns() - began) / static_cast<double>(count);
}

double ns_a_field_store(const ref<array<link<cell>>>& cells, std::size_t count) {
  array<link<cell>>& all = *cells;
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

outcome barrier_stores(run& r) {
  outcome result;
  const std::size_t count = r.scaled(50'000'000);
  r.on_lanes([&](lane& l) {
    const ref<array<link<cell>>> cells = make_array<link<cell>>(cell_count);
    for (link<cell>& each : *cells) each = make<cell>();
    // A list that takes long to mark, from another thread, keeps the barrier on.
    const ref<wide_node> list = make_live_list(r.scaled(4'000'000));
    l.begin();
    const double plain = ns_a_plain_store(count);
    const double idle = ns_a_field_store(cells, count);
    std::atomic<bool> done{false};
    std::thread collecting([&] {
      while (!done) r.heap().collect();
    });
    const double marking = ns_a_field_store(cells, count);
    done = true;
    r.heap().wait_in([&] { collecting.join(); });
    l.end();
    keep(list);
    result = {mix(0, count), {{"plain_ns", plain}, {"idle_ns", idle}, {"marking_ns", marking}}};
    return std::uint64_t{0};
  });
  return result;
}

// A mutator that waits or, one in ten, answers.
void be_there(memory& heap, unsigned index, const std::atomic<bool>& done, std::atomic<unsigned>& there) {
  const attached here(heap);
  ++there;
  if (index % 10 != 0) {
    heap.wait_in([&] {
      while (!done) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    });
    return;
  }
  while (!done) {
    umber::safepoint();
    std::this_thread::yield();
  }
}

outcome handshakes(run& r) {
  const unsigned mutators = r.chosen().threads.value_or(1000);
  std::atomic<bool> done{false};
  std::atomic<unsigned> there{0};
  std::vector<std::thread> all;
  for (unsigned i = 0; i < mutators; ++i) all.emplace_back([&, i] { be_there(r.heap(), i, done, there); });
  while (there < mutators) std::this_thread::yield();
  rounds cycles;
  r.on_lanes([&](lane& l) {
    l.begin();
    for (int i = 0; i < 10; ++i) {
      const std::uint64_t began = now_ns();
      l.time([&] { r.heap().collect(); });
      cycles.see(static_cast<double>(now_ns() - began));
    }
    l.end();
    return std::uint64_t{0};
  });
  done = true;
  for (std::thread& each : all) each.join();
  outcome result{mix(0, mutators), {}, cycles.durations()};
  // A cycle of an empty heap is five rounds.
  cycles.add_spread_to(result.figures, "round", 5);
  result.figures.push_back({"longest_stall_ns", static_cast<double>(r.heap().heap().statistics().longest_stall_ns)});
  return result;
}

}  // namespace

std::span<const workload> own_workloads() {
  static const workload table[] = {
      {"barrier", "a store into a field of one of 4096 objects: plain, idle, while marking", barrier_stores},
      {"handshakes",
       "collections of an empty heap with many mutators (--threads), nine in ten blocking",
       handshakes,
       {.collects_by_itself = false}},
  };
  return table;
}

}  // namespace bench

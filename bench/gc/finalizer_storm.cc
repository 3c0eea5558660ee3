// Every object has a finalizer, as where each owns something outside of the heap. All must run, each once.
#include "harness.h"

#include <chrono>

namespace bench {

namespace {

std::atomic<std::uint64_t> finalized{0};
std::atomic<std::uint64_t> sum_of_finalized{0};

void finalize(wide_node* dead) {
  sum_of_finalized.fetch_add(dead->words[0] + 1, std::memory_order_relaxed);
  finalized.fetch_add(1, std::memory_order_relaxed);
}

std::uint64_t make_finalized(run& r, lane& l, std::size_t operations) {
  const ref<array<link<wide_node>>> slots = make_array<link<wide_node>>(r.size());
  std::uint64_t made = 0;
  l.run(operations, [&](std::size_t i) {
    const ref<wide_node> fresh = make<wide_node>();
    fresh->words[0] = i;
    call_when_dead(fresh, finalize);
    link<wide_node>& slot = (*slots)[i % r.size()];
    drop_and_call(slot, finalize);
    slot = fresh;
    ++made;
  });
  for (link<wide_node>& slot : *slots) {
    drop_and_call(slot, finalize);
    slot = nullptr;
  }
  drop(slots);
  return made;
}

// Collects until all finalizers have run, for a minute at most; how long that took, in ns.
std::uint64_t drain(memory& heap, std::uint64_t expected) {
  constexpr std::uint64_t patience = 60'000'000'000;
  const attached here(heap);
  const std::uint64_t began = now_ns();
  while (finalized < expected && now_ns() - began < patience) {
    heap.collect();
    heap.run_finalizers();
    if (finalized < expected) heap.wait_in([] { std::this_thread::sleep_for(std::chrono::milliseconds(1)); });
    // Boehm's collector may take what is left on a stack for a reference.
    if (finalized >= expected - expected / 100 && now_ns() - began > patience / 60) break;
  }
  return now_ns() - began;
}

}  // namespace

outcome finalizer_storm(run& r) {
  const std::size_t operations = r.operations(200'000);
  const std::uint64_t made = r.on_lanes([&](lane& l) { return make_finalized(r, l, operations); });
  const std::uint64_t drained = drain(r.heap(), made);
  const std::uint64_t ran = finalized;
  if (ran > made) fail("a finalizer ran twice");
  if (ran < made - made / 100) fail("finalizers were lost");
  if (ran == made && sum_of_finalized != made * (made + 1) / 2) fail("a finalizer ran for another object");
  return {mix(0, made), {{"finalized", static_cast<double>(ran)}, {"drain_ns", static_cast<double>(drained)}}};
}

}  // namespace bench

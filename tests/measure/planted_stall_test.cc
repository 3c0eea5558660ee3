// A sleep of 5 ms is planted where a mutator empties its full barrier buffer. The run must say so: when, for what, how
// long. PLANTED_STALL_DOCUMENT=FILE has the run written there as a document of `umber bench gc`, for the page of it.
#include "system.h"

#include "bench/measure/recorder.h"
#include "bench/measure/result.h"

#include "alloc/planted.h"

#include <catch2/catch_test_macros.hpp>

#include <cstdlib>
#include <fstream>
#include <thread>

namespace bench {
namespace {

struct node {
  link<node> next;
};

constexpr std::uint64_t planted_ns = 5'000'000;
constexpr std::size_t operations = 400;

struct times {
  std::uint64_t began = 0;
  std::uint64_t ended = 0;
};

std::uint64_t longest_flush(memory& heap) {
  return heap.heap().statistics().stalls[static_cast<std::size_t>(umber::stall_cause::barrier)].longest_ns;
}

// Stores enough for the barrier's buffer to fill while the heap marks, with the fault in one operation.
measurement run_with_a_sleep(times& when) {
  memory heap({});
  const attached here(heap);
  const ref<array<link<node>>> nodes = make_array<link<node>>(4096);
  for (link<node>& each : *nodes) each = make<node>();
  recorder r(heap, 1, 0, 0);
  std::atomic<bool> done{false};
  std::thread collecting([&] {
    while (!done) heap.collect();
  });
  r.of(0).run(operations, [&](std::size_t i) {
    const bool now = i == operations / 2;
    if (now) {
      umber::alloc::planted_fault = umber::alloc::fault::slow_barrier;
      when.began = now_ns();
    }
    // In the one operation until it has happened: the heap marks again and again, but not all the time.
    constexpr std::uint64_t patience = 30'000'000'000;
    do {
      for (std::size_t n = 0; n + 1 < nodes->size(); ++n) (*nodes)[n]->next = (*nodes)[n + 1].get();
      heap.safepoint();
    } while (now && longest_flush(heap) < planted_ns && now_ns() - when.began < patience);
    if (now) {
      when.ended = now_ns();
      umber::alloc::planted_fault = umber::alloc::fault::none;
    }
  });
  done = true;
  heap.wait_in([&] { collecting.join(); });
  return r.take();
}

std::size_t flushes_as_long(const nlohmann::ordered_json& told, const measurement& m, const times& when) {
  std::size_t found = 0;
  for (const auto& pause : told["pauses"]) {
    const std::uint64_t at = pause["at_ns"].get<std::uint64_t>() + m.began;
    const std::uint64_t ns = pause["ns"];
    if (pause["cause"] == "flush" && ns >= planted_ns && at >= when.began && at + ns <= when.ended) ++found;
  }
  return found;
}

// With the operation that has the fault among the run's figures.
void write_document(nlohmann::ordered_json told, const measurement& m, const times& when, const char* file) {
  told["figures"] = {{"planted_from_ns", when.began - m.began}, {"planted_to_ns", when.ended - m.began}};
  nlohmann::ordered_json row{{"row", "planted"}, {"part", "main"}, {"system", "umber"}, {"shown", 0}};
  row["median"]["stall_max_ns"] = told["stalls"]["flush"]["max"];
  row["runs"] = {told};
  std::ofstream(file) << nlohmann::ordered_json{{"bench", "gc"}, {"runs", 1}, {"rows", {row}}};
}

}  // namespace

TEST_CASE("planted stall: a sleep in a mutator's barrier is told as a flush of that length in that operation") {
  times when;
  const measurement m = run_with_a_sleep(when);
  const nlohmann::ordered_json told = to_json(m);
  if (const char* file = std::getenv("PLANTED_STALL_DOCUMENT")) write_document(told, m, when, file);
  CHECK(flushes_as_long(told, m, when) > 0);
  CHECK(told["stalls"]["flush"]["max"] >= planted_ns);
  CHECK(m.service.max() >= planted_ns);
  // No window of 1 ms within the sleep has anything for the mutator.
  for (const auto& [window, share] : told["mmu"].get<std::vector<std::pair<std::uint64_t, double>>>())
    if (window <= 1'000'000) CHECK(share == 0);
}

}  // namespace bench

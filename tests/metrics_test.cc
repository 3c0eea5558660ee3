#include "gc/metrics.h"

#include "gc/stalls.h"
#include "testing.h"

#include <umber/umber.h>

#include <string>
#include <thread>

namespace umber::gc {
namespace {

struct node {
  umber::field<node> next;
};

std::size_t index(stall_cause cause) { return static_cast<std::size_t>(cause); }

TEST_CASE("stalls: a duration goes to the bucket of its logarithm [stalls.1]") {
  CHECK(stall_bucket(0) == 0);
  CHECK(stall_bucket(127) == 0);
  CHECK(stall_bucket(128) == 1);
  CHECK(stall_bucket(255) == 1);
  CHECK(stall_bucket(256) == 2);
  CHECK(stall_bucket(UINT64_MAX) == stall_histogram::buckets - 1);
  stall_record first, second;
  for (const std::uint64_t ns : {5u, 500u, 5'000'000u}) first.add(stall_cause::assist, ns);
  second.add(stall_cause::assist, 400);
  second.take_over(first);
  stall_histogram sum[stall_causes] = {};
  first.add_to(sum);
  CHECK(sum[index(stall_cause::assist)].count == 0);
  second.add_to(sum);
  const stall_histogram& h = sum[index(stall_cause::assist)];
  CHECK(h.count == 4);
  CHECK(h.total_ns == 5'000'905);
  CHECK(h.longest_ns == 5'000'000);
  CHECK(h.counts[stall_bucket(500)] == 2);
  CHECK(sum[index(stall_cause::wait)].count == 0);
}

TEST_CASE("metrics: stalls are counted by cause, and stay when their thread leaves") {
  umber::heap heap;
  std::thread([&] {
    const umber::mutator attached(heap);
    umber::local<node> list;
    for (int i = 0; i < 1'000'000 || heap.statistics().cycles == 0; ++i) {
      const auto fresh = make<node>();
      if (i % 8 == 0) fresh->next = list;
      if (i % 8 == 0) list = fresh;
    }
  }).join();
  const heap_statistics figures = heap.statistics();
  CHECK(figures.mutators == 0);
  CHECK(figures.percent == 100);
  CHECK(figures.cycles > 0);
  const stall_histogram& handshakes = figures.stalls[index(stall_cause::handshake)];
  CHECK(handshakes.count >= 4);
  std::uint64_t longest = 0;
  for (const stall_histogram& h : figures.stalls) {
    longest = std::max(longest, h.longest_ns);
    CHECK(h.longest_ns <= h.total_ns);
  }
  CHECK(figures.longest_stall_ns == longest);
  char text[8192];
  CHECK(heap.metrics_json(text, sizeof text) < sizeof text);
  CHECK(std::string(text).find("\"/umber/mutators:threads\":0,") != std::string::npos);
}

TEST_CASE("metrics: what was allocated in all is counted over the cycles") {
  struct line {
    std::uint64_t words[8];
  };
  heap_options options;
  options.percent = heap_options::off;
  umber::heap heap(options);
  const umber::mutator attached(heap);
  constexpr std::size_t each = 100'000;
  std::size_t before = heap.statistics().total_allocated_bytes;
  for (int cycle = 0; cycle < 3; ++cycle) {
    for (std::size_t i = 0; i < each; ++i) keep_alive(make<line>());
    const heap_statistics s = heap.statistics();
    // What is at hand counts when it comes to hand: a few hundred slots.
    CHECK(s.total_allocated_bytes >= before + each * sizeof(line) - 4096);
    CHECK(s.total_allocated_bytes <= before + each * sizeof(line) + 65536);
    CHECK(s.total_allocated_objects >= each * static_cast<std::size_t>(cycle + 1));
    CHECK(s.total_allocated_objects <= each * static_cast<std::size_t>(cycle + 1) + 1024);
    before = s.total_allocated_bytes;
    heap.collect();
    CHECK(heap.statistics().total_allocated_bytes >= before);
  }
}

TEST_CASE("metrics: JSON has Go's names, and its whole length is told [metrics.1] [text.1]") {
  heap_statistics figures{};
  figures.cycles = 7;
  figures.limit = heap_options::off;
  figures.mark_ns = 1'234'567'890;
  figures.sweep_ns = 1;
  figures.cpu.mutator_ns = 5'000'000'000;
  figures.stalls[index(stall_cause::wait)].count = 1;
  figures.stalls[index(stall_cause::wait)].counts[2] = 1;
  std::string text(write_metrics(figures, nullptr, 0) + 1, 'x');
  CHECK(write_metrics(figures, text.data(), text.size()) == text.size() - 1);
  CHECK(text.back() == '\0');
  const auto has = [&](const char* part) { return text.find(part) != std::string::npos; };
  CHECK(text.starts_with("{\"/gc/cycles/total:gc-cycles\":7,"));
  CHECK(has("\"/gc/gomemlimit:bytes\":null,"));
  CHECK(has("\"/umber/cpu/gc/mark:cpu-seconds\":1.234567890,"));
  CHECK(has("\"/cpu/classes/user:cpu-seconds\":5.000000000,"));
  CHECK(has("\"/umber/cpu/gc/sweep/mutators:cpu-seconds\":0.000000000,"));
  CHECK(has("\"/cpu/classes/gc/total:cpu-seconds\":1.234567891,"));
  CHECK(has("\"/umber/stalls/wait:seconds\":{\"count\":1,"));
  CHECK(has("\"buckets\":[0,0.000000128,0.000000256,"));
  CHECK(has("\"counts\":[0,0,1,0"));
  char small[10];
  CHECK(write_metrics(figures, small, sizeof small) == text.size() - 1);
  CHECK(std::string(small) == "{\"/gc/cyc");
}

}  // namespace
}  // namespace umber::gc

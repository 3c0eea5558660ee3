#include "bench/measure/recorder.h"
#include "bench/measure/result.h"

#include <catch2/catch_test_macros.hpp>

#include "sorting.h"

#include "bench/basics.h"

#include <chrono>
#include <map>
#include <random>
#include <thread>

namespace bench {
namespace {

// A system that says what the test wants.
class pretended final : public system_view {
 public:
  std::string name() const override { return "pretended"; }
  std::string version() const override { return "1"; }
  system_reading read() override {
    system_reading r;
    r.cycles = collections;
    r.live_bytes = 4096;
    return r;
  }
  bool tells_stalls() const override { return true; }
  void collect() override { ++collections; }

  std::atomic<std::uint64_t> collections{0};
};

void busy_for(std::uint64_t ns) {
  for (const std::uint64_t end = now_ns() + ns; now_ns() < end;) continue;
}

measurement run_lanes(recorder& r, std::size_t operations, const std::function<void(lane&, std::size_t)>& work) {
  std::vector<std::thread> all;
  for (unsigned i = 0; i < r.lane_count(); ++i)
    all.emplace_back([&, i] { r.of(i).run(operations, [&](std::size_t n) { work(r.of(i), n); }); });
  for (std::thread& each : all) each.join();
  return r.take();
}

}  // namespace

TEST_CASE("clock: goes with the system's, to one in ten thousand") {
  const std::uint64_t systems = system_clock_ns();
  const std::uint64_t ours = now_ns();
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  const std::uint64_t ours_passed = now_ns() - ours;
  const std::uint64_t systems_passed = system_clock_ns() - systems;
  CHECK(ours_passed >= 100'000'000 - 10'000);
  CHECK(ours_passed <= systems_passed + systems_passed / 10'000);
}

TEST_CASE("recorder: every operation of every lane is recorded once, between one collection and the end") {
  pretended system;
  recorder r(system, 3, 0, 0);
  std::vector<std::atomic<int>> done(1000);
  std::atomic<int> astray{0};
  const measurement m = run_lanes(r, done.size(), [&](lane& l, std::size_t i) {
    if (i % 3 != l.index()) ++astray;
    ++done[i];
  });
  CHECK(astray == 0);
  CHECK(std::all_of(done.begin(), done.end(), [](int n) { return n == 1; }));
  CHECK(m.service.count() == 1000);
  CHECK(m.response == nullptr);
  CHECK(*m.before.cycles == 1);
  CHECK(m.samples.size() >= 2);
}

TEST_CASE(
    "recorder: of a run whose every operation was noted, all percentiles are those of a sort, in its object, too") {
  const std::uint64_t seed = std::random_device()();
  INFO("seed " << seed);
  random_source random(seed);
  pretended system;
  recorder r(system, 1, 0, 0);
  // Operations of a map that grows and shrinks: most short, some with an allocation, few at which the system
  // interferes.
  std::map<std::uint64_t, std::vector<char>> work;
  std::vector<std::uint64_t> noted;
  noted.reserve(200'000);
  lane& l = r.of(0);
  l.begin();
  while (noted.size() < noted.capacity()) {
    noted.push_back(l.time([&] {
      const std::uint64_t key = random.below(5000);
      if (work.erase(key) == 0) work[key].resize(random.below(20) == 0 ? 100'000 : 100);
    }));
  }
  l.end();
  const measurement m = r.take();
  testing::compare_with_sort(m.service, noted);
  std::sort(noted.begin(), noted.end());
  const nlohmann::ordered_json told = to_json(m)["service_ns"];
  for (const auto& [name, per_cent] :
       {std::pair{"p50", 50.0}, {"p90", 90.0}, {"p99", 99.0}, {"p99.9", 99.9}, {"p99.99", 99.99}, {"p99.999", 99.999}})
    testing::check_percentile(told[name], noted, per_cent);
}

TEST_CASE("recorder: a stall counts for all operations that were due meanwhile") {
  // 10,000 a second; one takes 50 ms, and the 500 that were due meanwhile are late by 50 ms and less: not one of them.
  pretended system;
  recorder r(system, 1, 10'000, 0);
  const measurement m = run_lanes(r, 2000, [](lane&, std::size_t i) {
    if (i == 700) busy_for(50'000'000);
  });
  REQUIRE(m.response != nullptr);
  CHECK(m.response->count() == 2000);
  CHECK(m.service.max() >= 50'000'000);
  std::uint64_t late = 0;
  for (std::size_t i = 0; i < histogram::buckets; ++i)
    if (histogram::highest_of(i) >= 10'000'000) late += m.response->counts()[i];
  CHECK(late >= 390);
  CHECK(m.wall_ns >= 199'900'000);
}

TEST_CASE("recorder: stalls are told with their time, cause and length, in the object of a run") {
  pretended system;
  recorder r(system, 1, 0, 0);
  std::uint64_t began = 0;
  std::uint64_t ended = 0;
  const measurement m = run_lanes(r, 100, [&](lane& l, std::size_t i) {
    CHECK(lane::of_this_thread() == &l);
    if (i != 50) return;
    began = now_ns();
    busy_for(3'000'000);
    l.stalled(cause::assist, 3'000'000);
    ended = now_ns();
  });
  const nlohmann::ordered_json told = to_json(m);
  REQUIRE(told["pauses"].size() == 1);
  CHECK(told["pauses"][0]["cause"] == "assist");
  CHECK(told["pauses"][0]["ns"] == 3'000'000);
  CHECK(told["pauses"][0]["at_ns"].get<std::uint64_t>() >= began - m.began);
  CHECK(told["pauses"][0]["at_ns"].get<std::uint64_t>() <= ended - m.began - 3'000'000);
  CHECK(told["stalls"]["assist"]["count"] == 1);
  CHECK(told["mmu"][0][1] == 0);
  CHECK(told["operations"] == 100);
  CHECK(told["memory"].contains("peak_rss"));
  CHECK_FALSE(told["memory"].contains("returned_bytes"));
}

TEST_CASE("jitter: none is looked for unless asked, and a gap is a microsecond or more") {
  const jitter_watch none(1000, 0);
  CHECK_FALSE(none.looked());
  jitter_watch some(1000, 0.05);
  some.stop();
  CHECK(some.looked());
  if (some.gaps().count() != 0) CHECK(some.gaps().min() >= jitter_watch::least_gap_ns);
}

}  // namespace bench

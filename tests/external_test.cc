#include <umber/umber.h>

#include "testing.h"

#include <chrono>
#include <thread>

namespace umber::testing {

using umber::heap;

namespace {

constexpr std::ptrdiff_t block_bytes = 1 << 20;

// Owns a block that only it knows of; here it need not exist.
struct owner {
  owner() { account_external(this, block_bytes); }
  ~owner() { account_external(this, -block_bytes); }

  static constexpr auto pointers = umber::pointers();
};

template <class Done>
bool happens(Done done) {
  for (int i = 0; i < 5000; ++i) {
    if (done()) return true;
    blocking wait;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

}  // namespace

TEST_CASE("external: what objects own outside starts cycles as if it were heap [external.1]") {
  heap h;
  mutator attached(h);
  CHECK(h.statistics().cycles == 0);
  // So few objects of 16 bytes never would.
  CHECK(happens([&] {
    for (int i = 0; i < 10; ++i) static_cast<void>(make<owner>());
    return h.statistics().cycles >= 5;
  }));
  h.collect();
  CHECK(h.statistics().external_bytes == 0);
}

TEST_CASE("external: what is alive moves the goal, what is dead does not") {
  heap h;
  mutator attached(h);
  const std::size_t goal = h.statistics().goal_bytes;
  {
    const local<array<field<owner>>> all = make_array<field<owner>>(100);
    for (std::size_t i = 0; i < 100; ++i) (*all)[i] = make<owner>();
    h.collect();
    CHECK(h.statistics().external_bytes == 100 * std::size_t{block_bytes});
    CHECK(h.statistics().goal_bytes >= 200 * std::size_t{block_bytes});
  }
  h.collect();
  CHECK(h.statistics().external_bytes == 0);
  CHECK(h.statistics().goal_bytes == goal);
}

TEST_CASE("external: memory that comes and goes while its owner lives starts no cycles") {
  heap h;
  mutator attached(h);
  for (int i = 0; i < 10'000; ++i) {
    add_external_bytes(block_bytes);
    add_external_bytes(h, -block_bytes);
    safepoint();
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK(h.statistics().cycles == 0);
  CHECK(h.statistics().external_bytes == 0);
}

TEST_CASE("external: a soft limit holds for the sum") {
  heap_options options;
  options.percent = heap_options::off;
  options.limit = 64 << 20;
  heap h(options);
  mutator attached(h);
  for (int i = 0; i < 40; ++i) static_cast<void>(make<owner>());
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK(h.statistics().cycles == 0);
  for (int i = 0; i < 40; ++i) static_cast<void>(make<owner>());
  CHECK(happens([&] { return h.statistics().cycles != 0; }));
}

TEST_CASE("external: a hard limit holds for the sum, and garbage is collected before anything fails [external.1]") {
  heap_options options;
  options.percent = heap_options::off;
  options.hard_limit = 32 << 20;
  heap h(options);
  mutator attached(h);
  add_external_bytes(20 << 20);
  static_cast<void>(make_array<char>(4 << 20));
  add_external_bytes(10 << 20);
  CHECK_THROWS_AS(make_array<char>(4 << 20), std::bad_alloc);
  add_external_bytes(-(30 << 20));
  for (int i = 0; i < 100; ++i) {
    static_cast<void>(make<owner>());
    static_cast<void>(make_array<char>(4 << 20));
  }
  CHECK(h.statistics().external_bytes < 32 << 20);
}

TEST_CASE("external: it belongs to the heap of the object, whoever says so, and on any thread") {
  heap first, second;
  std::thread([&] {
    mutator attached(first);
    const local<owner> one = make<owner>();
    add_external_bytes(second, 5);
    std::thread([&] { add_external_bytes(second, 7); }).join();
    CHECK(first.statistics().external_bytes == std::size_t{block_bytes});
    std::thread([&, object = one.get()] { account_external(object, 9); }).join();
    account_external(one, 1);
    CHECK(first.statistics().external_bytes == std::size_t{block_bytes} + 10);
  }).join();
  CHECK(second.statistics().external_bytes == 12);
  first.collect();
  CHECK(first.statistics().external_bytes == 10);
  CHECK(second.statistics().external_bytes == 12);
}

TEST_CASE("external: sums stay right when many threads allocate and sweep") {
  heap_options options;
  options.minimum = 1 << 20;
  heap h(options);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      mutator attached(h);
      for (int i = 0; i < 20'000; ++i) static_cast<void>(make<owner>());
    });
  for (std::thread& t : threads) t.join();
  h.collect();
  CHECK(h.statistics().external_bytes == 0);
}

TEST_CASE("external: what is no managed object is refused") {
  const ending end = death_of([] {
    int outside = 0;
    account_external(&outside, 1);
  });
  CHECK(end.aborted());
  CHECK(end.says("is no managed object"));
}

}  // namespace umber::testing

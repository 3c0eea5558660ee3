#include "alloc/sync.h"

#include "testing.h"

#include <thread>

namespace umber::testing {
namespace {

// Whether the locks check their ranks in this build.
#ifdef NDEBUG
constexpr bool ranks_are_checked = false;
#else
constexpr bool ranks_are_checked = true;
#endif

}  // namespace

TEST_CASE("sync: a mutex excludes, contended or not") {
  mutex<rank::mheap> m;
  std::size_t count = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 20'000; ++i) {
        const lock_guard guard(m);
        ++count;
      }
    });
  for (std::thread& t : threads) t.join();
  CHECK(count == 80'000);
}

TEST_CASE("sync: a thread that has to wait sleeps until it is woken") {
  mutex<rank::mheap> m;
  m.lock();
  bool entered = false;
  std::thread other([&] {
    const lock_guard guard(m);
    entered = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  CHECK_FALSE(entered);
  m.unlock();
  other.join();
  CHECK(entered);
}

TEST_CASE("sync: try_lock takes what is free and nothing else") {
  mutex<rank::mheap> m;
  REQUIRE(m.try_lock());
  std::thread([&] { CHECK_FALSE(m.try_lock()); }).join();
  m.unlock();
  std::thread([&] {
    CHECK(m.try_lock());
    m.unlock();
  }).join();
}

TEST_CASE("sync: the child of a fork frees a lock whose holder it did not inherit") {
  mutex<rank::mheap> m;
  std::atomic<bool> held{false}, done{false};
  std::thread holder([&] {
    const lock_guard guard(m);
    held = true;
    while (!done) std::this_thread::yield();
  });
  while (!held) std::this_thread::yield();
  const ending end = run_in_child([&] {
    m.reset_in_child();
    const lock_guard guard(m);
    return true;
  });
  done = true;
  holder.join();
  CHECK(end.succeeded());
}

TEST_CASE("sync: locks taken upwards in rank are in order, whatever the order of release [rank.1]") {
  const ending end = run_in_child([] {
    mutex<rank::processor> low;
    mutex<rank::mheap> middle;
    mutex<rank::metadata> high;
    for (int i = 0; i < 3; ++i) {
      low.lock();
      middle.lock();
      high.lock();
      low.unlock();
      high.unlock();
      middle.unlock();
    }
    return true;
  });
  CHECK(end.succeeded());
}

TEST_CASE("sync: a lock taken out of rank ends a debug build with a line [sync.1] [rank.1]") {
  const ending end = death_of([] {
    mutex<rank::mheap> high;
    mutex<rank::mcentral> low;
    high.lock();
    low.lock();
  });
  CHECK(end.aborted() == ranks_are_checked);
  CHECK(end.says("rank") == ranks_are_checked);
}

}  // namespace umber::testing

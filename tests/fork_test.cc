#include "alloc/fork.h"

#include "alloc/malloc.h"
#include "alloc/startup.h"
#include "testing.h"

#include <thread>

namespace umber::testing {
namespace {

// Allocations of every kind, written and freed.
bool heap_works() {
  std::vector<void*> blocks;
  for (std::size_t i = 0; i < 3000; ++i) {
    const std::size_t n = i % 100 == 0 ? 300'000 : i * 31 % 5000 + 1;
    void* p = allocate(n);
    if (p == nullptr) return false;
    std::memset(p, static_cast<int>(i), n);
    blocks.push_back(p);
  }
  for (void* block : blocks) deallocate(block);
  std::thread([] { deallocate(allocate(100)); }).join();
  release_memory();
  return heap.pressure() > 0;
}

// Threads that keep the heap busy in every way, cross frees too, until the test ends.
class load {
 public:
  explicit load(int threads) {
    for (int t = 0; t < threads; ++t) threads_.emplace_back([this] { run(); });
    while (rounds_ < threads) std::this_thread::yield();
  }
  ~load() {
    done_ = true;
    for (std::thread& t : threads_) t.join();
    for (auto& place : mail_) deallocate(place.exchange(nullptr));
  }

 private:
  void run() {
    std::mt19937_64 random(new_seed());
    while (!done_) {
      for (int i = 0; i < 500; ++i) {
        const std::size_t n = random() % 100 == 0 ? 150'000 : random() % 3000;
        deallocate(mail_[random() % 1000].exchange(allocate(n)));
      }
      std::thread([] { deallocate(allocate(64)); }).join();
      ++rounds_;
    }
  }

  std::atomic<bool> done_{false};
  std::atomic<int> rounds_{0};
  std::atomic<void*> mail_[1000] = {};
  std::vector<std::thread> threads_;
};

}  // namespace

TEST_CASE("fork: the child of a busy process has a heap that works, and so has its child [fork.1]") {
  if (!may_fork_under_load) SKIP("the sanitizer does not survive a fork under load");
  start_up();
  const load busy(3);
  for (int i = 0; i < 30; ++i) {
    const ending end = run_in_child([] { return heap_works() && run_in_child(heap_works).succeeded(); });
    INFO(end.output << " status " << end.status);
    REQUIRE(end.succeeded());
  }
}

TEST_CASE("fork: in the child nobody but its one thread holds a processor [fork.1]") {
  if (!may_fork_under_load) SKIP("the sanitizer does not survive a fork under load");
  start_up();
  const load busy(3);
  for (int i = 0; i < 10; ++i) {
    const ending end = run_in_child([] {
      for (int n = 0; n < 64; ++n) deallocate(allocate(48));
      const processors::census before = processors::count();
      // What is idle can be had: more threads than that make no more processors than they need.
      std::vector<std::thread> threads;
      std::atomic<int> arrived{0};
      const int wanted = static_cast<int>(before.idle < 3 ? before.idle : 3);
      for (int t = 0; t < wanted; ++t)
        threads.emplace_back([&] {
          for (int n = 0; n < 64; ++n) deallocate(allocate(48));
          ++arrived;
          while (arrived != wanted) std::this_thread::yield();
        });
      for (std::thread& t : threads) t.join();
      return processors::count().all == before.all && this_thread.mine()->held;
    });
    CHECK(end.succeeded());
  }
}

TEST_CASE("fork: blocks of the parent are the child's, and can be freed there by any thread") {
  start_up();
  std::vector<void*> blocks;
  for (int i = 0; i < 5000; ++i) blocks.push_back(std::memset(allocate(200), 0x42, 200));
  const ending end = run_in_child([&] {
    std::thread([&] {
      for (std::size_t i = 0; i < blocks.size(); i += 2) deallocate(blocks[i]);
    }).join();
    for (std::size_t i = 1; i < blocks.size(); i += 2) {
      if (*static_cast<unsigned char*>(blocks[i]) != 0x42) return false;
      deallocate(blocks[i]);
    }
    return true;
  });
  CHECK(end.succeeded());
  for (void* block : blocks) {
    CHECK(*static_cast<unsigned char*>(block) == 0x42);
    deallocate(block);
  }
}

TEST_CASE("fork: the child gives memory back in the background, as its parent does") {
  start_up();
  std::vector<void*> blocks;
  for (int i = 0; i < 30; ++i) blocks.push_back(std::memset(allocate(mib), 1, mib));
  for (void* block : blocks) deallocate(block);
  const ending end = run_in_child([] {
    const std::size_t before = os::resident_bytes();
    std::vector<void*> more;
    for (int i = 0; i < 60; ++i) more.push_back(std::memset(allocate(mib), 1, mib));
    for (void* block : more) deallocate(block);
    for (int i = 0; i < 100; ++i) {
      if (os::resident_bytes() < before + 10 * mib) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return false;
  });
  CHECK(end.succeeded());
}

TEST_CASE("fork: preparing and going on in the parent leaves every lock free") {
  for (int i = 0; i < 10; ++i) {
    fork_prepare();
    fork_parent();
    CHECK(heap_works());
  }
}

}  // namespace umber::testing

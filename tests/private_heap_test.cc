#include "alloc/private_heap.h"

#include "alloc/malloc.h"
#include "alloc/startup.h"
#include "testing.h"

#include <set>
#include <thread>

namespace umber::testing {
namespace {

std::size_t private_spans() {
  std::size_t n = 0;
  heap.for_each_span([&](const mspan& s) { n += s.private_home != nullptr; });
  return n;
}

std::size_t pages_in_spans() {
  std::size_t n = 0;
  heap.for_each_span([&](const mspan& s) { n += s.run.count.value; });
  return n;
}

// A heap that ends with its test.
class test_heap {
 public:
  test_heap() : h_(create_private_heap()) { REQUIRE(h_ != nullptr); }
  ~test_heap() { destroy_private_heap(h_); }
  void* allocate(std::size_t n, std::size_t alignment = 16) {
    void* p = allocate_in(h_, n, alignment);
    if (p == nullptr || address_of(p) % alignment != 0) std::abort();
    std::memset(p, 0x77, n);
    return p;
  }

 private:
  private_heap* h_;
};

// The heap's spans are those whose home it is: as many as a census finds.
void settle() {
  for (int i = 0; i < 64; ++i) deallocate(allocate(48));
}

}  // namespace

TEST_CASE("private_heap: destroying it frees every block of every size [private_heap.1]") {
  settle();
  const std::size_t before = pages_in_spans();
  {
    test_heap h;
    for (std::size_t n = 1; n < 2 * mib; n = n * 3 / 2 + 1)
      for (int i = 0; i < 5; ++i) h.allocate(n, std::size_t{16} << (3 * i));
    CHECK(private_spans() > 50);
  }
  CHECK(private_spans() == 0);
  CHECK(pages_in_spans() == before);
}

TEST_CASE("private_heap: no span is shared with another heap or the process's [private_heap.1]") {
  test_heap a, b;
  std::set<const mspan*> of_a, of_b;
  for (int i = 0; i < 1000; ++i) {
    of_a.insert(span_at(a.allocate(64)));
    of_b.insert(span_at(b.allocate(64)));
    void* shared = allocate(64);
    CHECK(span_at(shared)->private_home == nullptr);
    deallocate(shared);
  }
  for (const mspan* s : of_a) {
    CHECK(of_b.count(s) == 0);
    CHECK(s->private_home == (*of_a.begin())->private_home);
  }
  CHECK(private_spans() == of_a.size() + of_b.size());
}

TEST_CASE("private_heap: blocks freed one by one are used again by their heap [private_heap.1]") {
  test_heap h;
  std::vector<void*> blocks;
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 3000; ++i) blocks.push_back(h.allocate(100));
    for (void* block : blocks) deallocate(block);
    blocks.clear();
    deallocate(h.allocate(300 * kib));
  }
  CHECK(private_spans() < 3 * 3000 * 112 / (8 * page_size) + 3);
}

TEST_CASE("private_heap: a heap whose blocks other threads have freed meanwhile goes whole [private_heap.1]") {
  settle();
  const std::size_t before = pages_in_spans();
  for (int round = 0; round < 10; ++round) {
    test_heap h;
    std::vector<std::vector<void*>> blocks(3);
    for (int i = 0; i < 6000; ++i)
      blocks[static_cast<std::size_t>(i) % 3].push_back(h.allocate(static_cast<std::size_t>(i) % 700 + 1));
    for (auto& mine : blocks) mine.push_back(h.allocate(mib));
    std::vector<std::thread> threads;
    for (auto& mine : blocks)
      threads.emplace_back([&] {
        for (std::size_t i = 0; i < mine.size(); i += 1 + i % 3) deallocate(mine[i]);
      });
    for (int i = 0; i < 2000; ++i) h.allocate(50);
    for (std::thread& t : threads) t.join();
  }
  CHECK(private_spans() == 0);
  processors::flush_idle(UINT64_MAX);
  processors::flush_shared();
  this_thread.mine()->flush();
  CHECK(pages_in_spans() <= before);
}

TEST_CASE("private_heap: several threads may allocate from one heap") {
  test_heap h;
  std::vector<std::vector<void*>> blocks(3);
  std::vector<std::thread> threads;
  for (auto& mine : blocks)
    threads.emplace_back([&] {
      for (int i = 0; i < 5000; ++i) mine.push_back(h.allocate(40));
    });
  for (std::thread& t : threads) t.join();
  std::set<void*> all;
  for (const auto& mine : blocks) all.insert(mine.begin(), mine.end());
  CHECK(all.size() == 15'000);
}

TEST_CASE("private_heap: a block that is resized stays correct, wherever it goes") {
  test_heap h;
  for (std::size_t n = 8; n < 3 * mib; n *= 2) {
    auto* p = static_cast<unsigned char*>(h.allocate(n));
    p = static_cast<unsigned char*>(reallocate(p, n * 3));
    REQUIRE(p != nullptr);
    for (std::size_t i = 0; i < n; i += 7) REQUIRE(p[i] == 0x77);
    std::memset(p, 1, n * 3);
    deallocate(p);
  }
}

TEST_CASE("private_heap: misuse of its blocks is reported") {
  test_heap h;
  void* p = h.allocate(48);
  h.allocate(48);
  const ending end = death_of([&] {
    deallocate(p);
    deallocate(p);
  });
  CHECK(end.aborted());
  CHECK(end.says("was already freed (48-byte object)"));
  void* large = h.allocate(mib);
  CHECK(death_of([&] { deallocate(large), deallocate(large); }).says("was already freed"));
}

TEST_CASE("private_heap: requests beyond any memory are null") {
  private_heap* h = create_private_heap();
  CHECK(allocate_in(h, SIZE_MAX - 100, 16) == nullptr);
  CHECK(allocate_in(h, 100, std::size_t{1} << 63) == nullptr);
  CHECK(allocate_in(h, PTRDIFF_MAX, 16) == nullptr);
  destroy_private_heap(h);
}

TEST_CASE("private_heap: a fork while others use a private heap leaves the child one that works [fork.1]") {
  if (!may_fork_under_load) SKIP("the sanitizer does not survive a fork under load");
  start_up();
  test_heap h;
  std::atomic<bool> done{false};
  std::thread busy([&] {
    while (!done) {
      deallocate(h.allocate(200 * kib));
      deallocate(h.allocate(64));
      destroy_private_heap(create_private_heap());
    }
  });
  for (int i = 0; i < 50; ++i) {
    const ending end = run_in_child([&] {
      alarm(10);
      h.allocate(200 * kib);
      h.allocate(64);
      destroy_private_heap(create_private_heap());
      return true;
    });
    if (!end.succeeded()) done = true;
    CHECK(end.succeeded());
    if (done) break;
  }
  done = true;
  busy.join();
}

}  // namespace umber::testing

#include "alloc/watch.h"

#include "alloc/census.h"
#include "alloc/malloc.h"
#include "alloc/private_heap.h"
#include "testing.h"

#include <algorithm>
#include <cerrno>
#include <thread>

namespace umber::alloc {
namespace {

using testing::death_of;
using testing::failing_system;
using testing::new_seed;
using testing::span_at;

// Samples while it lives.
class sampling {
 public:
  explicit sampling(std::size_t every) { REQUIRE(profile::start(every) == 0); }
  ~sampling() { profile::stop(); }
  sampling(const sampling&) = delete;
  sampling& operator=(const sampling&) = delete;
};

struct counts {
  std::uint64_t taken = 0, gone = 0;
};
counts count_sites() {
  counts sum;
  for (const profile::site* s = profile::first_site(); s != nullptr; s = s->next_of_all) {
    sum.taken += s->taken.load();
    sum.gone += s->gone.load();
  }
  return sum;
}

bool is_sampled(const void* block) { return span_at(block)->owner.load() == span_owner::large; }

// Whether each allocation of a byte or more is one.
TEST_CASE("watch: a sample is a block like any other of its class [watch.1]") {
  const sampling all(1);
  for (std::size_t n : {1u, 8u, 16u, 60u, 1000u, 5000u, 8192u, 40'000u, 131'072u}) {
    const counts before = count_sites();
    // Those that were at hand before sampling began.
    std::vector<void*> others;
    void* p = allocate(n);
    while (!is_sampled(p)) {
      others.push_back(p);
      p = allocate(n);
    }
    CHECK(usable_size(p) == good_size(n));
    CHECK(address_of(p) % (n < 16 ? 8 : 16) == 0);
    CHECK(span_at(p)->valid());
    std::memset(p, 1, usable_size(p));
    CHECK(count_sites().taken >= before.taken + 1);
    deallocate_sized(p, n);
    for (void* other : others) deallocate(other);
    CHECK(count_sites().gone >= before.gone + 1);
  }
}

TEST_CASE("watch: alignment, zeroes and resizing hold for samples") {
  const sampling all(1);
  for (int i = 0; i < 200; ++i) {
    void* aligned = allocate_aligned(4096, 5000);
    CHECK(address_of(aligned) % 4096 == 0);
    void* zeroed = allocate_zeroed(3000);
    CHECK(std::all_of(static_cast<char*>(zeroed), static_cast<char*>(zeroed) + 3000, [](char c) { return c == 0; }));
    std::memset(zeroed, 7, 3000);
    char* moved = static_cast<char*>(reallocate(zeroed, 9000));
    CHECK(std::all_of(moved, moved + 3000, [](char c) { return c == 7; }));
    deallocate_sized(aligned, 4096, 5000);
    deallocate(moved);
  }
}

TEST_CASE("watch: a large object is a sample anew whenever it is resized") {
  const sampling all(1);
  const counts before = count_sites();
  void* p = allocate(mib);
  p = reallocate(p, 3 * mib);
  p = reallocate(p, 64 * mib);
  CHECK(count_sites().taken == before.taken + 3);
  CHECK(count_sites().gone == before.gone + 2);
  CHECK(span_at(p)->sample->what.size == span_at(p)->run.count.bytes());
  deallocate(p);
  CHECK(count_sites().gone == before.gone + 3);
}

TEST_CASE("watch: misuse of a sample is seen") {
  const sampling all(1);
  void* p = allocate(48);
  while (!is_sampled(p)) p = allocate(48);
  CHECK(death_of([&] { deallocate(static_cast<char*>(p) + 16); }).says("points into an object"));
  CHECK(death_of([&] { deallocate_sized(p, 100); }).says("was allocated with another size"));
  CHECK(death_of([&] {
          deallocate(p);
          deallocate(p);
        }).says("was already freed"));
  CHECK(death_of([&] {
          deallocate(p);
          static_cast<void>(reallocate(p, 500));
        }).says("was already freed"));
  deallocate(p);
}

TEST_CASE("watch: what is freed is no longer in use, whoever frees it") {
  const sampling often(10'000);
  const counts before = count_sites();
  std::vector<void*> blocks;
  for (int i = 0; i < 100'000; ++i) blocks.push_back(allocate(static_cast<std::size_t>(16 + i % 500)));
  const counts full = count_sites();
  CHECK(full.taken - before.taken > 1000);
  CHECK(full.gone == before.gone);
  const std::size_t live = collect_stats().live_objects;
  for (std::size_t i = 0; i < 50'000; ++i) deallocate(blocks[i]);
  std::thread([&] {
    for (std::size_t i = 50'000; i < 100'000; ++i) deallocate(blocks[i]);
  }).join();
  const counts empty = count_sites();
  CHECK(empty.gone - before.gone == full.taken - before.taken);
  CHECK(collect_stats().live_objects <= live - 100'000 + 1000);  // some are on their way home
}

TEST_CASE("watch: the blocks of a heap of its own are sampled, and gone with it") {
  const sampling often(2000);
  const counts before = count_sites();
  private_heap* h = create_private_heap();
  for (int i = 0; i < 1000; ++i) {
    REQUIRE(allocate_in(h, 100, 16) != nullptr);
    if (i % 100 == 0) REQUIRE(allocate_in(h, mib, 16) != nullptr);
    if (i % 10 == 0) deallocate(allocate_in(h, 100, 64));
  }
  const counts full = count_sites();
  CHECK(full.taken > before.taken + 20);
  CHECK(full.taken - full.gone > before.taken - before.gone);
  destroy_private_heap(h);
  const counts empty = count_sites();
  CHECK(empty.taken - empty.gone == before.taken - before.gone);
}

TEST_CASE("watch: without memory for it an allocation is no sample, or fails as ever") {
  const sampling often(1000);
  std::vector<void*> blocks;
  for (std::size_t first = 0; first < 20; ++first) {
    const failing_system failing(first);
    for (int i = 0; i < 300; ++i) {
      void* p = allocate(static_cast<std::size_t>(i) * 700);
      if (p == nullptr)
        CHECK(errno == ENOMEM);
      else
        blocks.push_back(p);
    }
  }
  for (void* p : blocks) deallocate(p);
}

}  // namespace
}  // namespace umber::alloc

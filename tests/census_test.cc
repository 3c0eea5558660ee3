#include "alloc/census.h"

#include "alloc/malloc.h"
#include "testing.h"

#include <thread>
#include <utility>

namespace umber::testing {
namespace {

void expect_sums(const heap_stats& s) {
  CHECK(s.live_bytes + s.free_slot_bytes + s.waste_bytes + s.free_page_bytes == s.mapped_bytes);
  CHECK(s.released_bytes <= s.free_page_bytes);
  CHECK(s.peak_used_bytes <= s.mapped_bytes);
  std::size_t objects = 0, bytes = s.large_bytes;
  for (const class_stats& c : s.classes) {
    objects += c.live_objects;
    bytes += c.live_objects * c.object_size;
  }
  CHECK(objects == s.live_objects);
  CHECK(bytes == s.live_bytes);
}

}  // namespace

TEST_CASE("census: everything mapped is live, a free slot, waste or a free page [stats.1]") {
  std::vector<void*> blocks;
  for (std::size_t i = 0; i < 30'000; ++i) blocks.push_back(allocate(i * 37 % 3000));
  for (std::size_t i = 0; i < 10; ++i) blocks.push_back(allocate(200 * kib + i * 300'000));
  expect_sums(collect_stats());
  for (std::size_t i = 0; i < blocks.size(); i += 3) deallocate(std::exchange(blocks[i], nullptr));
  expect_sums(collect_stats());
  for (void* block : blocks) deallocate(block);
  release_memory();
  const heap_stats s = collect_stats();
  expect_sums(s);
  CHECK(s.live_objects == 0);
  CHECK(s.scavenged_bytes_total > 0);
  CHECK(s.metadata_bytes > 0);
  CHECK(s.processors >= 1);
}

TEST_CASE("census: live objects are counted exactly, and counting changes nothing [census.1]") {
  const heap_stats before = collect_stats();
  std::vector<void*> blocks;
  for (int i = 0; i < 777; ++i) blocks.push_back(allocate(100));
  blocks.push_back(allocate(mib));
  const heap_stats during = collect_stats();
  CHECK(during.live_objects == before.live_objects + 778);
  CHECK(during.live_bytes == before.live_bytes + 777 * 112 + mib);
  CHECK(during.large_objects == before.large_objects + 1);
  for (int i = 0; i < 3; ++i) {
    const heap_stats again = collect_stats();
    CHECK(again.live_bytes == during.live_bytes);
    CHECK(again.mapped_bytes == during.mapped_bytes);
    CHECK(again.free_slot_bytes == during.free_slot_bytes);
    CHECK(again.metadata_bytes == during.metadata_bytes);
  }
  for (void* block : blocks) deallocate(block);
  CHECK(collect_stats().live_objects == before.live_objects);
}

TEST_CASE("census: what other threads have freed counts as free once it has been sent [census.1]") {
  std::vector<void*> blocks;
  for (int i = 0; i < 300; ++i) blocks.push_back(allocate(100));
  const std::size_t live = collect_stats().live_objects;
  std::thread([&] {
    for (void* block : blocks) deallocate(block);
  }).join();
  CHECK(collect_stats().live_objects == live - 300);
}

TEST_CASE("census: a census while others allocate ends, and its sums hold [stats.1]") {
  std::atomic<bool> done{false};
  std::thread busy([&] {
    std::mt19937_64 random(1);
    while (!done) {
      std::vector<void*> blocks;
      for (int i = 0; i < 2000; ++i) blocks.push_back(allocate(random() % 20'000));
      for (void* block : blocks) deallocate(block);
    }
  });
  for (int i = 0; i < 100; ++i) {
    const heap_stats s = collect_stats();
    CHECK(s.live_bytes + s.free_slot_bytes + s.waste_bytes + s.free_page_bytes == s.mapped_bytes);
  }
  done = true;
  busy.join();
}

}  // namespace umber::testing

#include <umber/umber.h>

#include <catch2/catch_test_macros.hpp>
#include <cerrno>
#include <cstring>
#include <map>
#include <memory_resource>
#include <string>
#include <thread>
#include <vector>

namespace {

bool aligned(const void* p, std::size_t alignment) { return reinterpret_cast<std::uintptr_t>(p) % alignment == 0; }

// Above PTRDIFF_MAX, where the compiler does not see it.
std::size_t too_much() {
  static volatile std::size_t n = SIZE_MAX - 100;
  return n;
}

struct alignas(256) wide {
  int value;
};

}  // namespace

TEST_CASE("api: the version is the header's") { CHECK(std::string(umber_version()) == UMBER_VERSION); }

TEST_CASE("api: allocate, resize and free in every form") {
  for (std::size_t n = 0; n < 3000000; n = n * 3 + 1) {
    void* p = umber_malloc(n);
    REQUIRE(p != nullptr);
    CHECK(aligned(p, n <= 8 ? 8 : 16));
    CHECK(umber_usable_size(p) >= n);
    CHECK(umber_good_size(n) == umber_usable_size(p));
    std::memset(p, 1, n);
    p = umber_realloc(p, n + 100);
    REQUIRE(p != nullptr);
    umber_free_sized(p, n + 100);

    const umber_allocation generous = umber_allocate_at_least(n);
    CHECK(generous.size >= n);
    std::memset(generous.ptr, 2, generous.size);
    umber_free_sized(generous.ptr, generous.size);

    auto* zeroed = static_cast<unsigned char*>(umber_calloc(n, 1));
    for (std::size_t i = 0; i < n; i += 7) REQUIRE(zeroed[i] == 0);
    umber_free(zeroed);
  }
  umber_free(nullptr);
  umber_free_sized(nullptr, 5);
  CHECK(umber_usable_size(nullptr) == 0);
}

TEST_CASE("api: aligned blocks") {
  for (std::size_t alignment = 1; alignment <= (1 << 21); alignment *= 2) {
    void* p = umber_aligned_alloc(alignment, 100);
    CHECK(aligned(p, alignment));
    umber_free_aligned_sized(p, alignment, 100);
  }
  errno = 0;
  CHECK(umber_aligned_alloc(48, 100) == nullptr);
  CHECK(errno == EINVAL);
  errno = 0;
  CHECK(umber_aligned_alloc(0, 100) == nullptr);
  CHECK(errno == EINVAL);
}

TEST_CASE("api: realloc to nothing is a block, not a free") {
  void* p = umber_realloc(umber_malloc(100), 0);
  REQUIRE(p != nullptr);
  umber_free(p);
}

TEST_CASE("api: what cannot be had is null and ENOMEM") {
  errno = 0;
  CHECK(umber_malloc(too_much()) == nullptr);
  CHECK(errno == ENOMEM);
  errno = 0;
  CHECK(umber_calloc(too_much(), 2) == nullptr);
  CHECK(errno == ENOMEM);
  const umber_allocation none = umber_allocate_at_least(too_much());
  CHECK(none.ptr == nullptr);
  CHECK(none.size == 0);
}

TEST_CASE("api: a heap is destroyed with what is still in it") {
  const std::size_t before = umber::statistics().live_bytes;
  umber_malloc_heap* heap = umber_malloc_heap_create();
  REQUIRE(heap != nullptr);
  std::vector<void*> blocks;
  for (std::size_t i = 0; i < 5000; ++i) {
    const std::size_t n = i % 1000 == 0 ? 300000 : i % 700;
    void* p = umber_malloc_heap_allocate(heap, n);
    REQUIRE(p != nullptr);
    std::memset(p, 3, n);
    if (i % 3 == 0) blocks.push_back(p);
  }
  void* wide_block = umber_malloc_heap_allocate_aligned(heap, 4096, 100);
  CHECK(aligned(wide_block, 4096));
  CHECK(umber_malloc_heap_allocate_aligned(heap, 24, 100) == nullptr);
  CHECK(umber::statistics().live_bytes > before + 1000000);
  for (void* p : blocks) umber_free(p);
  umber_malloc_heap_destroy(heap);
  umber_malloc_heap_destroy(nullptr);
  CHECK(umber::statistics().live_bytes < before + 200000);
}

TEST_CASE("api: a heap may be used by several threads, and its blocks freed by others") {
  umber::malloc_heap heap;
  std::vector<std::vector<char*>> blocks(4);
  std::vector<std::thread> threads;
  for (auto& mine : blocks)
    threads.emplace_back([&heap, &mine] {
      for (std::size_t i = 0; i < 3000; ++i) {
        mine.push_back(static_cast<char*>(heap.allocate(i % 500 + 1)));
        mine.back()[0] = static_cast<char>(i);
      }
    });
  for (std::thread& t : threads) t.join();
  threads.clear();
  for (std::size_t k = 0; k < 4; ++k)
    threads.emplace_back([&theirs = blocks[(k + 1) % 4]] {
      for (std::size_t i = 0; i < theirs.size(); i += 2) {
        if (theirs[i][0] != static_cast<char>(i)) std::abort();
        umber::deallocate(theirs[i]);
      }
    });
  for (std::thread& t : threads) t.join();
}

TEST_CASE("api: many heaps come and go") {
  for (int i = 0; i < 300; ++i) {
    umber::malloc_heap heap;
    for (std::size_t n = 1; n < 3000; n += 97) REQUIRE(heap.allocate(n) != nullptr);
    REQUIRE(heap.allocate(100000, std::align_val_t{64}) != nullptr);
  }
  umber::release_memory();
}

TEST_CASE("api: statistics count what is allocated") {
  const umber::malloc_statistics before = umber::statistics();
  std::vector<void*> blocks(1000);
  for (void*& p : blocks) p = umber::allocate(1000);
  void* large = umber::allocate(10 << 20);
  const umber::malloc_statistics during = umber::statistics();
  CHECK(during.live_bytes >= before.live_bytes + 1000 * 1000 + (10 << 20));
  CHECK(during.live_objects == before.live_objects + 1001);
  CHECK(during.large_objects == before.large_objects + 1);
  CHECK(during.mapped_bytes >= during.live_bytes);
  CHECK(during.peak_used_bytes + during.free_page_bytes >= during.mapped_bytes);
  CHECK(during.live_bytes + during.free_slot_bytes + during.free_page_bytes + during.waste_bytes ==
        during.mapped_bytes);
  for (void* p : blocks) umber::deallocate(p, 1000);
  umber::deallocate(large, 10 << 20);
  CHECK(umber::statistics().live_bytes == before.live_bytes);
  std::size_t first_member = 0;
  umber_malloc_stats partial;
  std::memset(&partial, 0xff, sizeof partial);
  umber_get_malloc_stats(&partial, sizeof first_member);
  CHECK(partial.live_bytes == before.live_bytes);
  CHECK(partial.live_objects == SIZE_MAX);
}

TEST_CASE("api: JSON statistics have the length they say") {
  const std::string json = umber::statistics_json();
  CHECK(json.starts_with("{\"live_bytes\":"));
  CHECK(json.ends_with("]}"));
  char small[20];
  CHECK(umber_malloc_stats_json(small, sizeof small) > sizeof small);
  CHECK(std::strlen(small) == sizeof small - 1);
}

TEST_CASE("api: the memory limit is remembered") {
  const std::size_t before = umber::set_memory_limit(std::size_t{1} << 33);
  CHECK(umber::set_memory_limit(before) == std::size_t{1} << 33);
  CHECK(umber::statistics().memory_limit == before);
}

TEST_CASE("api: freed memory is given back on request") {
  std::vector<void*> blocks(20000);
  for (void*& p : blocks) p = std::memset(umber::allocate(4000), 1, 4000);
  for (void* p : blocks) umber::deallocate(p);
  const std::size_t before = umber::statistics().released_bytes;
  const std::size_t released = umber::release_memory();
  CHECK(umber::statistics().released_bytes >= before);
  CHECK(released + before > 50000000);
}

TEST_CASE("api: containers through the allocator") {
  std::vector<int, umber::allocator<int>> numbers;
  for (int i = 0; i < 100000; ++i) numbers.push_back(i);
  CHECK(numbers[99999] == 99999);
  std::map<int, std::string, std::less<>, umber::allocator<std::pair<const int, std::string>>> map;
  for (int i = 0; i < 1000; ++i) map[i] = std::string(100, 'm');
  CHECK(map.size() == 1000);
  std::vector<wide, umber::allocator<wide>> wides(100);
  CHECK(aligned(wides.data(), 256));
  CHECK(umber::allocator<int>() == umber::allocator<char>());
  CHECK_THROWS_AS(umber::allocator<int>().allocate(SIZE_MAX / 2), std::bad_array_new_length);
  CHECK_THROWS_AS(umber::allocator<char>().allocate(too_much()), std::bad_alloc);
  umber::allocator<double> doubles;
  const auto many = doubles.allocate_at_least(100);
  CHECK(many.count >= 100);
  doubles.deallocate(many.ptr, many.count);
}

TEST_CASE("api: containers through the memory resources") {
  std::pmr::vector<std::pmr::string> strings(umber::default_memory_resource());
  for (int i = 0; i < 1000; ++i) strings.emplace_back(std::string(static_cast<std::size_t>(i), 's'));
  CHECK(strings[999].get_allocator().resource() == umber::default_memory_resource());
  CHECK(umber::default_memory_resource()->is_equal(*umber::default_memory_resource()));
  void* p = umber::default_memory_resource()->allocate(0, 1024);
  CHECK(aligned(p, 1024));
  umber::default_memory_resource()->deallocate(p, 0, 1024);

  umber::malloc_heap heap;
  auto* forgotten = new (heap.allocate(sizeof(std::pmr::vector<std::pmr::string>)))
      std::pmr::vector<std::pmr::string>(heap.resource());
  for (int i = 0; i < 1000; ++i) forgotten->emplace_back("a string that is too long for its own small buffer");
  CHECK(forgotten->size() == 1000);
}

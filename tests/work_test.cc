#include "gc/work.h"

#include "testing.h"

#include <thread>

namespace umber::testing {
namespace {

using namespace gc;

work_chunk* chunk_with(work_list& list, std::uintptr_t item) {
  work_chunk* chunk = list.make_chunk();
  if (chunk == nullptr) std::abort();
  chunk->items[chunk->count++] = item;
  return chunk;
}

}  // namespace

TEST_CASE("work: what is published is taken once, the newest first") {
  work_list list;
  CHECK(list.empty());
  CHECK(list.take() == nullptr);
  work_chunk* a = chunk_with(list, 1 << 4);
  work_chunk* b = chunk_with(list, 2 << 4);
  list.publish(a);
  list.publish(b);
  CHECK_FALSE(list.empty());
  CHECK(list.take() == b);
  CHECK(list.take() == a);
  CHECK(list.take() == nullptr);
  CHECK(list.empty());
  list.drop_chunk(a);
  list.drop_chunk(b);
}

TEST_CASE("work: a dropped chunk is used again, empty") {
  work_list list;
  work_chunk* a = chunk_with(list, 1 << 4);
  list.drop_chunk(a);
  work_chunk* again = list.make_chunk();
  CHECK(again == a);
  CHECK(again->count == 0);
  CHECK(again->next == nullptr);
  list.drop_chunk(again);
}

TEST_CASE("work: a chunk has room for as many items as it says") {
  work_list list;
  work_chunk* chunk = list.make_chunk();
  REQUIRE(chunk != nullptr);
  while (chunk->has_room()) {
    CHECK(chunk->has_room(2) == (chunk->count + 2 <= work_chunk::capacity));
    chunk->items[chunk->count++] = 16;
  }
  CHECK(chunk->count == work_chunk::capacity);
  list.drop_chunk(chunk);
}

TEST_CASE("work: threads that publish and take lose no chunk and see none twice") {
  work_list list;
  constexpr std::uintptr_t each = 2000;
  std::atomic<std::uint64_t> sum{0}, taken{0};
  std::vector<std::thread> threads;
  for (std::uintptr_t t = 0; t < 3; ++t)
    threads.emplace_back([&, t] {
      const auto take = [&] {
        work_chunk* chunk = list.take();
        if (chunk == nullptr) return;
        sum += chunk->items[0];
        ++taken;
        list.drop_chunk(chunk);
      };
      for (std::uintptr_t i = 1; i <= each; ++i) {
        list.publish(chunk_with(list, t * each + i));
        if (i % 2 == 0) take();
      }
      while (!list.empty()) take();
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(taken == 3 * each);
  CHECK(sum == 3 * each * (3 * each + 1) / 2);
}

TEST_CASE("work: a closed list takes what it is given and gives nothing [work.2]") {
  work_list list;
  work_chunk* before = chunk_with(list, 1 << 4);
  list.publish(before);
  list.close();
  CHECK(list.take() == nullptr);
  list.publish(chunk_with(list, 2 << 4));
  CHECK(list.take() == nullptr);
  CHECK_FALSE(list.empty());
  list.forget();
  CHECK(list.empty());
  list.open();
  CHECK(list.take() == nullptr);
  CHECK(list.make_chunk() == before);
}

TEST_CASE("work: what was published is counted, also when it has been taken") {
  work_list list;
  const std::size_t before = list.published();
  work_chunk* chunk = chunk_with(list, 1 << 4);
  list.publish(chunk);
  CHECK(list.published() == before + 1);
  CHECK(list.take() == chunk);
  CHECK(list.published() == before + 1);
  list.drop_chunk(chunk);
  list.forget();
  CHECK(list.published() == before + 1);
  list.count_published();
  CHECK(list.published() == before + 2);
}

TEST_CASE("work: without memory there is no chunk") {
  work_list list;
  std::vector<work_chunk*> chunks;
  {
    const failing_system none(0);
    while (work_chunk* chunk = list.make_chunk()) chunks.push_back(chunk);
    CHECK(chunks.size() < 100'000);
  }
  work_chunk* chunk = list.make_chunk();
  CHECK(chunk != nullptr);
}

}  // namespace umber::testing

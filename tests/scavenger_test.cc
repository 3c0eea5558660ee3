#include "alloc/scavenger.h"

#include "alloc/malloc.h"
#include "alloc/startup.h"
#include "testing.h"

#include <chrono>
#include <filesystem>
#include <thread>

namespace umber::testing {
namespace {

std::size_t threads_of_this_process() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return static_cast<std::size_t>(std::distance(begin(tasks), end(tasks)));
}

std::vector<void*> written_blocks(std::size_t bytes, std::size_t each) {
  std::vector<void*> blocks;
  for (std::size_t i = 0; i < bytes / each; ++i) blocks.push_back(std::memset(allocate(each), 1, each));
  return blocks;
}

}  // namespace

TEST_CASE("scavenger: a process that frees little has no background thread [scavenger.1]") {
  const std::size_t before = threads_of_this_process();
  for (void* block : written_blocks(mib, 1000)) deallocate(block);
  CHECK(threads_of_this_process() == before);
}

TEST_CASE("scavenger: memory that is freed and not used again goes back by itself [scavenger.1]") {
  if (!resident_bytes_tell) SKIP("the thread sanitizer's shadow hides what went back");
  const std::size_t idle = os::resident_bytes(), threads = threads_of_this_process();
  for (void* block : written_blocks(60 * mib, 3000)) deallocate(block);
  for (void* block : written_blocks(60 * mib, 2 * mib)) deallocate(block);
  const auto is_back = [&] { return os::resident_bytes() < idle + 12 * mib; };
  CHECK(eventually(is_back));
  CHECK(threads_of_this_process() == threads + 1);
  CHECK(eventually([] { return scavenger::so_far().released_bytes > 40 * mib; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  for (void* block : written_blocks(60 * mib, 100'000)) deallocate(block);
  CHECK(eventually(is_back));
  CHECK(threads_of_this_process() == threads + 1);
}

TEST_CASE("scavenger: what somebody expects to take is kept, and goes back when nobody does any more") {
  if (!resident_bytes_tell) SKIP("the thread sanitizer's shadow hides what went back");
  const std::size_t idle = os::resident_bytes();
  scavenger::expect_growth(0, 50 * mib);
  for (void* block : written_blocks(100 * mib, 2 * mib)) deallocate(block);
  CHECK(eventually([&] { return os::resident_bytes() < idle + 62 * mib; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  CHECK(os::resident_bytes() > idle + 30 * mib);
  scavenger::expect_growth(50 * mib, 0);
  scavenger::note_free();
  CHECK(eventually([&] { return os::resident_bytes() < idle + 12 * mib; }));
}

TEST_CASE("scavenger: memory freed by a thread that never allocated goes back too") {
  if (!resident_bytes_tell) SKIP("the thread sanitizer's shadow hides what went back");
  const std::size_t idle = os::resident_bytes();
  const std::vector<void*> blocks = written_blocks(80 * mib, 5000);
  std::thread([&] {
    for (void* block : blocks) deallocate(block);
  }).join();
  CHECK(eventually([&] { return os::resident_bytes() < idle + 20 * mib; }));
}

TEST_CASE("scavenger: many threads that free at once start one background thread [scavenger.1]") {
  if (thread_sanitized) SKIP("the thread sanitizer starts a thread of its own");
  start_up();
  const ending end = run_in_child([] {
    const std::size_t before = threads_of_this_process();
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([] {
        for (int round = 0; round < 3; ++round)
          for (void* block : written_blocks(10 * mib, 300'000)) deallocate(block);
      });
    for (std::thread& t : threads) t.join();
    std::this_thread::sleep_for(std::chrono::milliseconds(200));  // a joined thread may still be listed
    return threads_of_this_process() == before + 1;
  });
  CHECK(end.succeeded());
}

TEST_CASE("scavenger: what is released by hand is counted, and at once") {
  for (void* block : written_blocks(30 * mib, 40'000)) deallocate(block);
  const std::size_t before = scavenger::so_far().released_bytes, resident = os::resident_bytes();
  const std::size_t bytes = scavenger::release_all();
  CHECK(scavenger::so_far().released_bytes >= before + bytes);
  CHECK(os::resident_bytes() <= resident);
  CHECK(heap.figures().unscavenged.value == 0);
  const scavenger::figures now = scavenger::so_far();
  CHECK(now.cpu_ns < 5'000'000'000);
}

}  // namespace umber::testing

#include "gc/turns.h"

#include "alloc/os.h"
#include "testing.h"

#include <atomic>
#include <thread>

namespace umber::gc {

using testing::bind_to;

TEST_CASE("turns: who wants the processor gets it between two turns, and not only when the system takes it") {
  std::atomic<bool> ended{false};
  std::atomic<std::uint64_t> progress{0};
  std::thread([&] {
    bind_to(os::current_processor());
    std::thread other([&] {  // is bound as who starts it
      while (!ended.load()) progress.fetch_add(1);
    });
    turn_taking turns;
    turns.begin();
    unsigned pauses_with_progress = 0;
    const std::uint64_t until = os::thread_cpu_time() + 300'000'000;
    while (os::thread_cpu_time() < until) {
      const std::uint64_t before = progress.load();
      turns.pause();
      pauses_with_progress += progress.load() != before;
    }
    ended = true;
    other.join();
    // Some 1200 turns fit. What the system takes it takes 75 times, and mostly between two pauses.
    CHECK(pauses_with_progress > 100);
  }).join();
}

}  // namespace umber::gc

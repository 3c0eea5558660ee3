#include "alloc/startup.h"

#include "alloc/malloc.h"

#include <sys/wait.h>
#include <unistd.h>
#include <catch2/catch_test_macros.hpp>
#include <thread>
#include <vector>

using namespace umber::alloc;

// Handlers registered twice would take every lock twice, and the fork would never return.
TEST_CASE("startup: however many threads start up, a fork goes through the handlers once [startup.1]") {
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) threads.emplace_back([] { start_up(); });
  for (std::thread& t : threads) t.join();
  alarm(30);
  for (int i = 0; i < 10; ++i) {
    void* p = allocate(100);
    const pid_t child = fork();
    if (child == 0) {
      deallocate(p);
      for (std::size_t n = 1; n < 100000; n *= 3) deallocate(allocate(n));
      _exit(0);
    }
    int status = -1;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    deallocate(p);
  }
  alarm(0);
}

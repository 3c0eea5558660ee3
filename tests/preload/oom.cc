// Running out of memory: malloc answers NULL and ENOMEM, nothing is lost, and all goes well once there is memory again.
#include "cases.h"

#include <malloc.h>
#include <sys/resource.h>
#include <cerrno>
#include <new>
#include <string>
#include <thread>
#include <vector>

namespace {

using cases::opaque;

constexpr std::size_t mib = std::size_t{1} << 20;

// Lets the process have `more` bytes of writable memory beyond what it has now, whoever maps it.
void limit_data(std::size_t more) {
  struct rlimit limit = {};
  getrlimit(RLIMIT_DATA, &limit);
  limit.rlim_cur = more == RLIM_INFINITY ? limit.rlim_max : cases::statm(5) + more;
  EXPECT(setrlimit(RLIMIT_DATA, &limit) == 0);
}

void limit_address_space(std::size_t bytes) {
  struct rlimit limit = {};
  getrlimit(RLIMIT_AS, &limit);
  limit.rlim_cur = bytes == RLIM_INFINITY ? limit.rlim_max : bytes;
  EXPECT(setrlimit(RLIMIT_AS, &limit) == 0);
}

// A limit that is not honoured must not become the machine's trouble.
constexpr std::size_t most = 2048 * mib;

struct chain {
  chain* next;
};

// Allocates blocks of n bytes until there are no more; their number.
std::size_t exhaust(std::size_t n, chain*& blocks) {
  std::size_t count = 0;
  for (;;) {
    errno = 0;
    chain* const block = static_cast<chain*>(opaque(std::malloc(n)));
    if (block == nullptr) break;
    cases::fill(block, n < 4096 ? n : 4096, 1);
    block->next = blocks;
    blocks = block;
    if (++count * n < most) continue;
    EXPECT(false && "the limit");
    return count;
  }
  EXPECT(errno == ENOMEM);
  return count;
}

void release(chain*& blocks) {
  while (blocks != nullptr) {
    chain* const next = blocks->next;
    std::free(blocks);
    blocks = next;
  }
}

void expect_working() {
  for (std::size_t n = 16; n < 4 * mib; n *= 3) {
    void* const p = opaque(std::malloc(n));
    EXPECT(p != nullptr);
    if (p != nullptr) cases::fill(p, n, 1);
    std::free(p);
  }
}

template <std::size_t N>
void exhausted_and_back() {
  limit_data(200 * mib);
  chain* blocks = nullptr;
  const std::size_t first = exhaust(N, blocks);
  release(blocks);
  expect_working();
  const std::size_t second = exhaust(N, blocks);
  EXPECT(second >= first - first / 50);
  release(blocks);
  limit_data(RLIM_INFINITY);
  expect_working();
}

void every_call_fails_cleanly() {
  char* kept = static_cast<char*>(std::malloc(100000));
  cases::fill(kept, 100000, 4);
  limit_data(0);
  chain* blocks = nullptr;
  for (const std::size_t n : {64 * mib, 8 * mib, mib, mib / 8, mib / 64, std::size_t{1024}, std::size_t{16}})
    exhaust(n, blocks);
  for (int i = 0; i < 1000; ++i) {
    errno = 0;
    EXPECT(opaque(std::malloc(32 * mib)) == nullptr && errno == ENOMEM);
    errno = 0;
    EXPECT(opaque(std::calloc(1, 32 * mib)) == nullptr && errno == ENOMEM);
    errno = 0;
    EXPECT(std::realloc(kept, 32 * mib) == nullptr && errno == ENOMEM);
    void* p = &p;
    EXPECT(posix_memalign(&p, mib, 32 * mib) == ENOMEM && p == &p);
    EXPECT(opaque(::operator new(32 * mib, std::nothrow)) == nullptr);
  }
  EXPECT(cases::filled(kept, 100000, 4));
  release(blocks);
  limit_data(RLIM_INFINITY);
  expect_working();
  kept = static_cast<char*>(std::realloc(kept, 32 * mib));
  EXPECT(kept != nullptr && cases::filled(kept, 100000, 4));
  std::free(kept);
}

// A thread that comes when there is nothing left can allocate as soon as there is something again.
void threads_without_memory() {
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      for (int round = 0; round < 20; ++round) {
        chain* blocks = nullptr;
        for (int k = 0; k < 20000; ++k) {
          chain* const block = static_cast<chain*>(opaque(std::malloc(5000)));
          if (block == nullptr) break;
          block->next = blocks;
          blocks = block;
        }
        release(blocks);
      }
    });
    if (i == 1) limit_data(40 * mib);
  }
  for (std::thread& t : threads) t.join();
  limit_data(RLIM_INFINITY);
  expect_working();
}

// The address space is not the measure of what a heap uses that reserves more than it needs, but it is the limit that
// people set, so the heap must not go far beyond it.
void address_space_limited_late() {
  limit_address_space(500 * mib);
  chain* blocks = nullptr;
  const std::size_t count = exhaust(100000, blocks);
  EXPECT(count >= 3000 && count <= 6000);
  release(blocks);
  EXPECT(exhaust(100000, blocks) >= count - count / 50);
  release(blocks);
  expect_working();
}

// A program started under `ulimit -v` has what the limit leaves, and most of it is usable.
void started_under_a_limit() {
  if (std::getenv("STARTED_UNDER_A_LIMIT") == nullptr) {
    limit_address_space(1024 * mib);
    setenv("STARTED_UNDER_A_LIMIT", "1", 1);
    execl("/proc/self/exe", "oom", "started under a limit", static_cast<char*>(nullptr));
    EXPECT(false && "exec");
  }
  chain* blocks = nullptr;
  const std::size_t count = exhaust(100000, blocks);
  EXPECT(count >= 5000);
  release(blocks);
  expect_working();
}

constexpr cases::test_case all[] = {
    {"exhausted and back, 48 bytes", exhausted_and_back<48>},
    {"exhausted and back, 1000 bytes", exhausted_and_back<1000>},
    {"exhausted and back, 30000 bytes", exhausted_and_back<30000>},
    {"exhausted and back, 1 MiB", exhausted_and_back<mib>},
    {"every call fails cleanly", every_call_fails_cleanly},
    {"threads without memory", threads_without_memory},
    {"address space limited late", address_space_limited_late},
    {"started under a limit", started_under_a_limit},
};

}  // namespace

int main(int argc, char** argv) { return cases::run(argc, argv, all); }

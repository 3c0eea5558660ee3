// How programs end, and what they ask for at their limits: every case has a watchdog, for what fails here hangs.
#include "cases.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <vector>

namespace {

using cases::opaque;
using cases::resident;

constexpr std::size_t mib = std::size_t{1} << 20;
constexpr std::size_t gib = std::size_t{1} << 30;

void* written(std::size_t n) {
  void* const p = opaque(std::malloc(n));
  return p == nullptr ? nullptr : std::memset(p, 1, n);
}

// The heap becomes large, so that whatever it does in the background begins, and is empty again.
void grow_and_shrink(std::size_t total, std::size_t n) {
  std::vector<void*> blocks;
  for (std::size_t bytes = 0; bytes < total; bytes += n) blocks.push_back(written(n));
  for (void* p : blocks) std::free(p);
}

void expect_working() {
  for (std::size_t n = 1; n < 4 * mib; n += n / 2 + 1) {
    void* const p = written(n);
    EXPECT(p != nullptr);
    std::free(p);
  }
}

double seconds() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// How a child ends that runs `body`, once `disturb` was done to it; and that it does so within `most` seconds after.
template <class Body, class Disturb>
int status_of(double most, Body body, Disturb disturb) {
  const pid_t child = fork();
  if (child == 0) {
    body();
    _exit(3);
  }
  disturb(child);
  const double began = seconds();
  int status = -1;
  while (waitpid(child, &status, WNOHANG) == 0) {
    if (seconds() - began < most) {
      usleep(20000);
      continue;
    }
    EXPECT(false && "it ends in time");
    kill(child, SIGKILL);
  }
  return status;
}

void nothing(pid_t) {}

void* outlive_main(void*) {
  usleep(300000);
  grow_and_shrink(mib, 1000);
  return nullptr;
}

// The process ends when its last thread does; a thread of the heap's must not keep it.
void end_of_main_thread(std::size_t total, std::size_t n) {
  const int status = status_of(
      6,
      [=] {
        grow_and_shrink(total, n);
        pthread_t thread;
        EXPECT(pthread_create(&thread, nullptr, outlive_main, nullptr) == 0);
        pthread_exit(nullptr);
      },
      nothing);
  EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
void last_thread_ends_the_process() {
  alarm(50);
  end_of_main_thread(100 * mib, 500);
  end_of_main_thread(100 * mib, 300000);
  end_of_main_thread(mib, 100);
}

// The main thread is the last one, and ends as a thread does.
void main_thread_ends_last() {
  alarm(20);
  const int status = status_of(
      6,
      [] {
        grow_and_shrink(100 * mib, 2000);
        usleep(500000);
        pthread_exit(nullptr);
      },
      nothing);
  EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

// Idle for so long that everything sleeps that will.
void termination_ends_an_idle_process() {
  alarm(30);
  for (const useconds_t idle : {useconds_t{100000}, useconds_t{4500000}}) {
    const int status = status_of(
        2,
        [] {
          grow_and_shrink(100 * mib, 700);
          for (;;) pause();
        },
        [idle](pid_t child) {
          usleep(idle);
          kill(child, SIGTERM);
        });
    EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
  }
}

// What a joined thread leaves is freed by the C library under its own locks.
constexpr std::size_t thread_blocks = 60;
struct given_stack {
  void* memory = nullptr;
  pthread_t thread{};
  void* left[thread_blocks] = {};
};
void* run_on_given_stack(void* argument) {
  given_stack& mine = *static_cast<given_stack*>(argument);
  for (std::size_t i = 0; i < thread_blocks; ++i) {
    std::free(mine.left[i]);
    mine.left[i] = written(i * 60 + 1);
  }
  return nullptr;
}
void threads_on_given_stacks() {
  alarm(50);
  constexpr std::size_t stack_bytes = 128 << 10;
  std::vector<given_stack> stacks(50);
  for (given_stack& s : stacks) s.memory = std::aligned_alloc(4096, stack_bytes);
  pthread_attr_t attributes;
  for (int round = 0; round < 60; ++round) {
    for (given_stack& s : stacks) {
      pthread_attr_init(&attributes);
      EXPECT(pthread_attr_setstack(&attributes, s.memory, stack_bytes) == 0);
      EXPECT(pthread_create(&s.thread, &attributes, run_on_given_stack, &s) == 0);
      pthread_attr_destroy(&attributes);
    }
    // Spans empty, and the heap outgrows what it has, between the joins.
    for (given_stack& s : stacks) {
      pthread_join(s.thread, nullptr);
      for (void*& p : s.left) std::free(p), p = nullptr;
      if (round % 4 == 0) grow_and_shrink(static_cast<std::size_t>(round) * mib / 4, 20000);
    }
  }
  for (given_stack& s : stacks) std::free(s.memory);
}

// A handler of fork that allocates as much as to begin whatever the heap does in the background.
void greedy_handler() { grow_and_shrink(30 * mib, 1500); }
void modest_handler() { grow_and_shrink(mib, 300); }
void fork_handlers_that_grow_the_heap() {
  alarm(50);
  EXPECT(pthread_atfork(greedy_handler, modest_handler, greedy_handler) == 0);
  for (int i = 0; i < 20; ++i) {
    const int status = status_of(
        10,
        [] {
          expect_working();
          _exit(cases::failures == 0 ? 0 : 1);
        },
        nothing);
    EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
}

// Whoever limits the address space of a running program leaves it what lies between its use and the limit.
void address_space_is_left_to_others() {
  alarm(50);
  grow_and_shrink(400 * mib, 900);
  grow_and_shrink(400 * mib, 2 * mib);
  const std::size_t used = cases::address_space();
  std::printf("%zu MiB of address space after 400 MiB of use\n", used / mib);
  EXPECT(used < 2 * gib);
  const rlimit limit{used + 300 * mib, used + 300 * mib};
  EXPECT(setrlimit(RLIMIT_AS, &limit) == 0);
  for (int i = 0; i < 50; ++i) {
    void* const p = mmap(nullptr, 200 * mib, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT(p != MAP_FAILED);
    expect_working();
    grow_and_shrink(20 * mib, 5000);
    if (p != MAP_FAILED) munmap(p, 200 * mib);
  }
}

void address_space_of_an_empty_program() {
  std::free(opaque(std::malloc(1)));
  std::printf("%zu MiB\n", cases::address_space() / mib);
  EXPECT(cases::address_space() < gib);
}

// Threads that have worked and sleep now, as those of a server do.
constexpr std::size_t sleeper_count = 2000;
constexpr std::size_t sleeper_blocks = 600;
std::atomic<std::size_t> asleep{0};
std::atomic<bool> awake{false};
pthread_mutex_t bed = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t bell = PTHREAD_COND_INITIALIZER;
void* work_then_sleep(void* seed) {
  void* blocks[sleeper_blocks];
  for (std::size_t i = 0; i < sleeper_blocks; ++i) blocks[i] = written(i + reinterpret_cast<std::uintptr_t>(seed));
  char* const kept = static_cast<char*>(blocks[7]);
  cases::fill(kept, 14, 3);
  for (void* p : blocks)
    if (p != kept) std::free(p);
  ++asleep;
  pthread_mutex_lock(&bed);
  while (!awake) pthread_cond_wait(&bell, &bed);
  pthread_mutex_unlock(&bed);
  EXPECT(cases::filled(kept, 14, 3));
  grow_and_shrink(20000, 100);
  std::free(kept);
  return nullptr;
}
void sleeping_threads_hold_little() {
  alarm(55);
  static pthread_t threads[sleeper_count];
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 65536);
  for (std::size_t i = 0; i < sleeper_count; ++i) {
    if (pthread_create(&threads[i], &attributes, work_then_sleep, reinterpret_cast<void*>(i % 50 + 1)) == 0) continue;
    std::puts("skipped: the system does not allow 2,000 threads");
    std::fflush(stdout);
    _exit(0);
  }
  while (asleep < sleeper_count) usleep(1000);
  const std::size_t before = resident();
  const double began = seconds();
  while (resident() > before / 2 && seconds() - began < 20) usleep(100000);
  std::printf("%zu MiB, and after %.1f s %zu MiB\n", before / mib, seconds() - began, resident() / mib);
  EXPECT(resident() <= before / 2);
  pthread_mutex_lock(&bed);
  awake = true;
  pthread_cond_broadcast(&bell);
  pthread_mutex_unlock(&bed);
  for (const pthread_t thread : threads) pthread_join(thread, nullptr);
  expect_working();
}

void far_alignments() {
  alarm(30);
  std::vector<void*> blocks;
  for (std::size_t alignment = 8; alignment <= 4 * gib; alignment *= 2) {
    for (const std::size_t n : {std::size_t{1}, std::size_t{4096}, 3 * mib}) {
      char* const p = static_cast<char*>(opaque(std::aligned_alloc(alignment, n)));
      EXPECT(p != nullptr && cases::aligned(p, alignment));
      if (p == nullptr) continue;
      p[0] = p[n - 1] = 1;
      blocks.push_back(p);
    }
  }
  for (void* p : blocks) std::free(p);
  expect_working();
  EXPECT(resident() < 100 * mib);
}

// Absurd requests are refused at once, and change nothing.
void absurd_requests() {
  alarm(30);
  char* const kept = static_cast<char*>(written(1000));
  cases::fill(kept, 1000, 5);
  const std::size_t sizes[] = {SIZE_MAX,     SIZE_MAX - 4095, SIZE_MAX / 2 + 1, SIZE_MAX / 2,
                               SIZE_MAX / 4, gib << 30,       gib << 20,        gib << 17};
  for (const std::size_t n : sizes) {
    for (int i = 0; i < 100; ++i) {
      errno = 0;
      EXPECT(opaque(std::malloc(n)) == nullptr && errno == ENOMEM);
      errno = 0;
      EXPECT(opaque(std::calloc(1, n)) == nullptr && errno == ENOMEM);
      EXPECT(opaque(std::calloc(n, 2)) == nullptr);
      EXPECT(opaque(std::calloc(n / 8, 8)) == nullptr);
      errno = 0;
      EXPECT(opaque(std::realloc(kept, n)) == nullptr && errno == ENOMEM);
      void* p = &p;
      EXPECT(posix_memalign(&p, 64, n) == ENOMEM && p == &p);
      EXPECT(posix_memalign(&p, 8 * mib, n) == ENOMEM && p == &p);
      EXPECT(opaque(std::aligned_alloc(4096, n)) == nullptr);
    }
  }
  for (const std::size_t alignment : {gib << 12, gib << 20, gib << 33}) {
    EXPECT(opaque(std::aligned_alloc(alignment, 1)) == nullptr);
    EXPECT(opaque(std::aligned_alloc(alignment, alignment)) == nullptr);
  }
  EXPECT(cases::filled(kept, 1000, 5));
  std::free(kept);
  expect_working();
  EXPECT(resident() < 40 * mib);
}

constexpr cases::test_case all[] = {
    {"the last thread ends the process", last_thread_ends_the_process},
    {"the main thread ends last", main_thread_ends_last},
    {"SIGTERM ends an idle process", termination_ends_an_idle_process},
    {"threads on given stacks", threads_on_given_stacks},
    {"fork handlers that grow the heap", fork_handlers_that_grow_the_heap},
    {"address space is left to others", address_space_is_left_to_others},
    {"address space of an empty program", address_space_of_an_empty_program},
    {"sleeping threads hold little", sleeping_threads_hold_little},
    {"far alignments", far_alignments},
    {"absurd requests", absurd_requests},
};

}  // namespace

int main(int argc, char** argv) { return cases::run(argc, argv, all); }

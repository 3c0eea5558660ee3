// How much memory stays with a process: after it was freed, with many threads, and while sizes shift.
//
// The figures are resident bytes, never times; the limits are promises of the README.
#include "cases.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <vector>

namespace {

using cases::opaque;
using cases::resident;

constexpr std::size_t mib = std::size_t{1} << 20;

void expect_at_most(std::size_t bytes, std::size_t limit) {
  std::printf("%zu KiB of %zu KiB\n", bytes >> 10, limit >> 10);
  EXPECT(bytes <= limit);
}

// Waits without allocating until little is resident, 5 s at most.
void wait_until_resident(std::size_t limit) {
  for (int i = 0; i < 100 && resident() > limit; ++i) usleep(50000);
  expect_at_most(resident(), limit);
}

struct chain {
  chain* next;
};

chain* allocate_chain(std::size_t total, std::size_t n) {
  chain* first = nullptr;
  for (std::size_t bytes = 0; bytes < total; bytes += n) {
    chain* const block = static_cast<chain*>(std::memset(opaque(std::malloc(n)), 1, n));
    block->next = first;
    first = block;
  }
  return first;
}

void* release_chain(void* first) {
  for (chain* block = static_cast<chain*>(first); block != nullptr;) {
    chain* const next = block->next;
    std::free(block);
    block = next;
  }
  return nullptr;
}

template <std::size_t N>
void freed_then_idle() {
  release_chain(allocate_chain(800 * mib, N));
  wait_until_resident(40 * mib);
}

template <std::size_t N>
void freed_by_a_thread_that_never_allocates() {
  chain* const blocks = allocate_chain(800 * mib, N);
  pthread_t thread;
  EXPECT(pthread_create(&thread, nullptr, release_chain, blocks) == 0);
  pthread_join(thread, nullptr);
  wait_until_resident(40 * mib);
}

// The same, and the thread lives on.
struct waiting_thread {
  chain* blocks;
  pthread_barrier_t freed;
  pthread_barrier_t leave;
};
void* release_and_wait(void* argument) {
  waiting_thread& shared = *static_cast<waiting_thread*>(argument);
  release_chain(shared.blocks);
  pthread_barrier_wait(&shared.freed);
  pthread_barrier_wait(&shared.leave);
  return nullptr;
}
void freed_by_a_thread_that_stays() {
  waiting_thread shared = {};
  shared.blocks = allocate_chain(800 * mib, 200);
  pthread_barrier_init(&shared.freed, nullptr, 2);
  pthread_barrier_init(&shared.leave, nullptr, 2);
  pthread_t thread;
  EXPECT(pthread_create(&thread, nullptr, release_and_wait, &shared) == 0);
  pthread_barrier_wait(&shared.freed);
  wait_until_resident(40 * mib);
  pthread_barrier_wait(&shared.leave);
  pthread_join(thread, nullptr);
}

// Allocated by threads that are all still there, idle, and freed by this one.
struct allocating_thread {
  pthread_barrier_t* allocated;
  pthread_barrier_t* leave;
  chain* blocks;
};
void* allocate_and_wait(void* argument) {
  allocating_thread& mine = *static_cast<allocating_thread*>(argument);
  mine.blocks = allocate_chain(100 * mib, 300);
  pthread_barrier_wait(mine.allocated);
  pthread_barrier_wait(mine.leave);
  return nullptr;
}
void freed_while_the_owners_sleep() {
  pthread_barrier_t allocated;
  pthread_barrier_t leave;
  pthread_barrier_init(&allocated, nullptr, 9);
  pthread_barrier_init(&leave, nullptr, 9);
  pthread_t threads[8];
  allocating_thread arguments[8];
  for (int i = 0; i < 8; ++i) {
    arguments[i] = {&allocated, &leave, nullptr};
    EXPECT(pthread_create(&threads[i], nullptr, allocate_and_wait, &arguments[i]) == 0);
  }
  pthread_barrier_wait(&allocated);
  for (allocating_thread& a : arguments) release_chain(a.blocks);
  wait_until_resident(40 * mib);
  pthread_barrier_wait(&leave);
  for (pthread_t thread : threads) pthread_join(thread, nullptr);
}

// 20,000 threads, each freeing what its predecessor left and leaving as much.
constexpr std::size_t left_blocks = 100;
void* left[left_blocks];
void* short_life(void*) {
  for (std::size_t i = 0; i < left_blocks; ++i) {
    std::free(left[i]);
    const std::size_t n = std::size_t{16} << (i % 7);
    left[i] = std::memset(opaque(std::malloc(n)), 1, n);
  }
  return nullptr;
}
void short_threads() {
  for (int i = 0; i < 20000; ++i) {
    pthread_t thread;
    if (pthread_create(&thread, nullptr, short_life, nullptr) != 0) return EXPECT(false && "a thread");
    pthread_join(thread, nullptr);
  }
  expect_at_most(resident(), 12 * mib);
}

// What 10,000 idle threads hold, with or without one allocation each.
constexpr std::size_t crowd_size = 10000;
struct crowd {
  pthread_barrier_t all_here;
  pthread_barrier_t may_leave;
  bool allocate;
};
void* wait_in_the_crowd(void* argument) {
  crowd& shared = *static_cast<crowd*>(argument);
  void* const block = shared.allocate ? std::memset(opaque(std::malloc(64)), 1, 64) : nullptr;
  pthread_barrier_wait(&shared.all_here);
  pthread_barrier_wait(&shared.may_leave);
  std::free(block);
  return nullptr;
}
std::size_t resident_with_a_crowd(bool allocate) {
  static crowd shared;
  static pthread_t threads[crowd_size];
  shared.allocate = allocate;
  pthread_barrier_init(&shared.all_here, nullptr, crowd_size + 1);
  pthread_barrier_init(&shared.may_leave, nullptr, crowd_size + 1);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 65536);
  const std::size_t before = resident();
  for (pthread_t& thread : threads) {
    if (pthread_create(&thread, &attributes, wait_in_the_crowd, &shared) == 0) continue;
    std::puts("skipped: the system does not allow 10,000 threads");
    std::fflush(stdout);
    _exit(0);
  }
  pthread_barrier_wait(&shared.all_here);
  const std::size_t after = resident();
  pthread_barrier_wait(&shared.may_leave);
  for (pthread_t thread : threads) pthread_join(thread, nullptr);
  return after - before;
}
void idle_threads() {
  int ends[2];
  EXPECT(pipe(ends) == 0);
  std::size_t bare = 0;
  if (fork() == 0) {
    bare = resident_with_a_crowd(false);
    _exit(write(ends[1], &bare, sizeof bare) == sizeof bare ? 0 : 1);
  }
  EXPECT(read(ends[0], &bare, sizeof bare) == sizeof bare);
  wait(nullptr);
  const std::size_t with = resident_with_a_crowd(true);
  expect_at_most(with > bare ? with - bare : 0, crowd_size * 4096);
}

// 12 phases of 200 MB of rising size; of each phase 1 object in 500 survives.
void hoarding() {
  constexpr std::size_t sizes[] = {32, 48, 80, 128, 208, 336, 544, 880, 1424, 2304, 3728, 6032};
  std::size_t worst = 0;
  for (const std::size_t n : sizes) {
    chain* first = allocate_chain(200000000, n);
    if (resident() > worst) worst = resident();
    for (std::size_t i = 1; first != nullptr; ++i) {
      chain* const next = first->next;
      if (i % 500 != 0) std::free(first);
      first = next;
    }
  }
  expect_at_most(worst, 600 * mib);
}

// Memory that is only reserved costs nothing, and calloc of much does not touch it.
void untouched_memory_is_free() {
  void* const p = opaque(std::malloc(500 * mib));
  void* const q = opaque(std::calloc(1, 500 * mib));
  EXPECT(p != nullptr && q != nullptr);
  expect_at_most(resident(), 20 * mib);
  std::free(p);
  std::free(q);
}

// What a program that does nothing pays.
void an_empty_program() {
  std::free(opaque(std::malloc(1)));
  expect_at_most(resident(), 8 * mib);
}

constexpr cases::test_case all[] = {
    {"freed, then idle, 200 bytes", freed_then_idle<200>},
    {"freed, then idle, 5000 bytes", freed_then_idle<5000>},
    {"freed, then idle, 1 MiB", freed_then_idle<mib>},
    {"freed by a thread that never allocates, 200 bytes", freed_by_a_thread_that_never_allocates<200>},
    {"freed by a thread that never allocates, 100000 bytes", freed_by_a_thread_that_never_allocates<100000>},
    {"freed by a thread that stays", freed_by_a_thread_that_stays},
    {"freed while the owners sleep", freed_while_the_owners_sleep},
    {"20,000 short threads", short_threads},
    {"10,000 idle threads", idle_threads},
    {"untouched memory is free", untouched_memory_is_free},
    {"an empty program", an_empty_program},
    {"hoarding", hoarding},
};

}  // namespace

int main(int argc, char** argv) { return cases::run(argc, argv, all); }

// What a live but idle thread costs: 10,000 threads with small stacks each allocate one block of 64 bytes and then
// wait. The same is first done in a child process in which the threads do not allocate; the difference, divided by the
// number of threads, is the heap each of them holds beyond its stack.
#include "../workloads.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bench {

namespace {

constexpr std::size_t stack_bytes = 65536;

struct crowd {
  pthread_barrier_t all_here;
  pthread_barrier_t may_leave;
  bool allocate;
};

void* wait_idle(void* argument) {
  auto& shared = *static_cast<crowd*>(argument);
  void* block = shared.allocate ? allocate_stamped(64, 1) : nullptr;
  pthread_barrier_wait(&shared.all_here);
  pthread_barrier_wait(&shared.may_leave);
  return reinterpret_cast<void*>(block == nullptr ? 0 : free_stamped(block, 64));
}

struct census {
  std::uint64_t resident_kb;
  std::uint64_t checksum;
};

// Returns the memory that the threads added while all of them were alive.
census gather(unsigned count, bool allocate) {
  auto* threads = static_cast<pthread_t*>(std::calloc(count, sizeof(pthread_t)));
  if (threads == nullptr) fail("calloc returned null");
  crowd shared = {};
  shared.allocate = allocate;
  pthread_barrier_init(&shared.all_here, nullptr, count + 1);
  pthread_barrier_init(&shared.may_leave, nullptr, count + 1);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, stack_bytes);
  const std::uint64_t before = status_kb("VmRSS:");
  for (unsigned i = 0; i < count; ++i) {
    if (pthread_create(&threads[i], &attributes, wait_idle, &shared) != 0) fail("cannot start that many threads");
  }
  pthread_barrier_wait(&shared.all_here);
  census result = {status_kb("VmRSS:") - before, 0};
  pthread_barrier_wait(&shared.may_leave);
  for (unsigned i = 0; i < count; ++i) {
    void* value = nullptr;
    pthread_join(threads[i], &value);
    result.checksum += reinterpret_cast<std::uintptr_t>(value);
  }
  std::free(threads);
  return result;
}

std::uint64_t resident_without_allocation(unsigned count) {
  int ends[2];
  if (pipe(ends) != 0) fail("pipe failed");
  const pid_t child = fork();
  if (child < 0) fail("fork failed");
  if (child == 0) {
    const census bare = gather(count, false);
    const bool written = write(ends[1], &bare.resident_kb, sizeof bare.resident_kb) == sizeof bare.resident_kb;
    _exit(written ? 0 : 1);
  }
  close(ends[1]);
  std::uint64_t resident_kb = 0;
  const bool whole = read(ends[0], &resident_kb, sizeof resident_kb) == sizeof resident_kb;
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (!whole || status != 0) fail("the child without allocation failed");
  return resident_kb;
}

}  // namespace

outcome idle_threads(const params& chosen) {
  const auto count = static_cast<unsigned>(chosen.scaled(chosen.threads));
  const std::uint64_t bare_kb = resident_without_allocation(count);
  const census with = gather(count, true);
  const double extra_kb = static_cast<double>(with.resident_kb) - static_cast<double>(bare_kb);
  outcome result;
  result.checksum = with.checksum;
  result.operations = count;
  result.figure = {"heap_bytes_per_thread", extra_kb * 1024 / count};
  return result;
}

}  // namespace bench

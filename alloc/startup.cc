#include "startup.h"

#include "fork.h"
#include "malloc.h"
#include "options.h"
#include "profile_file.h"
#include "report.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>
#include <atomic>

namespace umber::alloc {

namespace {

constinit std::atomic<bool> started{false};

// The C library calls constructors as it calls main.
[[gnu::constructor(101)]] void at_load(int, char**, char** environment) { start_up(environment); }

// Where the report goes when the program has closed stderr before it ends, as every program of coreutils does.
constinit int spare_stderr = STDERR_FILENO;

void keep_stderr() {
  constexpr int out_of_the_way = 500;
  if (current_options().stats == stats_at_exit::off) return;
  const int copy = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, out_of_the_way);
  if (copy >= 0) spare_stderr = copy;
}

[[gnu::destructor(101)]] void at_exit() {
  check_at_exit();
  profile::finish_as_told();
  const bool is_open = fcntl(STDERR_FILENO, F_GETFD) >= 0;
  print_report(current_options().stats, is_open ? STDERR_FILENO : spare_stderr);
}

}  // namespace

void start_up(char** environment) {
  // relaxed: only the thread that turns the flag acts, and it publishes nothing through it.
  if (started.exchange(true, std::memory_order_relaxed)) return;
  read_options(environment);
  // The heap may have started without: the dynamic linker allocates before there is an environment to read.
  if (current_options().memory_limit != SIZE_MAX) set_memory_limit(current_options().memory_limit);
  keep_stderr();
  profile::begin_as_told(current_options());
  // It can fail only for want of memory, and then fork has no handlers: nothing better can be done this early.
  static_cast<void>(pthread_atfork(fork_prepare, fork_parent, fork_child));
}

}  // namespace umber::alloc

#include "startup.h"

#include "fork.h"
#include "options.h"
#include "report.h"

#include <pthread.h>
#include <atomic>

namespace umber::alloc {

namespace {

constinit std::atomic<bool> started{false};

// The C library calls constructors as it calls main.
[[gnu::constructor(101)]] void at_load(int, char**, char** environment) { start_up(environment); }

[[gnu::destructor(101)]] void at_exit() { print_report(current_options().stats); }

}  // namespace

void start_up(char** environment) {
  // relaxed: only the thread that turns the flag acts, and it publishes nothing through it.
  if (started.exchange(true, std::memory_order_relaxed)) return;
  read_options(environment);
  // It can fail only for want of memory, and then fork has no handlers: nothing better can be done this early.
  static_cast<void>(pthread_atfork(fork_prepare, fork_parent, fork_child));
}

}  // namespace umber::alloc

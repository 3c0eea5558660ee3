#include "alloc/os_threads.h"

#include "testing.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <time.h>

#include <atomic>
#include <functional>

namespace umber::testing {
namespace {

constexpr std::size_t stack_bytes = 8 * mib;

// The thread sanitizer delays handlers until their thread calls the system.
#if defined(__SANITIZE_THREAD__)
constexpr bool handlers_run_at_once = false;
#else
constexpr bool handlers_run_at_once = true;
#endif

// A thread on a stack of its own that nothing lies beside, so that what is above its stack pointer is its own.
class observed_thread {
 public:
  explicit observed_thread(std::function<void(observed_thread&)> body) : body_(std::move(body)) {
    void* place = mmap(nullptr, stack_bytes + 2 * page_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(place != MAP_FAILED);
    stack_ = static_cast<char*>(place) + page_size;
    REQUIRE(mprotect(stack_, stack_bytes, PROT_READ | PROT_WRITE) == 0);
    REQUIRE(pipe(wake_) == 0);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    REQUIRE(pthread_attr_setstack(&attributes, stack_, stack_bytes) == 0);
    REQUIRE(pthread_create(&thread_, &attributes, run, this) == 0);
    pthread_attr_destroy(&attributes);
    while (id_ == 0) usleep(100);
  }
  ~observed_thread() {
    wake();
    pthread_join(thread_, nullptr);
    munmap(stack_ - page_size, stack_bytes + 2 * page_size);
    for (const int end : wake_) close(end);
  }
  observed_thread(const observed_thread&) = delete;
  observed_thread& operator=(const observed_thread&) = delete;

  std::uint32_t id() const { return id_; }
  bool woken() const { return woken_; }
  void interrupt(int signal) const { pthread_kill(thread_, signal); }
  void wake() {
    woken_ = true;
    syscall(SYS_futex, &woken_word_, FUTEX_WAKE, 1, nullptr, nullptr, 0);
    if (write(wake_[1], "x", 1) != 1) std::abort();
  }
  bool is_in_stack(std::uintptr_t address) const { return address - address_of(stack_) < stack_bytes; }

  // Ways to fall asleep, for the body; until `wake`.
  void sleep_in_read() const {
    char byte;
    while (read(wake_[0], &byte, 1) != 1) continue;
  }
  void sleep_in_futex() {
    while (!woken_) syscall(SYS_futex, &woken_word_, FUTEX_WAIT, 0, nullptr, nullptr, 0);
  }
  void sleep_in_naps(long ns) const {
    const timespec nap = {0, ns};
    while (!woken_) nanosleep(&nap, nullptr);
  }

 private:
  static void* run(void* self) {
    auto& mine = *static_cast<observed_thread*>(self);
    mine.id_ = os::thread_id();
    mine.body_(mine);
    return nullptr;
  }

  std::function<void(observed_thread&)> body_;
  char* stack_ = nullptr;
  int wake_[2] = {};
  pthread_t thread_{};
  std::atomic<std::uint32_t> id_{0};
  std::atomic<bool> woken_{false};
  std::uint32_t woken_word_ = 0;  // stays 0: those who sleep on it are woken, and look at woken_
};

bool in_call(std::uint32_t thread) {
  std::uintptr_t stack_pointer = 0;
  return os::sleeps_in_call(thread, stack_pointer);
}

// The stack pointer of a thread once it is asleep; 0 if it does not fall asleep.
std::uintptr_t stack_pointer_asleep(const observed_thread& thread) {
  std::uintptr_t stack_pointer = 0;
  const bool asleep =
      eventually([&] { return os::sleep_of(thread.id()).sleeps && os::sleeps_in_call(thread.id(), stack_pointer); });
  return asleep ? stack_pointer : 0;
}

// The handler of the tests sleeps, after `depth` frames of a page each, until its thread is woken.
observed_thread* interrupted = nullptr;
std::atomic<bool> in_handler{false};
void sleep_deep(int depth) {
  volatile char frame[4096];
  frame[0] = static_cast<char>(depth);
  if (depth > 0) return sleep_deep(depth - 1), static_cast<void>(frame[0]);
  in_handler = true;
  interrupted->sleep_in_read();
  in_handler = false;
}
void sleeping_handler(int) { sleep_deep(40); }

void handle(int signal, int flags) {
  struct sigaction action = {};
  action.sa_handler = sleeping_handler;
  action.sa_flags = flags;
  if (sigaction(signal, &action, nullptr) != 0) std::abort();
}

// Whether a handler is seen on the stack of a thread that spins in `body` until a signal makes it sleep in one.
bool sees_handler(int flags, const std::function<void(observed_thread&)>& body) {
  in_handler = false;
  handle(SIGUSR1, flags);
  observed_thread thread(body);
  interrupted = &thread;
  usleep(2000);
  thread.interrupt(SIGUSR1);
  if (!eventually([] { return in_handler.load(); })) return false;
  const std::uintptr_t stack_pointer = stack_pointer_asleep(thread);
  return stack_pointer != 0 && os::handler_on_stack(stack_pointer);
}

void spin(observed_thread& self) {
  while (!self.woken()) continue;
}

}  // namespace

TEST_CASE("os_threads: a handler is seen also when the system has forgotten it as it began to run [os_threads.2]") {
  if (!handlers_run_at_once) return;
  const ending end = run_in_child([] {
    for (int signal = 1; signal < 32; ++signal)
      if (signal != SIGALRM) std::signal(signal, SIG_DFL);
    return sees_handler(static_cast<int>(SA_RESETHAND), spin);
  });
  CHECK(end.succeeded());
}

TEST_CASE("os_threads: a thread that waits in a system call is seen there, with its stack pointer [os_threads.1]") {
  const std::function<void(observed_thread&)> bodies[] = {
      [](observed_thread& self) { self.sleep_in_read(); },
      [](observed_thread& self) { self.sleep_in_futex(); },
      [](observed_thread& self) { self.sleep_in_naps(20'000'000); },
  };
  for (const auto& body : bodies) {
    INFO("body " << &body - bodies);
    observed_thread thread(body);
    const std::uintptr_t stack_pointer = stack_pointer_asleep(thread);
    CHECK(thread.is_in_stack(stack_pointer));
    CHECK(in_call(thread.id()));
  }
}

TEST_CASE("os_threads: a thread that computes is never seen in a system call, nor asleep [os_threads.1]") {
  std::atomic<bool> started{false};
  observed_thread thread([&](observed_thread& self) {
    started = true;
    spin(self);
  });
  while (!started) usleep(100);
  bool seen = false;
  for (int i = 0; i < 2000 && !seen; ++i) seen = in_call(thread.id()) || os::sleep_of(thread.id()).sleeps;
  CHECK_FALSE(seen);
}

TEST_CASE("os_threads: of a thread that there is not, nothing is said [os_threads.1]") {
  std::uint32_t ended = 0;
  {
    observed_thread thread([](observed_thread&) {});
    ended = thread.id();
  }
  for (const std::uint32_t thread : {ended, 0U, 1U, UINT32_MAX}) {
    INFO("thread " << thread);
    // A joined thread may still be listed for a moment.
    CHECK(eventually([&] { return !os::sleep_of(thread).sleeps && !in_call(thread); }));
    CHECK(os::sleep_of(thread).switches == 0);
  }
}

namespace {

// A process that stops thread `id` of this one, and lets it go when it ends. -1 if the system forbids it.
pid_t stop_from_outside(std::uint32_t id) {
  prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
  int stopped[2];
  REQUIRE(pipe(stopped) == 0);
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);
    const auto thread = static_cast<pid_t>(id);
    if (ptrace(PTRACE_SEIZE, thread, nullptr, nullptr) != 0 || ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr) != 0)
      _exit(1);
    const bool waited = waitpid(thread, nullptr, __WALL) == thread && write(stopped[1], "x", 1) == 1;
    if (waited) pause();
    _exit(1);
  }
  close(stopped[1]);
  char byte;
  const bool is_stopped = child > 0 && read(stopped[0], &byte, 1) == 1;
  close(stopped[0]);
  if (is_stopped) return child;
  if (child > 0) waitpid(child, nullptr, 0);
  return -1;
}

}  // namespace

TEST_CASE("os_threads: a stopped thread does not sleep, and is in no call [os_threads.1]") {
  observed_thread thread(spin);
  const pid_t stopper = stop_from_outside(thread.id());
  if (stopper == -1) SKIP("the system does not let one process stop another's thread");
  CHECK_FALSE(os::sleep_of(thread.id()).sleeps);
  CHECK_FALSE(in_call(thread.id()));
  kill(stopper, SIGKILL);
  waitpid(stopper, nullptr, 0);
}

TEST_CASE("os_threads: each time a thread falls asleep is counted, and nothing while it sleeps on") {
  std::atomic<int> naps{0};
  observed_thread thread([&](observed_thread& self) {
    for (; naps < 50; ++naps) usleep(500);
    self.sleep_in_read();
  });
  const os::thread_sleep before = os::sleep_of(thread.id());
  const int naps_before = naps;
  CHECK(eventually([&] { return naps == 50; }));
  CHECK(stack_pointer_asleep(thread) != 0);
  CHECK(eventually([&] {
    const os::thread_sleep now = os::sleep_of(thread.id());
    return now.sleeps && now.switches >= before.switches + static_cast<std::uint64_t>(49 - naps_before);
  }));
  const std::uint64_t switches = os::sleep_of(thread.id()).switches;
  usleep(20'000);
  CHECK(os::sleep_of(thread.id()).switches == switches);
  CHECK(os::sleep_of(thread.id()).sleeps);
}

TEST_CASE("os_threads: a thread asleep in a handler, however deep, is told from one asleep elsewhere [os_threads.2]") {
  if (!handlers_run_at_once) return;
  CHECK(sees_handler(0, spin));
  CHECK(sees_handler(SA_SIGINFO, spin));
  CHECK(sees_handler(static_cast<int>(SA_NODEFER), [](observed_thread& self) { self.sleep_in_naps(50'000'000); }));
  observed_thread thread([](observed_thread& self) { self.sleep_in_read(); });
  const std::uintptr_t stack_pointer = stack_pointer_asleep(thread);
  REQUIRE(stack_pointer != 0);
  CHECK_FALSE(os::handler_on_stack(stack_pointer));
}

TEST_CASE("os_threads: a handler on an alternate stack is seen as well [os_threads.2]") {
  if (!handlers_run_at_once) return;
  std::vector<char> alternate(256 * kib);
  CHECK(sees_handler(SA_ONSTACK, [&](observed_thread& self) {
    stack_t stack = {}, before = {};
    stack.ss_sp = alternate.data();
    stack.ss_size = alternate.size();
    if (sigaltstack(&stack, &before) != 0) std::abort();
    spin(self);
    sigaltstack(&before, nullptr);
  }));
}

TEST_CASE("os_threads: this process has more than its last thread") {
  CHECK_FALSE(os::is_last_thread());
  observed_thread thread([](observed_thread& self) { self.sleep_in_read(); });
  CHECK_FALSE(os::is_last_thread());
}

TEST_CASE("os_threads: a thread whose main thread has ended knows when it is the last") {
  if (!may_fork_under_load) SKIP("the sanitizer does not start threads in a child");
  const ending end = run_in_child([]() -> bool {
    pthread_t thread;
    const auto wait_to_be_last = [](void*) -> void* { _exit(eventually(os::is_last_thread) ? 0 : 1); };
    if (pthread_create(&thread, nullptr, wait_to_be_last, nullptr) != 0) return false;
    for (;;) syscall(SYS_exit, 0);  // of this thread alone; pthread_exit would unwind the test's runner
  });
  CHECK(end.succeeded());
}

}  // namespace umber::testing

#include "os_threads.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

namespace umber::alloc::os {

namespace {

// A file of /proc/self/task/THREAD, as far as it fits.
class task_file {
 public:
  task_file(std::uint32_t thread, const char* name) {
    char path[64] = "/proc/self/task/";
    char* end = path + std::strlen(path);
    char digits[10];
    std::size_t n = 0;
    do digits[n++] = static_cast<char>('0' + thread % 10);
    while ((thread /= 10) != 0);
    while (n > 0) *end++ = digits[--n];
    *end++ = '/';
    std::strcpy(end, name);
    const int saved = errno;
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
      const ssize_t got = read(file, text_, sizeof text_ - 1);
      if (got > 0) text_[got] = '\0';
      close(file);
    }
    errno = saved;
  }
  const char* text() const { return text_; }
  // What follows `key`; null if it is not there.
  const char* after(const char* key) const {
    const char* at = std::strstr(text_, key);
    return at == nullptr ? nullptr : at + std::strlen(key);
  }

 private:
  char text_[2048] = "";
};

std::uint64_t number(const char* text, std::uint64_t base) {
  while (*text == ' ' || *text == '\t') ++text;
  if (base == 16 && text[0] == '0' && text[1] == 'x') text += 2;
  std::uint64_t value = 0;
  for (;; ++text) {
    const std::uint64_t digit = *text >= 'a' ? static_cast<std::uint64_t>(*text - 'a') + 10
                                             : static_cast<std::uint64_t>(*text) - std::uint64_t{'0'};
    if (digit >= base) return value;
    value = value * base + digit;
  }
}

#if defined(__x86_64__)
// As the kernel has it: libc's own structure leaves out where a handler returns to.
struct kernel_action {
  std::uintptr_t handler;
  std::uint64_t flags;
  std::uintptr_t restorer;
  std::uint64_t mask;
};
constexpr std::uint64_t has_restorer = 0x04000000;

// All the functions that handlers of this process were ever seen to return to. There is one a C library.
struct {
  std::uintptr_t functions[8];
  std::size_t count;
  bool too_many;
} constinit restorers = {};

bool is_restorer(std::uintptr_t word) {
  for (std::size_t i = 0; i < restorers.count; ++i)
    if (restorers.functions[i] == word) return true;
  return false;
}

void learn_restorers() {
  for (int signal = 1; signal <= 64; ++signal) {
    kernel_action action = {};
    if (syscall(SYS_rt_sigaction, signal, nullptr, &action, sizeof action.mask) != 0) continue;
    // Also of a signal without a handler: one that is meant for one signal only is gone once it runs.
    if ((action.flags & has_restorer) == 0 || is_restorer(action.restorer)) continue;
    if (restorers.count == sizeof restorers.functions / sizeof restorers.functions[0])
      restorers.too_many = true;
    else
      restorers.functions[restorers.count++] = action.restorer;
  }
}
#endif

}  // namespace

std::uint32_t thread_id() { return static_cast<std::uint32_t>(syscall(SYS_gettid)); }

thread_sleep sleep_of(std::uint32_t thread) {
  const task_file status(thread, "status");
  const char* state = status.after("\nState:\t");
  const char* voluntary = status.after("\nvoluntary_ctxt_switches:");
  const char* forced = status.after("\nnonvoluntary_ctxt_switches:");
  if (state == nullptr || voluntary == nullptr || forced == nullptr) return {};
  return {*state == 'S', number(voluntary, 10) + number(forced, 10)};
}

std::uint64_t thread_cpu_time(std::uint32_t thread) {
  // The kernel's numbering of the clocks of threads, as pthread_getcpuclockid has it (CPUCLOCK_PERTHREAD, of the
  // scheduler); that one needs the thread to be alive.
  const auto clock = static_cast<clockid_t>(~thread << 3 | 6);
  const int saved = errno;
  timespec used{};
  const bool is_there = clock_gettime(clock, &used) == 0;
  errno = saved;
  return is_there ? static_cast<std::uint64_t>(used.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(used.tv_nsec)
                  : 0;
}

thread_name name_of(std::uint32_t thread) {
  const task_file name(thread, "comm");
  thread_name result;
  std::size_t n = 0;
  for (const char* c = name.text(); *c != '\0' && *c != '\n' && n + 1 < sizeof result.text; ++c) result.text[n++] = *c;
  return result;
}

bool is_last_thread() {
  const auto main_thread = static_cast<std::uint32_t>(getpid());
  const task_file status(main_thread, "status");
  const char* state = status.after("\nState:\t");
  const char* threads = status.after("\nThreads:\t");
  // A main thread that has ended stays as a zombie as long as another thread lives.
  return state != nullptr && threads != nullptr && *state == 'Z' && number(threads, 10) <= 2;
}

bool sleeps_in_call(std::uint32_t thread, std::uintptr_t& stack_pointer) {
  const task_file call(thread, "syscall");
  // "NUMBER ARGUMENT x 6 STACK PROGRAM-COUNTER", "running", or "-1 STACK PROGRAM-COUNTER" outside of a call.
  const char* text = call.text();
  if (*text < '0' || *text > '9') return false;
  for (int words = 0; words < 7; ++words) {
    text = std::strchr(text, ' ');
    if (text == nullptr) return false;
    ++text;
  }
  stack_pointer = number(text, 16);
  return stack_pointer != 0;
}

#if defined(__x86_64__)
bool handler_on_stack(std::uintptr_t stack_pointer) {
  learn_restorers();
  if (restorers.too_many) return true;
  if (restorers.count == 0) return false;
  std::uintptr_t words[512];
  std::uintptr_t at = round_down(stack_pointer, sizeof(std::uintptr_t));
  for (const std::uintptr_t most = at + 64 * mib; at < most; at += sizeof words) {
    const iovec to = {words, sizeof words};
    const iovec from = {pointer_to(at), sizeof words};
    const int saved = errno;
    // Reads across pages one by one: it fails for the first that is not there, instead of faulting.
    const ssize_t got = process_vm_readv(getpid(), &to, 1, &from, 1, 0);
    const bool refused = got < 0 && errno != EFAULT;
    errno = saved;
    if (refused) return true;
    for (std::size_t i = 0; got > 0 && i < static_cast<std::size_t>(got) / sizeof(std::uintptr_t); ++i)
      if (is_restorer(words[i])) return true;
    if (got < static_cast<ssize_t>(sizeof words)) return false;
  }
  return true;
}
#else
// Where handlers return to a function of the kernel's, frames are not told apart like this.
bool handler_on_stack(std::uintptr_t) {
  for (int signal = 1; signal < NSIG; ++signal) {
    struct sigaction action = {};
    if (sigaction(signal, nullptr, &action) != 0) continue;
    if (action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN) return true;
  }
  return false;
}
#endif

}  // namespace umber::alloc::os

// What the tests of the engine's floors share: deaths observed from outside, processors at hand, failing systems.
#pragma once

#include "alloc/mcentral.h"
#include "alloc/os.h"
#include "alloc/processors.h"

#include <catch2/catch_test_macros.hpp>

#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <new>
#include <random>
#include <string>
#include <vector>

namespace umber::testing {

using namespace umber::alloc;

// A sanitizer's own malloc is not made for a fork while other threads are inside it, nor for threads in such a child.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool may_fork_under_load = false;
#elif defined(__has_feature)
inline constexpr bool may_fork_under_load = !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer);
#else
inline constexpr bool may_fork_under_load = true;
#endif

// The thread sanitizer keeps shadows of memory that went back, and has a thread of its own.
inline constexpr bool resident_bytes_tell = !thread_sanitized;

// Waits until `done`, ten seconds at most.
template <class Condition>
bool eventually(Condition done) {
  for (int i = 0; i < 10'000; ++i) {
    if (done()) return true;
    usleep(1000);
  }
  return false;
}

// Binds this thread, and those that it will start, to one processor.
inline void bind_to(unsigned processor) {
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(processor, &only);
  REQUIRE(sched_setaffinity(0, sizeof only, &only) == 0);
}

// What a child process wrote to stderr before it ended, and how it ended.
struct ending {
  std::string output;
  int status = 0;

  bool aborted() const { return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT; }
  bool succeeded() const { return WIFEXITED(status) && WEXITSTATUS(status) == 0; }
  bool says(const char* text) const { return output.find(text) != std::string::npos; }
  std::size_t lines() const {
    std::size_t n = 0;
    for (const char c : output) n += c == '\n';
    return n;
  }
};

// Runs `body` in a child, which is killed after a while. A body that returns false ends with status 1.
template <class Body>
ending run_in_child(Body body) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
    for (const int number : {SIGABRT, SIGSEGV, SIGBUS}) std::signal(number, SIG_DFL);
    alarm(60);
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    _exit(body() ? 0 : 1);
  }
  close(ends[1]);
  ending result;
  char text[256];
  for (ssize_t n = 0; (n = read(ends[0], text, sizeof text)) > 0;) result.output.append(text, static_cast<size_t>(n));
  close(ends[0]);
  REQUIRE(waitpid(child, &result.status, 0) == child);
  return result;
}

// The misuse line of a body that does not survive.
template <class Body>
ending death_of(Body body) {
  return run_in_child([&] {
    body();
    return true;
  });
}

// A processor that no list knows. Never freed, as the engine's own are not: spans may remember it.
inline processor* new_processor() {
  void* storage = metadata::allocate(sizeof(processor), alignof(processor));
  return storage == nullptr ? nullptr : new (storage) processor;
}

// A processor in the hands of a test, as if a thread of its own held it.
class test_processor {
 public:
  test_processor() : p_(new_processor()) { REQUIRE(p_ != nullptr); }
  ~test_processor() { p_->flush(); }
  test_processor(const test_processor&) = delete;
  test_processor& operator=(const test_processor&) = delete;
  processor* operator->() const { return p_; }
  processor* get() const { return p_; }

 private:
  processor* p_;
};

inline mspan* span_at(const void* block) { return window.span_of(window.page_of(address_of(block))); }

inline slot_id slot_at(const void* block) {
  slot_id slot;
  if (!span_at(block)->find_slot(address_of(block), slot)) std::abort();  // Catch2's checks are for one thread only
  return slot;
}

// What free does for a thread that holds `p`, for a block of any owner.
inline void free_through(processor& p, void* block) {
  mspan* s = span_at(block);
  const slot_id slot = slot_at(block);
  if (!p.owns(s) && !(s->owner.load(std::memory_order_acquire) == (address_of(&p) | span_owner::at_home) && p.adopt(s)))
    return p.remote.add(s, slot);
  std::atomic<std::uint64_t>& word = s->free[slot.word()];
  std::uint64_t bits = word.load(std::memory_order_relaxed);
  if (set_bit(bits, slot.value)) die_double_free(*s, slot);
  word.store(bits, std::memory_order_relaxed);
  if (--s->countdown == 0) p.span_emptied(s);
}

inline void* allocate_through(processor& p, span_class c) {
  bool zeroed = false;
  return p.allocate(c, zeroed);
}

inline std::size_t length(const span_list& list) {
  std::size_t n = 0;
  const mspan* s = list.front();
  if (s == nullptr) return 0;
  do {
    ++n;
    s = s->next;
  } while (s != list.front());
  return n;
}

inline bool contains(const span_list& list, const mspan* wanted) {
  const mspan* s = list.front();
  if (s == nullptr) return false;
  do {
    if (s == wanted) return true;
    s = s->next;
  } while (s != list.front());
  return false;
}

// Every class but that of large objects, both halves.
inline std::vector<span_class> all_span_classes() {
  std::vector<span_class> classes;
  for (std::uint8_t c = 0; c < span_class_count; ++c)
    if (span_class{c}.size().value != 0) classes.push_back({c});
  return classes;
}

// A seed that a failing test prints (with INFO or UNSCOPED_INFO).
inline std::uint64_t new_seed() { return std::random_device{}(); }

// Fails the system's calls from call `first` on, for as long as it lives.
class failing_system {
 public:
  explicit failing_system(std::size_t first, std::size_t failures = SIZE_MAX) : first_(first) {
    os::inject_failure(first, failures);
  }
  ~failing_system() { os::inject_failure(0, 0); }
  failing_system(const failing_system&) = delete;
  failing_system& operator=(const failing_system&) = delete;
  // Whether any call failed so far.
  bool happened() const { return os::injected_calls() > first_; }

 private:
  std::size_t first_;
};

}  // namespace umber::testing

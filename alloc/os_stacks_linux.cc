#include "os_stacks.h"

#include <execinfo.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <cerrno>

// The library that this file is linked into; defined by the linker.
extern "C" {
[[gnu::visibility("hidden")]] extern const char __ehdr_start[];
[[gnu::visibility("hidden")]] extern const char _end[];
}

namespace umber::alloc::os {

namespace {

constinit std::atomic<bool> prepared{false};

bool is_in_own_library(std::uintptr_t address) {
  return address >= address_of(__ehdr_start) && address < address_of(_end);
}

}  // namespace

void prepare_stacks() {
  // relaxed, both: two threads may both do it.
  if (UMBER_LIKELY(prepared.load(std::memory_order_relaxed)) || environ == nullptr) return;
  void* returns[4];
  static_cast<void>(backtrace(returns, 4));
  prepared.store(true, std::memory_order_relaxed);
}

[[gnu::noinline]] std::size_t call_stack(std::uintptr_t* calls, std::size_t most) {
  constexpr std::size_t most_of_ours = 16;
  constexpr std::size_t most_in_all = 128;
  const bool is_program = is_in_own_library(getauxval(AT_PHDR));
  if (!prepared.load(std::memory_order_relaxed)) return 0;  // relaxed: see above
  void* returns[most_in_all];
  const std::size_t wanted = most + most_of_ours < most_in_all ? most + most_of_ours : most_in_all;
  const int errno_before = errno;
  const int found = backtrace(returns, static_cast<int>(wanted));
  errno = errno_before;
  const std::size_t count = found > 0 ? static_cast<std::size_t>(found) : 0;
  std::size_t first = 1;  // this function
  while (!is_program && first < count && is_in_own_library(address_of(returns[first]))) ++first;
  std::size_t n = 0;
  // What is on the stack is where a call returns to, which may be another line, or function, than the call.
  for (std::size_t i = first; i < count && n < most; ++i) calls[n++] = address_of(returns[i]) - 1;
  return n;
}

}  // namespace umber::alloc::os

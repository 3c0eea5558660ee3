// What the system says of another thread of this process: does it sleep, since when, and where.
//
// Only retake.h asks, and only to learn that a thread cannot be inside this heap. So every answer that is not certain
// is the careful one: not asleep, a handler on the stack.
//
// Invariants
//   [os_threads.1] `sleeps_in_call` is false for a thread that runs, is stopped, waits for a page, or cannot be asked.
//   [os_threads.2] `handler_on_stack` is false only if no frame of a signal handler lies above the stack pointer.
// Concurrency
//   `handler_on_stack` is for one thread at a time; the others may be called from any.
// Uses / used by
//   Uses base. Used by retake. The Linux side is os_threads_linux.cc.
#pragma once

#include "base.h"

namespace umber::alloc::os {

// The system's name for the calling thread.
std::uint32_t thread_id();

struct thread_sleep {
  bool sleeps = false;         // not running, not ready to, not stopped
  std::uint64_t switches = 0;  // how often it was switched out, so far
};
thread_sleep sleep_of(std::uint32_t thread);

// Nanoseconds of processor time that the thread has used; 0: it is gone.
std::uint64_t thread_cpu_time(std::uint32_t thread);
// What the program calls it; "" if it is gone.
struct thread_name {
  char text[16] = "";
};
thread_name name_of(std::uint32_t thread);

// Whether all other threads of the process have ended, the main thread too.
bool is_last_thread();

// Whether the thread waits in a system call, and where its stack ends then.
bool sleeps_in_call(std::uint32_t thread, std::uintptr_t& stack_pointer);
// Whether a signal handler may be running on the stack that begins at `stack_pointer`.
bool handler_on_stack(std::uintptr_t stack_pointer);

}  // namespace umber::alloc::os

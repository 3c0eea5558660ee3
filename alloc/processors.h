// Who holds which processor: threads come and go, processors stay.
//
// A thread's first allocations are *visits* to a shared processor under a lock: ten thousand threads that allocate once
// do not hold ten thousand warm caches. A thread that goes on gets a processor from the idle list (the last one left,
// its cache still warm) or a new one; at its exit the processor goes back, and the scavenger empties those that stay
// idle. A thread in its last destructors, its processor given back, visits. A thread that falls asleep for long loses
// its processor to the idle list (retake.h).
//
//     new --attach--> held by a thread --exit, or retake--> idle --attach--> ...
//                                                            \--flush_idle--> moving --> idle, empty
//
// Invariants
//   [processors.1] a processor is held by one thread, in the idle list, moving into it, or shared and used under its
//                  lock.
// Concurrency
//   One lock (rank idle_list) guards the lists and who holds what. TLS is changed under it; read by its thread without.
// Uses / used by
//   Uses processor, os_threads. Used by retake, scavenger, malloc, fork.
#pragma once

#include "processor.h"

namespace umber::alloc {

// What a thread knows of itself: two words of TLS.
struct thread_state {
  std::atomic<processor*> p{&no_processor};  // changed by others only as retake.h says
  std::uint32_t visits = 0;
  bool exiting = false;   // its destructors run: it gets no processor again
  bool sampling = false;  // it takes a sample: what it allocates meanwhile is none

  UMBER_FAST processor* mine() const { return peek(p); }
};
extern thread_local constinit thread_state this_thread __attribute__((tls_model("initial-exec")));

namespace processors {

// The processor of this thread, `inside` set for the caller to clear; null when it should visit a shared one (or there
// is no memory for another). `at_thread_exit` will be called when the thread ends, and calls `detach`.
processor* attach(void (*at_thread_exit)(void*));
// Gives this thread's processor to the idle list.
void detach();

// For retake: all processors one after the other, null at the end; whether another thread holds p just now.
processor* next_of_all(processor* p);
bool is_held_by_other(const processor& p);
// Takes p from its holder if `before`, and then, the holder's TLS changed already, `after` say so.
bool take_from_holder(processor& p, bool (*before)(const processor&), bool (*after)(const processor&));
// How many threads hold one.
std::size_t held_count();

// A shared processor, locked for as long as this object lives; null when there was no memory for one.
class visit {
 public:
  visit();
  ~visit();
  visit(const visit&) = delete;
  visit& operator=(const visit&) = delete;
  processor* get() const { return p_; }

 private:
  std::size_t place_;
  processor* p_ = nullptr;
};

// Empties the processors that have been idle since before `time` (os::now); SIZE_MAX empties all. How many.
std::size_t flush_idle(std::uint64_t time);
// Empties the shared processors, too.
void flush_shared();

struct census {
  std::size_t all = 0;
  std::size_t idle = 0;
};
census count();

void lock_for_fork();
void unlock_after_fork();
// The one thread of the child keeps its processor; those of vanished threads that were outside the allocator go to the
// idle list, the others are abandoned as they are.
void reset_in_child();

}  // namespace processors

}  // namespace umber::alloc

// Taking processors back from threads that have fallen asleep.
//
// A server with ten thousand mostly idle threads must not keep ten thousand warm caches. A thread keeps its processor
// by a pointer in its TLS, and its fast paths neither lock nor announce themselves, so nobody may take the processor
// away while the thread is anywhere between reading the pointer and its last store. (Announcing it, one store on the
// way in and one on the way out, with membarrier on the other side, would do; it was measured at 0.4 ns a call.) But a
// thread that sleeps in a system call is at no such place, and the kernel says where a thread is:
//
//   1. its context switches have not changed since the last look, a decay time ago, and it sleeps: it is idle
//   2. it sleeps in a system call, not in a page fault                        (/proc/self/task/TID/syscall)
//   3. its processor is not inside a slow path                                (processor::inside)
//   4. no signal handler is on its stack, which might have interrupted malloc: the frame of a handler holds the address
//      of the function that returns from it, so that address is looked for, from the stack pointer upwards
//   5. its TLS pointer is changed to `no_processor`, then it is looked at again: if it still sleeps and has not been
//      switched since, it will see the change before it does anything else. Otherwise the change is undone.
//
// Where /proc does not say (no /proc, another kernel), nothing is ever taken.
//
// Invariants
//   [retake.1] a processor is taken only from a thread that was asleep in a system call outside this heap from before
//              the change of its TLS until after it.
// Concurrency
//   One thread at a time (the scavenger's). Holds the lock of the idle list during steps 2 to 5 for one thread; a
//   thread that attaches or exits waits for it. Pairs: our seq_cst store to TLS and the kernel's report of the
//   sleeper's state against the waker's change of that state and the sleeper's load of TLS.
// Uses / used by
//   Uses processor, os. Used by scavenger.
#pragma once

#include "base.h"

namespace umber::alloc {

// Takes the processors of threads that have slept since the last call of it, as idle ones; how many. Uses up to about
// `most_cpu_ns` of this thread's time and goes on from there with the next call.
std::size_t retake_processors(std::uint64_t most_cpu_ns);

}  // namespace umber::alloc

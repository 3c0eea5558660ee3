// Memory that nobody uses goes back to the system, also when the process has fallen asleep.
//
// A background thread, started when there is something to give back and the process is past its start-up, wakes every
// 100 ms while there is. At each tick the pages in excess of what the process used at its highest in the decay time
// (1 s) go back, from the top of the heap down, as far as the tick's share of processor time goes; but for those that
// a managed heap had populated ahead in that time (scavenge_pace.h, gc/ahead.h). It also empties the processors that no
// thread has held for the decay time, reads inboxes that nobody reads, and looks inside spans of the mcentrals for free
// slots that cover whole pages of the machine. It takes processors back from threads that sleep.
//
// A heap that collects frees much at a time, and means to use it again before it collects next: it tells how much more
// that is, and so many pages are kept, however long they have been free.
//
// It sleeps when nothing is due, and is woken by the free that makes something due. It is started by the allocation
// with which the heap outgrows 12 MiB, so small programs never have it; not by a free, because libc frees while it
// holds locks that starting a thread takes. When it is the last thread of the process it returns, so that the process
// ends.
//
// Invariants
//   [scavenger.1] at most one background thread a process.
// Concurrency
//   `note_free` may be called from any thread that holds no lock of the heap. The thread blocks all signals.
// Uses / used by
//   Uses scavenge_pace, processor, mcentral, mheap, os. Used by malloc (note_free), fork, census, override, gc/driver.
#pragma once

#include "base.h"

namespace umber::alloc::scavenger {

// Memory was freed or a processor left: wakes the background thread if there is enough to do. Never starts it: libc
// frees with locks held that starting a thread needs.
void note_free();
// Memory was allocated: starts the background thread if the heap has become large. The caller is at the end of its work
// and holds nothing, because this allocates.
void note_growth();

// Somebody means to take `bytes` more from the heap than are taken now, and meant `before` when last told.
void expect_growth(std::size_t before, std::size_t bytes);

// A thread has got a processor: with many of them it is worth looking which of their threads sleep.
void note_processor();

// Everything that can be given back, now; bytes.
std::size_t release_all();

struct figures {
  std::size_t released_bytes = 0;  // since the start of the process
  std::uint64_t cpu_ns = 0;
};
figures so_far();

void lock_for_fork();
void unlock_after_fork();
void reset_in_child();

}  // namespace umber::alloc::scavenger

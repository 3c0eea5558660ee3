// Pages that the system backs before a mutator touches them.
//
// A heap that grows hands out memory that nobody has touched, and the first touch of each page is a fault: the kernel
// finds a page and clears it, and in a virtual machine the host may have to do the same. The mutator waits, in the
// middle of an allocation or a store. The collector's thread, which sleeps between cycles and has a processor of its
// own when there is one to spare, can do that beforehand: while the heap is large it keeps the lowest free pages, which
// are the next to be handed out, backed: 1/128 of the heap, at most 2 MiB, in a heap of 64 MiB or more.
//
// Of 250,000 writes of 1 KiB a second into fresh pages, one in a hundred took 12 us, one in a thousand 52; with another
// thread that populates 2 MiB ahead 0.4 and 22, the same as into pages that were there before: what is left is the
// machine's.
//
// Not where memory is nearer to some processors than to others: a page belongs beside who touches it first.
//
// Invariants
//   None of its own.
// Concurrency
//   look_ahead: any thread that holds no lock. The others: the collector's thread.
// Uses / used by
//   Uses managed_heap, request. Used by refill, cycle, driver.
#pragma once

#include "managed_heap.h"

namespace umber::gc {

// A mutator has taken pages: calls the collector's thread when few of those to come are backed.
void look_ahead(managed_heap& h);
// Has some pages backed if they were called for; whether that may be worth repeating.
bool bring_pages(managed_heap& h);
// How many there shall be until the next plan, for a heap of so many bytes in spans.
void plan_ahead(managed_heap& h, std::size_t heap_bytes);

}  // namespace umber::gc

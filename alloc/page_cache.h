// A block of 64 pages that somebody took out of the page heap at once, to hand its free ones out without the lock.
//
// Most spans are one to four pages, and all processors would meet at the page heap's lock for them. So a processor
// takes what is free of one aligned block of 64 pages (as Go does), in one visit: one word of the page
// heap's bitmaps. What it does not use it gives back. To the page heap all 64 are allocated meanwhile.
//
// The block is the lowest with a free page, so a cache keeps the heap packed low as the page heap itself does.
//
// Invariants
//   [page_cache.1] a page is handed out at most once, and only if it was free when the block was taken.
//   [page_cache.2] `scavenged` is a part of `free`.
// Concurrency
//   Owned by one thread at a time: the holder of the processor that it belongs to.
// Uses / used by
//   Uses bitmap, units. Filled and emptied by page_alloc, owned by processor.
#pragma once

#include "bitmap.h"
#include "units.h"

namespace umber::alloc {

// Pages taken from the page heap, and how many of them are released or untouched: those read as zero.
struct page_allocation {
  page_run run;
  page_count scavenged;
};

struct page_cache {
  static constexpr page_count pages = {bitmap::word_bits};

  page_id base;                 // a multiple of `pages`
  std::uint64_t free = 0;       // bit i: page base + i may be handed out
  std::uint64_t scavenged = 0;  // bit i: it is free, and reads as zero

  bool empty() const { return free == 0; }

  // The lowest n free pages in a row; an empty run when there are none, in particular for n > 64.
  page_allocation allocate(page_count n) {
    if (n.value == 0 || n > pages) return {};
    const std::uint64_t starts = bitmap::starts_of_runs(free, n.value);
    if (starts == 0) return {};
    const auto first = static_cast<std::size_t>(std::countr_zero(starts));
    const std::uint64_t taken = bitmap::mask(first, n.value);
    const page_count zeroed = {bitmap::count(scavenged & taken)};
    free &= ~taken;
    scavenged &= ~taken;
    return {{base + page_count{first}, n}, zeroed};
  }
};

}  // namespace umber::alloc

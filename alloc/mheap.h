// Pages become spans here, and spans pages again: the floor that the whole process shares.
//
//   allocate_span   a span of a size class: from the caller's stock (64 pages it took before, no lock), else by
//                   page_alloc, else the window grows
//   allocate_large  the pages of one object above 128 KiB
//   free_*          the pages are free at once, and go back to the system when the scavenger finds them unused
//
// A large object grows in place where the next pages are free; where they are not, its pages are *moved* to a larger
// run by the system (mremap), which copies page-table entries instead of bytes.
//
// The soft memory limit acts here: a request that would take the heap above it first gives free memory back.
//
// Invariants
//   [mheap.1] every page below window.pages is free in page_alloc, in some stock, or belongs to one span. The index
//   leads
//             to the span from its first page and from every page on which a slot of it starts.
//   [mheap.2] a request that fails for lack of memory leaves pages, spans and index as they were.
// Concurrency
//   One lock (rank mheap) guards page_alloc and the spare spans. It is not held during system calls that release
//   memory. A `span_stock` belongs to its processor.
// Uses / used by
//   Uses arena, page_alloc, metadata, mspan. Used by mcentral's users, processor, remote, scavenger, malloc.
#pragma once

#include "metadata.h"
#include "mspan.h"
#include "page_alloc.h"
#include "sync.h"

namespace umber::alloc {

// Pages and mspans that a processor has at hand, so that most spans cost no lock.
struct span_stock {
  page_cache pages;
  mspan* spare = nullptr;  // linked by next
  std::size_t spare_count = 0;
};

struct page_figures {
  page_count known;        // in the window
  page_count free;         // of these, in no span and no stock
  page_count unscavenged;  // of the free ones, still backed by the system
  page_count peak_in_use;
  page_count released_total;
  page_count ahead;                // that was asked for last: these are to stay
  std::uint64_t populated_at = 0;  // os::now, when it last came to that
  std::size_t metadata_bytes = 0;
};

class mheap {
 public:
  using lock_type = mutex<rank::mheap>;

  // A formatted span, every slot free, owned by `owner`; null when there is no memory.
  [[nodiscard]] mspan* allocate_span(span_class c, span_home* owner, span_stock& stock);
  // The caller owns the span (or has it in flux) and all its slots are free. `stock` may be null.
  void free_span(mspan* s, span_stock* stock);
  // Gives the stock's pages and mspans back.
  void empty_stock(span_stock& stock);

  [[nodiscard]] mspan* allocate_large(std::size_t bytes, std::size_t alignment);
  void free_large(mspan* s);
  // Makes the object's pages fit `bytes` without moving it; false when the next pages are not free.
  [[nodiscard]] bool resize_large(mspan* s, std::size_t bytes);
  // A larger span with the same contents; the old one is gone. Null when there is no memory: then nothing changed.
  [[nodiscard]] mspan* move_large(mspan* s, std::size_t bytes);

  // Gives up to `most` free pages back to the system, highest first; how many it gave (0: there are none).
  page_count release(page_count most);
  // Has the system back free pages, the lowest that it does not, up to 512 KiB, if it backs fewer than `ahead` free
  // ones: they are the next to be allocated. Whether it did.
  bool populate(page_count ahead);
  page_figures figures();
  std::size_t set_limit(std::size_t bytes);
  std::size_t limit() const { return limit_.load(std::memory_order_relaxed); }  // relaxed: a number on its own
  // A count that moves whenever the heap has taken another 4 MiB from the system: processors then look to
  // what they hold without using it.
  std::uint32_t pressure() const { return pressure_.load(std::memory_order_relaxed); }  // relaxed: a hint
  void press() { pressure_.fetch_add(1, std::memory_order_relaxed); }                   // relaxed: a hint
  // About how many free pages the system still backs: exact a moment ago.
  page_count unscavenged_hint() const { return {unscavenged_.load(std::memory_order_relaxed)}; }  // relaxed: a hint

  lock_type& fork_lock() { return lock_; }

  // Holds the lock and visits every span. The visitor must not allocate.
  template <class Visit>
  void for_each_span(Visit visit) {
    const lock_guard guard(lock_);
    for (std::size_t page = 0, end = window.pages.load(std::memory_order_relaxed); page < end;) {  // relaxed: locked
      mspan* s = window.span_of({page});
      if (s == &no_span || s->run.first.value != page) {
        ++page;
        continue;
      }
      const std::size_t next = s->run.end().value;
      visit(*s);
      page = next;
    }
  }

 private:
  [[nodiscard]] bool start() UMBER_REQUIRES(lock_);
  [[nodiscard]] bool grow(page_count n) UMBER_REQUIRES(lock_);
  page_allocation allocate_pages(page_count n, page_count alignment) UMBER_REQUIRES(lock_);
  // For alignments that the window itself does not have: cuts the run out of a larger one.
  page_allocation allocate_far_aligned(page_count n, page_count alignment) UMBER_REQUIRES(lock_);
  bool fill(span_stock& stock, page_count n, page_allocation& got) UMBER_REQUIRES(lock_);
  mspan* spare_span() UMBER_REQUIRES(lock_);
  void keep_spare(mspan* s) UMBER_REQUIRES(lock_);
  void note_use() UMBER_REQUIRES(lock_);
  void note_free() UMBER_REQUIRES(lock_);
  void obey_limit(page_count wanted);
  static void set_index(const mspan* s, mspan* to);

  lock_type lock_;
  bool started_ = false;
  page_alloc pages_;
  storage<mspan> spans_;
  mspan* spare_ = nullptr;
  page_run unlisted_;  // in the window, but page_alloc had no memory to know of it
  page_count peak_in_use_;
  page_count released_total_;
  page_count ahead_;
  std::uint64_t populated_at_ = 0;
  std::atomic<std::size_t> limit_{SIZE_MAX};
  std::atomic<std::uint32_t> pressure_{0};
  std::atomic<std::size_t> unscavenged_{0};
};

extern mheap heap;

}  // namespace umber::alloc

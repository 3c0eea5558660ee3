// The page heap's memory of which pages are free: address-ordered first fit over bitmaps.
//
// Every allocation gets the lowest run that fits. That is the whole policy against fragmentation: what lives is packed
// low, the upper end of the heap drains, and whole arenas become empty that can go back to the system. The structure
// follows Go's mpagealloc (Knyszek and Clements, "Scaling the Go page allocator").
//
// A *chunk* is 512 pages, 4 MiB, and has two bitmaps: `free`, and `scavenged` for those free pages whose memory the
// system has (released or never touched), which cost nothing and read as zero. Over the chunks stands a tree in which
// each node has eight children. A node's *summary* gives the free run at the start of its pages, the longest within
// them and the one at their end; joining eight summaries gives the parent's, so a run that crosses from one child to
// the next is seen by their parent. A search for n pages looks at the longest run to learn whether it is worth going
// down, and at the two others to find a run that crosses. The tree grows a level when the heap outgrows its root, so a
// small heap has a low tree.
//
// Two more things keep the cost independent of the size of the heap. The *search hint* is a page below which nothing
// is free; a search begins in its chunk, goes right and up until a node has room, then down. And each summary carries
// the longest run of pages that are free but not scavenged in any chunk below it, so the scavenger goes straight down
// to the highest memory that it could give back, and learns from the root that there is none.
//
// Pages that are being scavenged, or backed before they are needed, are *claimed*: allocated, as far as everybody else
// can see, so that the system call happens without the lock. Runs to scavenge never cross a chunk: 4 MiB a call is
// enough.
//
// Summaries and bitmaps for the whole window are address space only until the heap grows there: 16 + 128 bytes for
// each 4 MiB, about 1/28000 of the heap.
//
// Invariants
//   [page_alloc.1] a summary equals what its pages say: of a chunk its bitmaps, of a node its children.
//   [page_alloc.2] no page below the search hint is free.
//   [page_alloc.3] a scavenged page is free; allocating it says so, once.
//   [page_alloc.4] free_pages and free_unscavenged_pages equal the counts of the bitmaps.
//   [page_alloc.5] allocate with alignment 1 returns the lowest run that fits, and with any alignment finds a run
//                  whenever one fits.
//   [page_alloc.6] init or grow that fails changes nothing that another call could notice.
// Concurrency
//   Externally synchronised: every call, the counters too, under the page heap's lock (`rank::mheap`).
// Uses / used by
//   Uses os, bitmap, page_cache, units. Used by mheap, which maps pages to addresses, and scavenger.
#pragma once

#include "base.h"
#include "bitmap.h"
#include "page_cache.h"
#include "units.h"

namespace umber::alloc {

class page_alloc {
 public:
  using allocation = page_allocation;
  static constexpr page_count chunk_pages = {512};
  static constexpr page_count max_capacity = {std::size_t{1} << 30};

  constexpr page_alloc() = default;
  page_alloc(const page_alloc&) = delete;
  page_alloc& operator=(const page_alloc&) = delete;

  // Reserves address space for the metadata of pages [0, capacity); false when the system has none. Once, first.
  [[nodiscard]] bool init(page_count capacity);
  // Gives up the metadata; the object is then as before `init`. For tests: the process's page heap lives for ever.
  void destroy();

  // `fresh`, whole chunks at or beyond end(), become free and scavenged. False: no memory for the metadata.
  [[nodiscard]] bool grow(page_run fresh);

  // The lowest n pages in a row, the first a multiple of `alignment` (a power of two); run empty when nothing fits.
  // With an alignment above 1 the run is low but not always the lowest.
  [[nodiscard]] allocation allocate(page_count n, page_count alignment = {1});
  // Takes exactly these pages if all are free, and says how many were scavenged.
  [[nodiscard]] bool allocate_at(page_run exact, page_count& scavenged);
  // The pages of an allocation, of several that adjoin, or of a part of one. They were used: not scavenged.
  void free(page_run run);

  // All free pages of the lowest block of 64 that has any; empty when no page is free.
  [[nodiscard]] page_cache allocate_cache();
  void free_cache(const page_cache& cache);

  // Claims up to `max` pages, all free and not scavenged, from the top of the highest run of `min_run` or more within
  // a chunk (a `min_run` of more than a chunk is taken as a chunk); empty when there is none.
  [[nodiscard]] page_run find_scavengeable(page_count max, page_count min_run);
  // Claims the lowest pages that are free and scavenged, up to `max` of those in a row within 64; empty when there are
  // none.
  [[nodiscard]] page_run find_scavenged(page_count max);
  // Ends the claim: the pages, or any part of them, are free again, and scavenged if they were released.
  void give_back_scavenged(page_run claimed, bool released);

  page_count free_pages() const { return free_; }
  page_count free_unscavenged_pages() const { return free_unscavenged_; }
  page_count largest_free_run() const { return height_ == 0 ? page_count{} : page_count{root().longest}; }
  // One past the last page that ever grew.
  page_id end() const { return end_; }
  page_count capacity() const { return capacity_; }
  // Bytes of metadata that are committed.
  std::size_t metadata_bytes() const;

  // Recomputes everything from the bitmaps: whether [page_alloc.1] to [page_alloc.4] hold. O(heap): debug and tests.
  bool valid() const;

 private:
  static constexpr std::size_t fanout = 8;
  static constexpr std::size_t max_levels = 8;  // 512 pages x 8^7 = 2^30

  // Runs of free pages; `unscavenged` is the longest run, within a chunk, of pages that are also not scavenged.
  struct summary {
    std::uint32_t start = 0;
    std::uint32_t longest = 0;
    std::uint32_t end = 0;
    std::uint32_t unscavenged = 0;
    bool operator==(const summary&) const = default;
  };
  struct chunk {
    std::uint64_t free[chunk_pages.value / bitmap::word_bits];
    std::uint64_t scavenged[chunk_pages.value / bitmap::word_bits];
  };
  // An array whose front is committed.
  struct part {
    std::uintptr_t start = 0;
    std::size_t committed = 0;
    [[nodiscard]] bool commit_up_to(std::size_t bytes);
  };
  // A search under way, page numbers all: how long a run is wanted, the first page seen that may be free, and how many
  // free pages end where the search stands.
  struct search {
    std::size_t wanted;
    std::size_t first_free = bitmap::not_found;
    std::size_t carried = 0;
  };
  enum class sight : std::uint8_t { nothing, run_into_it, run_within };

  static constexpr std::size_t pages_at(std::size_t level) { return chunk_pages.value << (3 * level); }
  static summary summarize(const chunk& c);
  static summary join(const summary* children, std::size_t count, std::size_t child_pages);

  chunk& chunk_at(std::size_t i) const { return pointer_to<chunk>(chunks_.start)[i]; }
  summary* level(std::size_t l) const { return pointer_to<summary>(levels_[l].start); }
  std::size_t nodes_at(std::size_t l) const { return divide_up(end_.value, pages_at(l)); }
  const summary& root() const { return level(height_ - 1)[0]; }

  bool is_free(page_run run) const;
  static sight look(const summary& s, std::size_t base, std::size_t pages, search& state);
  std::size_t find(std::size_t from, search& state) const;
  std::size_t find_within(std::size_t l, std::size_t node, search& state) const;
  std::size_t find_aligned(std::size_t n, std::size_t alignment, std::size_t tries) const;
  std::size_t find_aligned(std::size_t n, std::size_t alignment) const;
  page_count claim(page_run run);
  void put(page_run run, bool scavenged);
  bool commit_for(page_id end);
  void refresh(std::size_t first_chunk, std::size_t last_chunk);
  bool refresh_parents(std::size_t l, std::size_t first, std::size_t last);
  bool valid_chunks() const;

  // Constant after init.
  page_count capacity_;
  part chunks_;
  part levels_[max_levels];  // 0: a summary for each chunk
  std::size_t reserved_ = 0;
  // Guarded by the owner's lock.
  std::size_t height_ = 0;  // levels in use; the last has one node
  page_id end_;
  page_id hint_;
  page_count free_;
  page_count free_unscavenged_;
};

}  // namespace umber::alloc

// A span: a run of pages cut into slots of one size class, or the pages of one large object.
//
//   slot       room for one object. Slot i lies at base + i * slot_size.
//   free bit   set: the slot is free. The only record of it; there is no list and nothing is written into the slot.
//   remote bit set: the slot was freed by a thread that does not own the span, and nobody has collected that yet.
//   live       neither: slots - popcount(free | remote)
//
// Slots are aligned to the *end* of the span, so the unused rest lies before slot 0, where the test for interior
// pointers rejects it; and a slot is aligned to the largest power of two that divides its size.
//
// Who may touch the free bits is said by `owner`, and by nothing else:
//
//     value           the span is                     free bits belong to
//     P               current, or has free slots      the thread that holds processor P
//     P | at_home     full when P left it             whoever swaps `owner` away from it
//     in_central      listed in its mcentral          the holder of that mcentral's lock
//     in_flux         between two of these            the thread that put it there
//     large           one large object                the program: the block is allocated until freed
//                     or the one slot of a sample (watch.h)
//     managed         of a managed heap (gc/)         that heap
//     nobody          no span (the page is free)      -
//
//     mheap --> P --full--> P|at_home --first free by P--> P       --idle--> in_central --refill of Q--> Q
//                              \--enough frees by others--> in_flux --> in_central, or mheap when all is free
//
// So a full span has no owner to bother: the thread that frees from it takes it, or sets bits, and no message waits
// for a thread that never looks.
//
// Why bits and not a list through the free slots: a pair of 64 bytes costs the same, but freeing memory that is cold
// touches a bitmap line that 512 slots share instead of one line each, misuse is seen exactly, the scavenger can
// return pages inside a half-used span, and a sweep of the managed heap is the assignment of a bitmap.
//
// Invariants
//   [mspan.1] free and remote bits of one slot are never both set; a set bit set again is a double free.
//   [mspan.2] bits at and above `slots` are zero.
//   [mspan.3] an owned span that is not current has countdown == live slots, remote frees not counted.
//   [mspan.4] an mspan's memory is only ever reused for an mspan: a late reader of `owner` reads an owner.
// Concurrency
//   The first line is constant while the span is in use, but for `owner` (atomic) and `countdown` (owner's). `free`
//   belongs as said above; others may read its words (relaxed) to detect a double free. `remote` is atomic.
// Uses / used by
//   Uses size_class, arena. Used by span_set, mcentral, mheap, mcache, processor, remote, malloc.
#pragma once

#include "arena.h"
#include "base.h"
#include "check.h"
#include "planted.h"
#include "size_class.h"
#include "units.h"

#include <atomic>
#include <bit>

namespace umber::alloc {

struct span_home;  // a processor, as far as spans know it (remote.h)
namespace profile {
struct site;
}

// What `mspan::owner` may say beside a processor.
namespace span_owner {
inline constexpr std::uintptr_t at_home = 1;  // a flag on a processor's address
inline constexpr std::uintptr_t in_flux = 2;
inline constexpr std::uintptr_t large = 4;
inline constexpr std::uintptr_t nobody = 6;
// With the class, so that one load says which lock it is that must be taken.
constexpr std::uintptr_t in_central(span_class c) { return (c.value + std::uintptr_t{1}) * 8; }
inline constexpr std::uintptr_t last_in_central = span_class_count * 8;
inline constexpr std::uintptr_t managed = last_in_central + 8;
inline bool is_in_central(std::uintptr_t owner) { return owner > nobody && owner <= last_in_central; }
inline span_class class_in_central(std::uintptr_t owner) { return {static_cast<std::uint8_t>(owner / 8 - 1)}; }
inline bool is_at_home(std::uintptr_t owner) { return (owner & at_home) != 0; }
inline bool is_processor(std::uintptr_t owner) { return owner > managed && !is_at_home(owner); }
inline span_home* home(std::uintptr_t owner) { return pointer_to<span_home>(owner & ~at_home); }
}  // namespace span_owner

inline constexpr std::size_t words_per_span = max_slots / 64;

// The word of a bitmap in which a slot's bit lies, and the bit.
struct slot_id {
  std::size_t value = 0;
  constexpr std::size_t word() const { return value / 64; }
  constexpr std::uint64_t bit() const { return std::uint64_t{1} << (value % 64); }
};

struct alignas(4 * cache_line) mspan {
  // Line 0: constant while in use, but for owner and countdown.
  std::atomic<std::uintptr_t> owner{span_owner::nobody};
  std::uintptr_t base = 0;       // address of slot 0
  std::uint64_t reciprocal = 0;  // see size_class.h
  std::uint32_t countdown = 0;   // frees by the owner until the span needs attention
  std::uint32_t slot_size = 0;   // 0 for a large object
  page_run run;
  std::uint16_t slots = 0;
  std::atomic<std::uint8_t> cls{0};  // its span_class
  std::uint8_t flags = 0;
  profile::site* sample = nullptr;  // large: the site of the sample that the object is, or null

  // Line 1: links of the list the span is in (that list's owner), and of a processor's inbox.
  alignas(cache_line) mspan* next = nullptr;
  mspan* previous = nullptr;
  std::atomic<mspan*> inbox_next{nullptr};
  std::atomic<bool> in_inbox{false};
  span_home* private_home = nullptr;  // the private heap's processor it belongs to, or null
  mspan* heap_next = nullptr;         // among all spans of that heap
  mspan* heap_previous = nullptr;
  void* space = nullptr;  // managed: the gc::space it belongs to

  // Line 2 and 3. Spans of class above 1 KiB use one word; free[1] then says which slots read as zero.
  alignas(cache_line) std::atomic<std::uint64_t> free[words_per_span] = {};
  alignas(cache_line) std::atomic<std::uint64_t> remote[words_per_span] = {};

  static constexpr std::uint8_t flag_zeroed = 1;    // large: all of it reads as zero
  static constexpr std::uint8_t flag_moved = 2;     // large: its mapping was moved here, see mheap
  static constexpr std::uint8_t flag_trimmed = 8;   // its unused pages went back to the system (mcentral)
  static constexpr std::uint8_t flag_retained = 4;  // wholly free, kept by its processor

  span_class spans_class() const {
    // relaxed: constant while the span is in use; a late reader re-checks under a lock.
    return {cls.load(std::memory_order_relaxed)};
  }
  std::size_t words() const { return divide_up(slots, std::size_t{64}); }
  // The bits of word w that stand for slots.
  std::uint64_t slot_bits(std::size_t w) const {
    const std::size_t left = slots > w * 64 ? slots - w * 64 : 0;
    return left >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << left) - 1;
  }
  std::uintptr_t address(slot_id slot) const { return base + slot.value * slot_size; }

  // The slot that starts exactly at `address`. False for an interior pointer, and for the unused rest.
  UMBER_FAST bool find_slot(std::uintptr_t address, slot_id& slot) const {
    return multiply_below(address - base, reciprocal, slot.value) || is_planted(fault::interior_check_off);
  }

  // Makes a fresh span of `pages`; every slot free. `zeroed`: the pages read as zero.
  void format(page_run pages, span_class c, bool zeroed);
  // Makes the span of one large object.
  void format_large(page_run pages, bool zeroed);
  // Makes of the span of a large object, which nobody knows yet, that of one slot of class c. Its owner stays.
  void format_alone(span_class c);

  // Owner only. Moves the remote bits over to the free bits; dies of a double free. True if there were any.
  bool collect_remote();
  bool has_remote() const;
  std::size_t count_free() const;            // by the free bits
  std::size_t count_free_or_remote() const;  // anybody: a snapshot
  bool is_free_or_remote(slot_id slot) const {
    // relaxed: the program's own ordering between malloc and free makes a live slot's zero visible to who frees it.
    return ((free[slot.word()].load(std::memory_order_relaxed) | remote[slot.word()].load(std::memory_order_relaxed)) &
            slot.bit()) != 0;
  }
  bool is_free(slot_id slot) const {
    return (free[slot.word()].load(std::memory_order_relaxed) & slot.bit()) != 0;  // relaxed: as above
  }
  // Owner only: free slots exist, all slots are free.
  bool any_free() const;
  bool all_free() const { return count_free() == slots; }

  // Tests and debug: the invariants above, as far as one span shows them. Owner only.
  bool valid() const;
};
static_assert(sizeof(mspan) == 4 * cache_line);

// What pages without a span lead to.
extern mspan no_span;

[[noreturn]] UMBER_SLOW void die_double_free(const mspan& span, slot_id slot, const char* call = "free");

}  // namespace umber::alloc

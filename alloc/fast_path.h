// The instructions that almost every malloc and free of a program consists of. Nothing else is here.
//
//   fast_allocate(n)
//     the table gives the mcache entry of n's class
//     the entry's word of free bits: the lowest set bit is the slot; clear it
//   fast_deallocate(p)
//     the page's span, by the window's flat index; it is this processor's
//     the slot, by one multiplication, which also rejects interior pointers
//     the slot's bit: set it; was it set already, or was this the last live slot?
//
// All else is out of line. The counts are kept in tests/golden; change a line here and look at them.
//
// Invariants
//   None of its own.
// Concurrency
//   No atomic operation beyond plain loads and stores (relaxed), because all that is written belongs to the processor.
// Uses / used by
//   Uses processor, mcache, arena. Used by malloc and override.
#pragma once

#include "malloc.h"
#include "processor.h"

namespace umber::alloc {

namespace fast_path_detail {

// For each size the place of its class's entry in an mcache, in bytes.
constexpr std::array<std::uint16_t, max_table_size + 1> make_places() {
  std::array<std::uint16_t, max_table_size + 1> places{};
  for (std::size_t n = 0; n <= max_table_size; ++n)
    places[n] = static_cast<std::uint16_t>(class_for(n).value * sizeof(mcache_entry));
  return places;
}
inline constexpr std::array<std::uint16_t, max_table_size + 1> places = make_places();

}  // namespace fast_path_detail

[[nodiscard]] UMBER_SLOW void* allocate_slow(std::size_t n) noexcept;
UMBER_SLOW void deallocate_slow(void* p) noexcept;
// The free bit of p's slot, in a span of this processor, was set already; or its countdown has come to zero.
UMBER_SLOW void deallocate_event(mspan* s, slot_id slot, bool was_free) noexcept;

UMBER_FAST void* fast_allocate(std::size_t n) noexcept {
  if (UMBER_LIKELY(n <= max_table_size)) {
    const std::uintptr_t cache = address_of(&this_thread.p->cache);
    void* p = pointer_to<mcache_entry>(cache + fast_path_detail::places[n])->take();
    if (UMBER_LIKELY(p != nullptr)) return p;
  }
  return allocate_slow(n);
}

// Frees slot p of span s, which belongs to this thread's processor.
UMBER_FAST void free_own(mspan* s, slot_id slot) noexcept {
  std::atomic<std::uint64_t>& word = s->free[slot.word()];
  // relaxed, both: only this thread writes the word; others read it to detect double frees.
  const std::uint64_t before = word.load(std::memory_order_relaxed);
  word.store(before | slot.bit(), std::memory_order_relaxed);
  const bool was_free = (before & slot.bit()) != 0;
  if (UMBER_UNLIKELY(was_free)) return deallocate_event(s, slot, true);
  if (UMBER_UNLIKELY(--s->countdown == 0)) return deallocate_event(s, slot, false);
}

UMBER_FAST void fast_deallocate(void* p) noexcept {
  const std::uintptr_t address = address_of(p);
  const page_id page = window.page_of(address);
  // relaxed: whoever got p from malloc was told of its page by the same way.
  if (UMBER_UNLIKELY(page.value >= window.pages.load(std::memory_order_relaxed))) return deallocate_slow(p);
  mspan* s = window.index[page.value].load(std::memory_order_relaxed);
  slot_id slot;
  if (UMBER_UNLIKELY(!this_thread.p->owns(s)) || UMBER_UNLIKELY(!s->find_slot(address, slot)))
    return deallocate_slow(p);
  free_own(s, slot);
}

}  // namespace umber::alloc

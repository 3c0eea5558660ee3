// The instructions that almost every malloc and free of a program consists of. Nothing else is here.
//
//   fast_allocate(n)
//     the table gives the mcache entry of n's class
//     its copy of free bits: the lowest one is the slot; clear it there and in the span
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

#include "planted.h"
#include "processors.h"

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

[[nodiscard]] UMBER_WARM void* allocate_slow(std::size_t n) noexcept;
UMBER_WARM void deallocate_slow(void* p) noexcept;
UMBER_SLOW void deallocate_sized_slow(void* p, std::size_t n) noexcept;
// p is a slot of a span of this processor, and it was freed before.
UMBER_SLOW void deallocate_again(const mspan* s, slot_id slot) noexcept;
// The countdown of the span has come to zero.
UMBER_WARM void deallocate_last(mspan* s) noexcept;

UMBER_FAST void* fast_allocate(std::size_t n) noexcept {
  if (UMBER_LIKELY(n <= max_table_size)) {
    void* p;
    if (UMBER_LIKELY(this_thread.mine()->cache.at_place(fast_path_detail::places[n]).take(p))) return p;
  }
  return allocate_slow(n);
}

// Frees slot `slot` of span s, which belongs to the processor of this thread.
UMBER_FAST void free_own(mspan* s, slot_id slot) noexcept {
  std::atomic<std::uint64_t>& word = s->free[slot.word()];
  // relaxed, all: only this thread writes here; others read to detect double frees.
  std::uint64_t bits = word.load(std::memory_order_relaxed);
  if (UMBER_UNLIKELY(set_bit(bits, slot.value)) && !is_planted(fault::ignore_double_free))
    return deallocate_again(s, slot);
  word.store(bits, std::memory_order_relaxed);
  if (is_planted(fault::skip_countdown)) return;
  if (UMBER_UNLIKELY(--s->countdown == 0)) deallocate_last(s);
}

UMBER_FAST void fast_deallocate(void* block) noexcept {
  const std::uintptr_t address = address_of(block);
  const page_id page = window.page_of(address);
  // relaxed: whoever got the block from malloc was told of its page by the same way.
  if (UMBER_UNLIKELY(page.value >= peek(window.pages))) return deallocate_slow(block);
  mspan* s = peek(window.index[page.value]);
  slot_id slot;
  if (UMBER_UNLIKELY(!this_thread.mine()->owns(s)) || UMBER_UNLIKELY(!s->find_slot(address, slot)))
    return deallocate_slow(block);
  free_own(s, slot);
}

// As above, for a block that was asked for with n bytes.
UMBER_FAST void fast_deallocate_sized(void* block, std::size_t n) noexcept {
  const page_id page = window.page_of(address_of(block));
  // The size is checked against the span whoever owns it: a wrong one is reported by the slow path.
  if (UMBER_UNLIKELY(n > max_table_size || page.value >= peek(window.pages)) ||
      UMBER_UNLIKELY(peek(peek(window.index[page.value])->cls) != size_class_detail::table[n]))
    return deallocate_sized_slow(block, n);
  fast_deallocate(block);
}

}  // namespace umber::alloc

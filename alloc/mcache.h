// What malloc looks at: for each span class, slots that are free and lie side by side.
//
// An entry points to a word of 64 free bits in its span, and copies from it the bits to be handed out next (`next`),
// and from its span what turns a bit into an address. malloc takes the lowest bit out of the copy and clears it in the
// word, so the word always says exactly what is free; free sets it in the word only.
//
// Why a copy: with the word alone, a program that frees and allocates in turn waits for the chain from bit to address
// to bit again, 31 cycles a pair (measured: 11.4 ns, mimalloc 10.1). With the copy the address does not depend on the
// free before it, and the pair takes 5 ns. One slot kept aside for such programs was tried too: a pair is as fast and
// seven instructions shorter, but a program that frees and allocates at random (larson) mispredicts twice a pair and
// takes twice as long. The copy holds at most about 8 KiB of slots, so that a program that needs one block at a time
// stays in the first-level cache.
//
// The lowest free slot is taken first, which keeps the heap packed and the same few blocks warm.
//
// Invariants
//   [mcache.1] an entry without a span has no bits in `next` and points to a word that is always zero.
//   [mcache.2] `next` is a subset of the word.
// Concurrency
//   The processor's thread only.
// Uses / used by
//   Uses mspan. Used by processor and malloc.
#pragma once

#include "mspan.h"

namespace umber::alloc {

// The word that never has a free slot, with the neighbour that every word has.
inline constinit std::atomic<std::uint64_t> no_slots[2] = {};

struct mcache_entry {
  static constexpr std::size_t copied_bytes = 8 * kib;
  static constexpr std::size_t least_copied = 2;

  std::uint64_t next = 0;
  std::atomic<std::uint64_t>* word = no_slots;
  std::uintptr_t base = 0;  // of slot 0 of the word
  std::uint64_t slot_size = 0;

  // The span that the word lies in, whose storage is aligned to its size; null if there is none.
  mspan* span() const {
    return word == no_slots ? nullptr : pointer_to<mspan>(round_down(address_of(word), sizeof(mspan)));
  }

  // The lowest slot of the copy; false if it is empty. The fast path of every small malloc.
  UMBER_FAST bool take(void*& p) {
    std::uint64_t slot;
    if (UMBER_UNLIKELY(!take_lowest_bit(next, slot))) return false;
    // relaxed, both: written by this thread only; others read the word to detect double frees.
    std::uint64_t bits = word->load(std::memory_order_relaxed);
    clear_bit(bits, slot);
    word->store(bits, std::memory_order_relaxed);
    p = pointer_to(base + slot * slot_size);
    return true;
  }

  // For classes above 1 KiB, whose second word says which slots read as zero.
  bool take_zeroed(void*& p, bool& zeroed) {
    std::uint64_t slot;
    if (!take_lowest_bit(next, slot)) return false;
    std::uint64_t bits = word->load(std::memory_order_relaxed);  // relaxed, all: as above
    clear_bit(bits, slot);
    word->store(bits, std::memory_order_relaxed);
    const std::uint64_t bit = std::uint64_t{1} << slot;
    const std::uint64_t zeroes = word[1].load(std::memory_order_relaxed);
    zeroed = (zeroes & bit) != 0;
    if (zeroed) word[1].store(zeroes ^ bit, std::memory_order_relaxed);
    p = pointer_to(base + slot * slot_size);
    return true;
  }

  // Copies bits of the word that is pointed to; false if it has none.
  bool copy_word() {
    const std::uint64_t bits = word->load(std::memory_order_relaxed);  // relaxed: ours
    if (bits == 0) return false;
    std::uint64_t rest = 0;
    if (slot_size > copied_bytes / 64) {
      rest = bits;
      std::size_t n = copied_bytes / slot_size;
      if (n < least_copied) n = least_copied;
      for (; n > 0 && rest != 0; --n) rest &= rest - 1;
    }
    next = bits ^ rest;
    return true;
  }

  // Points to the lowest word of the span that has a free slot, and copies it; false if none has.
  bool find_word(mspan* s) {
    for (std::size_t w = 0; w < s->words(); ++w) {
      if (s->free[w].load(std::memory_order_relaxed) == 0) continue;  // relaxed: ours
      word = &s->free[w];
      base = s->base + w * 64 * slot_size;
      return copy_word();
    }
    return false;
  }

  // Finds more free slots in the span; false if it has none.
  bool reload() {
    if (copy_word()) return true;
    mspan* s = span();
    return s != nullptr && find_word(s);
  }

  void install(mspan* s) {
    slot_size = s->slot_size;
    find_word(s);
  }

  void remove_span() { *this = {}; }
};

struct mcache {
  mcache_entry entries[span_class_count];

  mcache_entry& operator[](span_class c) { return entries[c.value]; }
  mcache_entry& at_place(std::uint32_t place) { return *pointer_to<mcache_entry>(address_of(entries) + place); }
};

}  // namespace umber::alloc

// What malloc looks at: for each span class the word of free bits from which the next slot comes.
//
// An entry copies from its span what the fast path needs, so that malloc reads one line here and one word there: the
// address of a word of 64 free bits, the address of that word's first slot, and the slot size. The word itself stays
// in the span: a free of one of these 64 slots shows up here at once, and the lowest free slot is always taken first,
// which keeps the heap packed and the same few blocks warm.
//
// Invariants
//   [mcache.1] an entry without a span points to a word that is always zero.
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
  std::atomic<std::uint64_t>* word = no_slots;
  std::uint64_t slot_size = 0;
  std::uintptr_t base = 0;  // of slot 0 of the word
  mspan* span = nullptr;

  // The lowest free slot of the word, now in use; null if there is none. The fast path of every small malloc.
  UMBER_FAST void* take() {
    // relaxed, both: the word is written by this thread only; others just look for double frees.
    const std::uint64_t bits = word->load(std::memory_order_relaxed);
    if (UMBER_UNLIKELY(bits == 0)) return nullptr;
    const auto slot = static_cast<std::uint64_t>(__builtin_ctzll(bits));
    word->store(bits & (bits - 1), std::memory_order_relaxed);
    return pointer_to(base + slot * slot_size);
  }

  // The same for classes above 1 KiB, whose second word says which slots read as zero.
  void* take_zeroed(bool& zeroed) {
    const std::uint64_t bits = word->load(std::memory_order_relaxed);  // relaxed: as above
    if (bits == 0) return nullptr;
    const std::uint64_t lowest = bits & (~bits + 1);
    word->store(bits ^ lowest, std::memory_order_relaxed);
    const std::uint64_t zeroes = word[1].load(std::memory_order_relaxed);
    zeroed = (zeroes & lowest) != 0;
    if (zeroed) word[1].store(zeroes ^ lowest, std::memory_order_relaxed);
    return pointer_to(base + static_cast<std::uint64_t>(__builtin_ctzll(bits)) * slot_size);
  }

  // Points to the lowest word of the span that has a free slot; false if none has.
  bool find_word() {
    for (std::size_t w = 0; w < span->words(); ++w) {
      if (span->free[w].load(std::memory_order_relaxed) == 0) continue;  // relaxed: ours
      word = &span->free[w];
      base = span->base + w * 64 * slot_size;
      return true;
    }
    return false;
  }

  void install(mspan* s) {
    span = s;
    slot_size = s->slot_size;
    find_word();
  }

  void clear() { *this = {}; }
};
static_assert(sizeof(mcache_entry) == 32);

struct mcache {
  mcache_entry entries[span_class_count];

  mcache_entry& operator[](span_class c) { return entries[c.value]; }
};

}  // namespace umber::alloc

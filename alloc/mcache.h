// What malloc looks at: for each span class a slot that was just freed, and the word of free bits where others are.
//
// The *hot* slot is the last word of a program that frees and allocates in turn: the slot goes from free to malloc
// through one register's worth of memory, so a pair is bounded by instructions and not by the chain from bit to address
// to bit again (which was measured: 31 cycles). A hot slot is free, though its bit says in use; a span with one is
// never given away. Classes above 1 KiB keep none: it would pin large spans.
//
// The *word*: an entry copies from its span what the fast path needs, so that malloc reads one line here and one word
// there: the address of a word of 64 free bits, the address of that word's first slot, and the slot size. The word
// itself stays in the span: a free of one of these slots shows up here at once, and the lowest free slot is taken
// first, which keeps the heap packed and the same few blocks warm.
//
// Invariants
//   [mcache.1] an entry without a span points to a word that is always zero.
//   [mcache.2] the bit of a hot slot is clear.
// Concurrency
//   The processor's thread only, but for `hot`, which others read to detect double frees.
// Uses / used by
//   Uses mspan. Used by processor and malloc.
#pragma once

#include "mspan.h"

#include <utility>

namespace umber::alloc {

// The word that never has a free slot, with the neighbour that every word has.
inline constinit std::atomic<std::uint64_t> no_slots[2] = {};

struct mcache_entry {
  static constexpr std::uintptr_t never_hot = 1;  // no address: the place is taken for good

  std::atomic<std::uintptr_t> hot{0};
  std::atomic<std::uint64_t>* word = no_slots;
  std::uintptr_t base = 0;  // of slot 0 of the word
  std::uint64_t slot_size = 0;

  // The span that the word lies in, whose storage is aligned to its size; null if there is none.
  mspan* span() const {
    return word == no_slots ? nullptr : pointer_to<mspan>(round_down(address_of(word), sizeof(mspan)));
  }

  // The slot that was freed last, or else the lowest free one of the word; false if there is none. The fast path of
  // every small malloc.
  UMBER_FAST bool take(void*& p) {
    // relaxed, all: written by this thread only.
    const std::uintptr_t freed = hot.load(std::memory_order_relaxed);
    if (freed != 0) {
      hot.store(0, std::memory_order_relaxed);
      p = pointer_to(freed);
      return true;
    }
    std::uint64_t bits = word->load(std::memory_order_relaxed);
    std::uint64_t slot;
    if (UMBER_UNLIKELY(!take_lowest_bit(bits, slot))) return false;
    word->store(bits, std::memory_order_relaxed);
    p = pointer_to(base + slot * slot_size);
    return true;
  }

  // The same for classes above 1 KiB, whose second word says which slots read as zero.
  bool take_zeroed(void*& p, bool& zeroed) {
    std::uint64_t bits = word->load(std::memory_order_relaxed);  // relaxed, all: as above
    std::uint64_t slot;
    if (!take_lowest_bit(bits, slot)) return false;
    word->store(bits, std::memory_order_relaxed);
    const std::uint64_t bit = std::uint64_t{1} << slot;
    const std::uint64_t zeroes = word[1].load(std::memory_order_relaxed);
    zeroed = (zeroes & bit) != 0;
    if (zeroed) word[1].store(zeroes ^ bit, std::memory_order_relaxed);
    p = pointer_to(base + slot * slot_size);
    return true;
  }

  // Points to the lowest word of the span that has a free slot; false if none has.
  bool find_word(mspan* s) {
    for (std::size_t w = 0; w < s->words(); ++w) {
      if (s->free[w].load(std::memory_order_relaxed) == 0) continue;  // relaxed: ours
      word = &s->free[w];
      base = s->base + w * 64 * slot_size;
      return true;
    }
    return false;
  }

  void install(mspan* s) {
    slot_size = s->slot_size;
    find_word(s);
  }

  void remove_span() {
    word = no_slots;
    base = 0;
    slot_size = 0;
  }
};
static_assert(sizeof(mcache_entry) == mcache_entry_size);

struct mcache {
  mcache_entry entries[span_class_count];

  constexpr mcache() : mcache(std::make_index_sequence<span_class_count>{}) {}
  mcache_entry& operator[](span_class c) { return entries[c.value]; }
  mcache_entry& at_place(std::uint32_t place) { return *pointer_to<mcache_entry>(address_of(entries) + place); }

 private:
  static constexpr std::uintptr_t first_hot(std::size_t c) {
    return classes[c % size_class_count].slot_size > max_table_size ? mcache_entry::never_hot : 0;
  }
  template <std::size_t... C>
  explicit constexpr mcache(std::index_sequence<C...> /*classes*/) : entries{mcache_entry{{first_hot(C)}}...} {}
};

}  // namespace umber::alloc

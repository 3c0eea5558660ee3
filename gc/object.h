// What the collector knows of memory by arithmetic alone: for each 16 bytes a mark bit, for each page one word.
//
// Both lie in flat arrays beside the allocator's window, so that from an object's address they are reached by a
// shift and one load each, without a chain of pointers: marking 16 million objects in random order is a
// series of cache misses, and each link of a chain would be one more. The mark bits of a page are one cache line.
//
// The word of a page tells how to find the pointers of an object that starts on it:
//
//   nothing   the page is not managed
//   noscan    there are none: the object is never touched
//   typed     as the type's layout says: larger types, and those with a `trace` of their own
//   array     the object begins with a header: its length, and the id of its element type
//   masked    a bit for each of the first 48 words, in the word itself (nearly all types)
//
// Objects are at least 16 bytes apart, so an object's first byte names its bit.
//
// Invariants
//   [object.1] the mark bit of a free slot is clear, except while a mutator that allocates black has it at hand.
//   [object.2] the words of a page are set before the first object of its span exists, and cleared after the last.
// Concurrency
//   Mark bits are set by anybody, atomically, and cleared by who owns the span. Words are set by the span's owner
//   before an object is published.
// Uses / used by
//   Uses arena, os, sync. Used by every file of gc/.
#pragma once

#include "alloc/arena.h"
#include "alloc/base.h"
#include "alloc/units.h"

#include <atomic>

namespace umber::gc {

using namespace alloc;

struct type_layout;

enum class page_kind : std::uint8_t { nothing, noscan, typed, array, masked };  // masked alone has bit 2

// The word of a page.
struct page_word {
  std::uint64_t bits = 0;

  static constexpr std::size_t mask_words = 48;
  static constexpr std::size_t largest_masked = 8 * kib;

  static constexpr page_word noscan(std::size_t slot_size) { return {slot_size << 3 | tag(page_kind::noscan)}; }
  // The bit of word i: the last word has the lowest, so that who takes the lowest one first ends with the first word.
  static constexpr std::uint64_t mask_bit(std::size_t i) { return std::uint64_t{1} << (63 - i); }
  static constexpr page_word masked(std::size_t slot_size, std::uint64_t mask) {
    return {mask | (slot_size / 8) << 3 | tag(page_kind::masked)};
  }
  static constexpr page_word array(std::size_t slot_size) { return {slot_size << 3 | tag(page_kind::array)}; }
  static page_word typed(const type_layout* layout) { return {address_of(layout) | tag(page_kind::typed)}; }

  constexpr bool is_masked() const { return (bits & tag(page_kind::masked)) != 0; }
  constexpr page_kind kind() const { return static_cast<page_kind>(bits & 7); }
  constexpr std::uint64_t mask() const { return bits & ~std::uint64_t{0xffff}; }
  constexpr std::size_t masked_size() const { return (bits >> 3 & 0x1fff) * 8; }
  constexpr std::size_t slot_size() const { return bits >> 3; }  // of noscan and array
  const type_layout* layout() const { return pointer_to<const type_layout>(bits & ~std::uint64_t{7}); }

 private:
  static constexpr std::uint64_t tag(page_kind kind) { return static_cast<std::uint64_t>(kind); }
};

struct object_map {
  static constexpr std::size_t granule = 16;
  // Where in both arrays the entry of address 0 would be: what is looked up needs no subtraction of the window's base.
  static inline constinit std::uintptr_t marks_of_null = 0;
  static inline constinit std::uintptr_t words_of_null = 0;

  // Makes both arrays readable and writable for all pages of the window up to `end`. False: no memory.
  [[nodiscard]] static bool cover(page_id end);
  static bool covers(page_id end);
  // Of both, so far.
  static std::size_t bytes();

  static std::size_t granule_of(std::uintptr_t address) { return (address - window.base) / granule; }
  static std::atomic<std::uint64_t>& mark_word(std::uintptr_t object) {
    return entry(marks_of_null, object / (64 * granule));
  }
  static std::uint64_t mark_bit(std::uintptr_t object) { return std::uint64_t{1} << object / granule % 64; }
  // All of the window's, the first that of its base.
  static std::atomic<std::uint64_t>* marks() { return &mark_word(window.base); }

  static bool is_marked(std::uintptr_t object) {
    // relaxed: marks only ever say "already"; who needs what the object holds gets it from the queue it came through.
    return (mark_word(object).load(std::memory_order_relaxed) & mark_bit(object)) != 0;
  }
  // Marks the object; false if it was marked before.
  UMBER_FAST static bool mark(std::uintptr_t object) {
    std::atomic<std::uint64_t>& word = mark_word(object);
    const std::uint64_t bit = mark_bit(object);
    // relaxed, both: as above.
    if ((word.load(std::memory_order_relaxed) & bit) != 0) return false;
    return (word.fetch_or(bit, std::memory_order_relaxed) & bit) == 0;
  }
  static page_word word_of(std::uintptr_t object) {
    // relaxed: written before the object was, and that was published.
    return {entry(words_of_null, object / page_size).load(std::memory_order_relaxed)};
  }
  static void set_words(page_run run, page_word word);

 private:
  static std::atomic<std::uint64_t>* words() { return &entry(words_of_null, window.base / page_size); }
  static std::atomic<std::uint64_t>& entry(std::uintptr_t of_null, std::uintptr_t index) {
    return *pointer_to<std::atomic<std::uint64_t>>(of_null + index * sizeof(std::uint64_t));
  }
};

}  // namespace umber::gc

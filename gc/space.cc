#include "space.h"

#include "destroying.h"

#include "alloc/bitmap.h"

#include <bit>
#include <cstring>
#include <utility>

namespace umber::gc {

namespace {

constexpr int poison_byte = 0xdb;

// The even bits of x in the lower half; the odd ones are 0.
std::uint64_t halve(std::uint64_t x) {
  x = (x | x >> 1) & 0x3333333333333333;
  x = (x | x >> 2) & 0x0f0f0f0f0f0f0f0f;
  x = (x | x >> 4) & 0x00ff00ff00ff00ff;
  x = (x | x >> 8) & 0x0000ffff0000ffff;
  return (x | x >> 16) & 0xffffffff;
}

// And back: bit i becomes bit 2i.
std::uint64_t spread(std::uint64_t x) {
  x &= 0xffffffff;
  x = (x | x << 16) & 0x0000ffff0000ffff;
  x = (x | x << 8) & 0x00ff00ff00ff00ff;
  x = (x | x << 4) & 0x0f0f0f0f0f0f0f0f;
  x = (x | x << 2) & 0x3333333333333333;
  return (x | x << 1) & 0x5555555555555555;
}

constexpr std::size_t mark_word_bytes = 64 * object_map::granule;

// Whether slots are of 2^n granules, and the first at the start of a mark word: then whole words go at once.
bool is_packed(const mspan* s) {
  const std::size_t size = s->slot_size;
  return size >= object_map::granule && size <= mark_word_bytes && std::has_single_bit(size) &&
         s->base % mark_word_bytes == 0;
}

unsigned log2_granules(const mspan* s) {
  return static_cast<unsigned>(std::countr_zero(std::size_t{s->slot_size} / object_map::granule));
}

// Packed slots of 2^log2 granules, a word of marks at once.
void pack_marks(const std::atomic<std::uint64_t>* marks, std::size_t words, unsigned log2, std::uint64_t* live) {
  const unsigned slots = 64u >> log2;  // in a mark word
  for (std::size_t i = 0; i < words; ++i) {
    std::uint64_t bits = marks[i].load(std::memory_order_relaxed);  // relaxed: marking has ended
    if (bits == 0) continue;
    for (unsigned n = 0; n < log2; ++n) bits = halve(bits);
    live[i * slots / 64] |= bits << i * slots % 64;
  }
}

// Any slots: mark by mark, and a word of slots is written once, as they come in order.
void gather_marks(const mspan* s, std::uint64_t* live) {
  const std::size_t first = object_map::granule_of(s->base);
  const std::size_t end = object_map::granule_of(s->base + std::size_t{s->slots} * s->slot_size - 1) + 1;
  const std::atomic<std::uint64_t>* const marks = object_map::marks();
  std::size_t w = 0;
  std::uint64_t gathered = 0;
  for (std::size_t i = first / 64; i * 64 < end; ++i) {
    std::uint64_t bits = marks[i].load(std::memory_order_relaxed);  // relaxed: as above
    if (i == first / 64) bits &= ~std::uint64_t{0} << first % 64;
    if (i == end / 64) bits &= bitmap::mask(0, end % 64);
    for (; bits != 0; bits &= bits - 1) {
      const std::size_t granule = i * 64 + static_cast<std::size_t>(std::countr_zero(bits));
      // The granule's last byte, because a slot may start in the middle of one.
      const std::uintptr_t inside = window.base + granule * object_map::granule + object_map::granule - 1 - s->base;
      std::size_t slot;
      multiply_below(inside, s->reciprocal, slot);
      if (slot / 64 != w) {
        live[w] = std::exchange(gathered, 0);
        w = slot / 64;
      }
      gathered |= std::uint64_t{1} << slot % 64;
    }
  }
  live[w] = gathered;
}

// The marked slots of a span, a bit each.
void find_live(const mspan* s, std::uint64_t* live) {
  if (!is_packed(s)) return gather_marks(s, live);
  const std::size_t bytes = std::size_t{s->slots} * s->slot_size;
  pack_marks(&object_map::mark_word(s->base), (bytes + mark_word_bytes - 1) / mark_word_bytes, log2_granules(s), live);
}

void clear_marks(const mspan* s) {
  const std::size_t first = object_map::granule_of(window.address(s->run.first)) / 64;
  const std::size_t end = object_map::granule_of(window.address(s->run.end())) / 64;
  // relaxed: a mutator that has not answered `finish` yet may look, and makes nothing of it.
  std::atomic<std::uint64_t>* const marks = object_map::marks();
  for (std::size_t i = first; i < end; ++i) marks[i].store(0, std::memory_order_relaxed);
}

// Under torture its fields no longer say where other objects were.
void destroy(const type_layout& type, std::uintptr_t object, bool poison) {
  for (std::uint32_t i = 0; poison && i < type.pointer_count; ++i)
    std::memset(pointer_to(object + type.pointers[i] * sizeof(void*)), poison_byte, sizeof(void*));
  type.destroy(pointer_to(object));
}

// Destroys what owes it and is not live; the bits in `remote` are of those that owe it.
void destroy_dead(mspan* s, const std::uint64_t* live, bool poison) {
  const type_layout& type = *space_of(s).layout;
  const destroying here(type);
  for (std::size_t w = 0; w < s->words(); ++w) {
    // acquire: pairs with the release in constructed.
    const std::uint64_t owing = s->remote[w].load(std::memory_order_acquire);
    std::uint64_t dead = owing & ~live[w];
    if (dead == 0) continue;
    // relaxed: only live objects may be constructed just now, and those bits stay.
    s->remote[w].fetch_and(~dead, std::memory_order_relaxed);
    for (; dead != 0; dead &= dead - 1) {
      const std::size_t slot = w * 64 + static_cast<std::size_t>(std::countr_zero(dead));
      destroy(type, s->address({slot}), poison);
    }
  }
}

void poison_slots(const mspan* s, std::size_t w, std::uint64_t slots) {
  for (; slots != 0; slots &= slots - 1) {
    const std::size_t slot = w * 64 + static_cast<std::size_t>(std::countr_zero(slots));
    std::memset(pointer_to(s->address({slot})), poison_byte, s->slot_size);
  }
}

swept sweep_large(mspan* s, bool poison) {
  const std::uintptr_t object = s->base;
  if (object_map::is_marked(object)) {
    // relaxed: marking has ended, and the bit's word is this span's alone.
    object_map::mark_word(object).fetch_and(~object_map::mark_bit(object), std::memory_order_relaxed);
    return {1, 0};
  }
  const space& home = space_of(s);
  // acquire: pairs with the release in constructed.
  if (home.destroys && s->remote[0].load(std::memory_order_acquire) != 0) {
    const destroying here(*home.layout);
    destroy(*home.layout, object, poison);
  }
  return {0, 1};
}

void give_back(mspan* s, bool large, span_stock* stock) {
  s->space = nullptr;
  s->owner.store(span_owner::nobody, std::memory_order_relaxed);  // relaxed: late readers only stay away
  if (large) return alloc::heap.free_large(s);
  for (std::size_t w = 0; w < words_per_span; ++w) s->remote[w].store(0, std::memory_order_relaxed);  // relaxed: ours
  alloc::heap.free_span(s, stock);
}

// The span that an address lies in. The index knows only the pages on which a slot begins, so those before it are
// asked.
const mspan* span_around(std::uintptr_t address) {
  for (std::size_t page = window.page_of(address).value;; --page) {
    const mspan* s = window.span_of({page});
    if (s != &no_span || page == 0) return s;
  }
}

}  // namespace

mspan* space::take_partial(std::uint32_t known) {
  const lock_guard guard(lock);
  return known == epoch || is_planted(fault::span_before_answer) ? partial.pop_front() : nullptr;
}

mspan* space::take_unswept(std::uint32_t known) {
  const lock_guard guard(lock);
  return known == epoch || is_planted(fault::span_before_answer) ? unswept.pop_front() : nullptr;
}

void space::put(mspan* s, std::uint32_t known) {
  const bool has_room = !is_large() && s->any_free();
  const lock_guard guard(lock);
  const bool late = known != epoch && !is_planted(fault::swept_across_epochs);
  (late ? unswept : has_room ? partial : full).push_back(s);
}

void space::begin_sweep() {
  const lock_guard guard(lock);
  UMBER_DCHECK(unswept.empty());  // [space.3]
  ++epoch;
  unswept.append(partial);
  unswept.append(full);
}

void space::link(mspan* s) {
  const lock_guard guard(lock);
  s->heap_previous = nullptr;
  s->heap_next = all_spans;
  if (all_spans != nullptr) all_spans->heap_previous = s;
  all_spans = s;
}

void space::unlink(mspan* s) {
  const lock_guard guard(lock);
  (s->heap_previous != nullptr ? s->heap_previous->heap_next : all_spans) = s->heap_next;
  if (s->heap_next != nullptr) s->heap_next->heap_previous = s->heap_previous;
  s->heap_next = s->heap_previous = nullptr;
}

mspan* make_span(space& home, span_stock& stock, std::size_t bytes, page_word word) {
  auto* const managed = pointer_to<span_home>(span_owner::managed);
  const bool large = home.is_large();
  mspan* s = large ? alloc::heap.allocate_large(bytes, page_size) : alloc::heap.allocate_span(home.cls, managed, stock);
  if (s == nullptr) return nullptr;
  s->owner.store(span_owner::managed, std::memory_order_relaxed);  // relaxed: nobody has an object of it yet
  s->space = &home;
  if (!object_map::cover(s->run.end())) {
    give_back(s, large, &stock);
    return nullptr;
  }
  if (large) {
    s->remote[0].store(0, std::memory_order_relaxed);  // relaxed: ours
    object_map::set_words({s->run.first, {1}}, word);
  } else {
    object_map::set_words(s->run, home.word);
  }
  home.link(s);
  return s;
}

void free_span(mspan* s, span_stock* stock) {
  space& home = space_of(s);
  const bool large = home.is_large();
  home.unlink(s);
  object_map::set_words(s->run, {});
  give_back(s, large, stock);
}

swept sweep_span(mspan* s, bool poison) {
  const space& home = space_of(s);
  if (home.is_large()) return sweep_large(s, poison);
  std::uint64_t live[words_per_span] = {};
  swept result;
  find_live(s, live);
  if (is_planted(fault::sweep_marked_slot)) live[0] &= live[0] - 1;
  if (home.destroys) destroy_dead(s, live, poison);
  for (std::size_t w = 0; w < s->words(); ++w) {
    const std::uint64_t all = s->slot_bits(w);
    const std::uint64_t before = s->free[w].load(std::memory_order_relaxed);  // relaxed, both: ours
    result.live += bitmap::count(live[w]);
    result.freed += bitmap::count(all & ~live[w] & ~before);
    if (poison) poison_slots(s, w, all & ~live[w] & ~before);
    s->free[w].store(all & ~live[w], std::memory_order_relaxed);
  }
  clear_marks(s);
  return result;
}

namespace {

template <class Change>
void for_each_packed_word(const mspan* s, std::size_t w, std::uint64_t slots, Change change) {
  const unsigned log2 = log2_granules(s), in_a_word = 64u >> log2;
  std::atomic<std::uint64_t>* word = &object_map::mark_word(s->address({w * 64}));
  for (;; ++word) {
    std::uint64_t bits = slots & bitmap::mask(0, in_a_word);
    for (unsigned n = 0; n < log2; ++n) bits = spread(bits);
    if (bits != 0) change(*word, bits);
    if (in_a_word == 64 || (slots >>= in_a_word) == 0) return;
  }
}

// Calls change(word, bits) for each mark word in which slots of word w have their marks.
template <class Change>
void for_each_mark_word(const mspan* s, std::size_t w, std::uint64_t slots, Change change) {
  if (is_packed(s)) return for_each_packed_word(s, w, slots, change);
  std::atomic<std::uint64_t>* const marks = object_map::marks();
  std::size_t word = 0;
  std::uint64_t bits = 0;
  for (; slots != 0; slots &= slots - 1) {
    const std::size_t slot = w * 64 + static_cast<std::size_t>(std::countr_zero(slots));
    const std::size_t granule = object_map::granule_of(s->address({slot}));
    if (granule / 64 != word && bits != 0) change(marks[word], bits);
    if (granule / 64 != word) bits = 0;
    word = granule / 64;
    bits |= std::uint64_t{1} << granule % 64;
  }
  if (bits != 0) change(marks[word], bits);
}

}  // namespace

std::uintptr_t object_around(std::uintptr_t address) {
  if (!window.contains(address)) return 0;
  const mspan* s = span_around(address);
  // acquire: pairs with whoever made the span managed.
  if (s->owner.load(std::memory_order_acquire) != span_owner::managed || s->space == nullptr || address < s->base)
    return 0;
  if (address >= window.address(s->run.end())) return 0;
  if (space_of(s).is_large()) return s->base;
  const std::size_t slot = (address - s->base) / s->slot_size;
  return slot < s->slots ? s->address({slot}) : 0;
}

void mark_slots(const mspan* s, std::size_t w, std::uint64_t slots) {
  for_each_mark_word(s, w, slots, [](std::atomic<std::uint64_t>& word, std::uint64_t bits) {
    word.fetch_or(bits, std::memory_order_relaxed);  // relaxed: as all marks
  });
}

void unmark_slots(const mspan* s, std::size_t w, std::uint64_t slots) {
  for_each_mark_word(s, w, slots, [](std::atomic<std::uint64_t>& word, std::uint64_t bits) {
    word.fetch_and(~bits, std::memory_order_relaxed);  // relaxed: as all marks
  });
}

}  // namespace umber::gc

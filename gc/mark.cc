#include "mark.h"

#include "alloc/bitmap.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace umber::gc {

namespace {

void* read_slot(std::uintptr_t slot) {
  // acquire: pairs with the release of the store; the object is seen as it was made.
  return pointer_to<const std::atomic<void*>>(slot)->load(std::memory_order_acquire);
}

// The last of an object's pointers that are in the mask.
std::uintptr_t slot_of_lowest(std::uintptr_t object, std::uint64_t mask) {
  return object + (63u - static_cast<std::uint32_t>(__builtin_ctzll(mask))) * sizeof(void*);
}

std::size_t slot_size_of(page_word word) {
  switch (word.kind()) {
    case page_kind::masked:
      return word.masked_size();
    case page_kind::typed:
      return word.layout()->size;
    case page_kind::noscan:
    case page_kind::array:
      return word.slot_size();
    case page_kind::nothing:
      break;
  }
  return 0;
}

}  // namespace

void marker::use_chunk(work_chunk* chunk) {
  chunk_ = chunk;
  r_.floor = chunk->items;
  r_.top = chunk->items + chunk->count;
  r_.full = chunk->items + work_chunk::capacity - page_word::mask_words + 1;
}

// Gives the chunk away, with what is in it.
void marker::put_chunk() {
  if (chunk_ == nullptr) return;
  chunk_->count = static_cast<std::size_t>(r_.top - r_.floor);
  if (chunk_->count != 0)
    heap_.work.publish(chunk_);
  else
    heap_.work.drop_chunk(chunk_);
  chunk_ = nullptr;
  r_.top = r_.floor = r_.full = nullptr;
}

bool marker::new_chunk() {
  put_chunk();
  work_chunk* fresh = heap_.work.make_chunk();
  if (fresh == nullptr) return false;
  use_chunk(fresh);
  return true;
}

// There is no memory for a candidate: it is marked, and its fields are read when all marked objects are looked at
// again. Only what was not marked before asks for that, or it would never end.
void marker::mark_for_rescan(std::uintptr_t object) {
  if (object_map::mark(object)) heap_.rescan.store(true, std::memory_order_relaxed);  // relaxed: read by mark_all
}

bool marker::take_chunk() {
  work_chunk* other = heap_.work.take();
  if (other == nullptr) return false;
  put_chunk();
  use_chunk(other);
  took_work_ = true;
  return true;
}

void marker::share() {
  constexpr std::size_t worth_sharing = 4;
  const auto count = static_cast<std::size_t>(r_.top - r_.floor);
  if (count < worth_sharing || !heap_.work.empty()) return;
  work_chunk* other = heap_.work.make_chunk();
  if (other == nullptr) return;
  std::size_t half = count / 2;
  if ((chunk_->items[half] & 1) != 0) ++half;  // [work.1]
  other->count = half;
  std::memcpy(other->items, chunk_->items, half * sizeof(chunk_->items[0]));
  std::memmove(chunk_->items, chunk_->items + half, (count - half) * sizeof(chunk_->items[0]));
  r_.top -= half;
  heap_.work.publish(other);
}

void marker::push(registers& r, std::uintptr_t item) {
  if (UMBER_UNLIKELY(r.top >= r.full)) {
    r_ = r;
    const bool has_room = new_chunk();
    r = r_;
    if (!has_room) return mark_for_rescan(item);
  }
  *r.top++ = item;
}

void marker::add(std::uintptr_t object) {
  if (object != 0) push(r_, object);
}

// Puts the object into the ring and takes the oldest out; false if there is still room for more.
bool marker::delay(registers& r, std::uintptr_t& object, page_word& word) {
  __builtin_prefetch(&object_map::mark_word(object), 1);
  if (word.kind() != page_kind::noscan) __builtin_prefetch(pointer_to(object));
  delayed& place = ring_[(r.next + r.waiting) % ring_size];
  if (r.waiting < ring_size) {
    place = {object, word};
    ++r.waiting;
    return false;
  }
  const delayed oldest = place;
  place = {object, word};
  r.next = (r.next + 1) % ring_size;
  object = oldest.object;
  word = oldest.word;
  return true;
}

void marker::take_delayed(registers& r, std::uintptr_t& object, page_word& word) {
  object = ring_[r.next].object;
  word = ring_[r.next].word;
  r.next = (r.next + 1) % ring_size;
  --r.waiting;
}

void marker::write_marks(registers& r) {
  const std::uint64_t fresh = r.marks ^ r.written;
  if (fresh == 0) return;
  r.word->fetch_or(fresh, std::memory_order_relaxed);  // relaxed: as all marks (object.h)
  r.written = r.marks;
  r.bytes += r.count * r.slot_size;
  r.objects += r.count;
  r.count = 0;
}

void marker::show_marks() { write_marks(r_); }

void marker::publish() {
  std::uintptr_t object;
  page_word word;
  while (r_.waiting != 0) {
    take_delayed(r_, object, word);
    if (!is_planted(fault::ring_forgotten)) push(r_, object);
  }
  write_marks(r_);
  put_chunk();
  // relaxed: figures, read when all markers have stopped.
  heap_.marked_bytes.fetch_add(r_.bytes, std::memory_order_relaxed);
  heap_.marked_objects.fetch_add(r_.objects, std::memory_order_relaxed);
  r_.bytes = r_.objects = 0;
}

std::size_t marker::drain(std::size_t most) {
  registers r = r_;
  // relaxed: what is overlooked does no harm.
  r.looks_twice = heap_.looks_twice.load(std::memory_order_relaxed);
  const std::size_t bytes_before = r.bytes;
  std::uintptr_t last = 0, in_hand = 0;
  for (; most != 0; --most) {
    std::uintptr_t object = in_hand;
    page_word word;
    in_hand = 0;
    if (object == 0) {
      if (UMBER_UNLIKELY(r.top == r.floor)) {
        if (r.waiting != 0) {
          take_delayed(r, object, word);
          in_hand = look_at(r, object, word, most);
          continue;
        }
        r_ = r;
        if (!take_chunk()) break;
        r = r_;
        continue;
      }
      object = *--r.top;
      if (UMBER_UNLIKELY((object & 1) != 0)) {
        r_ = r;
        scan_piece(object & ~std::uintptr_t{1});
        r = r_;
        most -= std::min(most - 1, piece_bytes / bytes_like_an_object);
        continue;
      }
    }
    word = object_map::word_of(object);
    // A stream: the hardware follows it, but not past the end of a page.
    if (object - last + near < 2 * near)
      __builtin_prefetch(pointer_to(object + prefetch_distance));
    else if (!delay(r, object, word))
      continue;
    last = object;
    in_hand = look_at(r, object, word, most);
  }
  if (in_hand != 0) *r.top++ = in_hand;  // there is room: it was a field of an object for all of whose there was
  r_ = r;
  return r.bytes - bytes_before;
}

// Marks the object; false if it was marked before.
bool marker::mark(registers& r, std::uintptr_t object, page_word page) {
  std::atomic<std::uint64_t>* const word = &object_map::mark_word(object);
  if (word != r.word) {
    write_marks(r);
    r.word = word;
    r.written = r.marks = word->load(std::memory_order_relaxed);  // relaxed: as all marks
    r.slot_size = slot_size_of(page);
  }
  if (set_bit(r.marks, object / object_map::granule)) return false;
  ++r.count;
  return true;
}

// Gives the first of its children, which is taken next, or null; the others are queued. What takes long is taken off
// `most`.
std::uintptr_t marker::look_at(registers& r, std::uintptr_t object, page_word word, std::size_t& most) {
  if (UMBER_UNLIKELY(r.looks_twice)) {
    r_ = r;
    look_twice(object);
    r = r_;
  }
  if (!mark(r, object, word)) return 0;
  if (UMBER_LIKELY(word.is_masked())) return scan_masked(r, object, word.mask());
  if (word.kind() == page_kind::noscan) {
    if (is_planted(fault::noscan_touched)) static_cast<void>(read_slot(object));
    return 0;
  }
  r_ = r;
  most -= std::min(most - 1, scan(object, word));
  r = r_;
  return 0;
}

void marker::look_twice(std::uintptr_t object) {
  if (heap_.has_neighbours) check_owner(object);
  if (!heap_.ephemerons.is_watched() || is_planted(fault::ephemerons_not_watched)) return;
  write_marks(r_);  // one of them may be what an entry waits for, too
  if (object_map::is_marked(object)) return;
  const std::size_t looked_at = heap_.ephemerons.found(object, [&](std::uintptr_t value) { push(r_, value); });
  if (looked_at != 0) heap_.entries_looked_at.fetch_add(looked_at, std::memory_order_relaxed);  // relaxed: a figure
}

// Where there are several heaps: a pointer into another one would be marked there.
void marker::check_owner(std::uintptr_t object) const {
  if (heap_.owns(span_of(object))) return;
  die_misuse("collect", pointer_to(object), "is an object of another heap, held by a field or handle of this one");
}

void marker::mark_fields_for_rescan(std::uintptr_t object, std::uint64_t mask) {
  for (; mask != 0; mask &= mask - 1) {
    const std::uintptr_t child = address_of(read_slot(slot_of_lowest(object, mask)));
    if (child != 0) mark_for_rescan(child);
  }
}

// From the last field to the first, which it gives; there is one. (Writing nulls too and not counting them spares a
// branch that is often mispredicted, and is slower: the next candidate then waits for this one's memory.)
std::uintptr_t marker::scan_masked(registers& r, std::uintptr_t object, std::uint64_t mask) {
  UMBER_DCHECK(mask != 0);
  if (UMBER_UNLIKELY(r.top >= r.full)) {
    r_ = r;
    const bool has_room = new_chunk();
    r = r_;
    if (!has_room) {
      mark_fields_for_rescan(object, mask);
      return 0;
    }
  }
  for (;;) {
    const std::uintptr_t child = address_of(read_slot(slot_of_lowest(object, mask)));
    mask &= mask - 1;
    if (mask == 0) return child;
    if (child != 0) *r.top++ = child;
  }
}

// How many objects of the usual size it was like.
std::size_t marker::scan(std::uintptr_t object, page_word word) {
  switch (word.kind()) {
    case page_kind::noscan:
      return 0;
    case page_kind::masked:
      scan_all_masked(object, word.mask());
      return 0;
    case page_kind::typed:
    case page_kind::array:
      return scan_elements(object, elements::of(object, word));
    case page_kind::nothing:
      break;
  }
  die_misuse("collect", pointer_to(object), "is held by a field or handle, and is no managed object");
}

void marker::scan_all_masked(std::uintptr_t object, std::uint64_t mask) {
  if (const std::uintptr_t first = scan_masked(r_, object, mask); first != 0) *r_.top++ = first;
}

void marker::visit_slot(void* self, const void* slot) {
  static_cast<marker*>(self)->add(address_of(read_slot(address_of(slot))));
}

// It may be something else by now, which can look like any address. An object that was there when the barrier went on
// may be marked, whatever refers to it; a slot that is free must not, and one made since then need not be: the barrier
// has recorded what was stored of it, or it is black.
void marker::visit_overlaid(void* self, const void* slot) {
  auto* const m = static_cast<marker*>(self);
  const std::uintptr_t value = address_of(read_slot(address_of(slot)));
  if (value == 0 || object_around(value) != value) return;
  const mspan* s = span_of(value);
  const slot_id slot_there{s->slot_size == 0 ? 0 : (value - s->base) / s->slot_size};
  if (m->heap_.owns(s) && !s->is_free(slot_there)) m->add(value);
}

void marker::scan_typed(std::uintptr_t object, const type_layout& layout) {
  if (layout.trace != nullptr) {
    visitor visit(visit_slot, this, 0, UINTPTR_MAX, visit_overlaid);
    return layout.trace(pointer_to(object), visit);
  }
  for (std::uint32_t i = layout.pointer_count; i-- > 0;)
    add(address_of(read_slot(object + layout.pointers[i] * sizeof(void*))));
}

// The slots among the bytes [first, end) of an object. What a `trace` shows outside of its object is looked at as well,
// once: with the first part of it, or with the last.
void marker::scan_part(std::uintptr_t object, std::size_t first, std::size_t end, const type_layout& layout) {
  if (first == 0 && end == layout.size) return scan_typed(object, layout);
  if (layout.trace != nullptr) {
    visitor visit(visit_slot, this, first == 0 ? 0 : object + first, end == layout.size ? UINTPTR_MAX : object + end,
                  visit_overlaid);
    return layout.trace(pointer_to(object), visit);
  }
  const std::uint32_t* const all = layout.pointers;
  const std::uint32_t* const all_end = all + layout.pointer_count;
  const std::uint32_t* const begin = std::lower_bound(all, all_end, first / sizeof(void*));
  for (const std::uint32_t* p = std::lower_bound(begin, all_end, end / sizeof(void*)); p-- != begin;)
    add(address_of(read_slot(object + *p * sizeof(void*))));
}

// From the last to the first, which is then the newest candidate. A part of an element only where these are large.
void marker::scan_range(const elements& all, std::size_t first, std::size_t end) {
  const type_layout& layout = *all.layout;
  const std::size_t size = layout.size;
  if (size > piece_bytes) {
    for (std::size_t rest = end; rest > first;) {
      const std::size_t element = (rest - 1) / size * size;
      const std::size_t from = std::max(first, element);
      scan_part(all.begin + element, from - element, rest - element, layout);
      rest = from;
    }
  } else if (!layout.all_in_mask || layout.trace != nullptr) {
    for (std::size_t at = end; at > first; at -= size) scan_typed(all.begin + at - size, layout);
  } else {
    for (std::size_t at = end; at > first; at -= size) scan_all_masked(all.begin + at - size, layout.mask);
  }
}

marker::elements marker::elements::of(std::uintptr_t object, page_word word) {
  if (word.kind() == page_kind::typed) return {object, word.layout()->size, word.layout()};
  const array_header header = array_header::of(object);
  const type_layout* layout = layout_of(header.element_id());
  return {object + header.bytes(), header.length() * layout->size, layout};
}

bool marker::elements::in_pieces() const {
  const bool few_fields =
      bytes == layout->size && layout->trace == nullptr && layout->pointer_count <= piece_bytes / sizeof(void*);
  return bytes > piece_bytes && !few_fields;
}

// How many objects of the usual size it was like.
std::size_t marker::scan_elements(std::uintptr_t object, const elements& all) {
  if (all.in_pieces() && push_piece(object, 0)) return 0;
  scan_range(all, 0, all.bytes);
  return all.bytes / bytes_like_an_object;
}

// What comes after the first bytes is still to be scanned. False: no memory.
bool marker::push_piece(std::uintptr_t object, std::size_t first) {
  if (r_.top >= r_.full && !new_chunk()) return false;
  *r_.top++ = first << 1;  // even: only addresses of pieces are odd
  *r_.top++ = object | 1;
  return true;
}

void marker::scan_piece(std::uintptr_t object) {
  const std::size_t first = *--r_.top >> 1;
  const elements all = elements::of(object, object_map::word_of(object));
  const std::size_t size = all.layout->size;
  const std::size_t length = size > piece_bytes ? piece_bytes : (piece_bytes / size + 1) * size;
  std::size_t end = std::min(first + length, all.bytes);
  if (end != all.bytes && !is_planted(fault::piece_lost) && !push_piece(object, end)) end = all.bytes;
  scan_range(all, first, end);
}

void marker::rescan() {
  const std::size_t pages = window.pages.load(std::memory_order_acquire);  // pairs with the release in grow
  for (std::size_t page = 0; page < pages; ++page) {
    const mspan* s = window.span_of({page});
    // acquire: pairs with whoever made the span managed.
    if (s->run.first.value != page || s->owner.load(std::memory_order_acquire) != span_owner::managed) continue;
    if (!heap_.owns(s)) continue;
    std::atomic_thread_fence(std::memory_order_acquire);  // pairs with the release in next_word
    for (std::size_t slot = 0; slot < s->slots; ++slot) {
      const std::uintptr_t object = s->address({slot});
      // What is at hand of a mutator is marked and holds nothing; what is new there is black (mutator.h).
      if (object_map::is_marked(object) && !s->is_free({slot})) scan(object, object_map::word_of(object));
      if (r_.top - r_.floor > static_cast<std::ptrdiff_t>(work_chunk::capacity / 2)) drain(SIZE_MAX);
    }
  }
}

}  // namespace umber::gc

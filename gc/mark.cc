#include "mark.h"

#include <bit>
#include <cstring>

namespace umber::gc {

namespace {

void* read_slot(std::uintptr_t slot) {
  // acquire: pairs with the release of the store; the object is seen as it was made.
  return pointer_to<const std::atomic<void*>>(slot)->load(std::memory_order_acquire);
}

}  // namespace

bool marker::new_chunk(std::uintptr_t item) {
  if (chunk_ != nullptr) heap_.work.publish(chunk_);
  chunk_ = heap_.work.make_chunk();
  if (chunk_ != nullptr) return true;
  object_map::mark(item & ~std::uintptr_t{1});
  heap_.rescan.store(true, std::memory_order_relaxed);  // relaxed: read when all markers have stopped
  return false;
}

bool marker::take_chunk() {
  work_chunk* other = heap_.work.take();
  if (other == nullptr) return false;
  if (chunk_ != nullptr) heap_.work.drop_chunk(chunk_);
  chunk_ = other;
  took_work_ = true;
  return true;
}

void marker::share() {
  constexpr std::size_t worth_sharing = 4;
  if (chunk_ == nullptr || chunk_->count < worth_sharing || !heap_.work.empty()) return;
  work_chunk* other = heap_.work.make_chunk();
  if (other == nullptr) return;
  std::size_t half = chunk_->count / 2;
  if ((chunk_->items[half] & 1) != 0) ++half;  // [work.1]
  other->count = half;
  std::memcpy(other->items, chunk_->items, half * sizeof(chunk_->items[0]));
  chunk_->count -= half;
  std::memmove(chunk_->items, chunk_->items + half, chunk_->count * sizeof(chunk_->items[0]));
  heap_.work.publish(other);
}

void marker::publish() {
  std::uintptr_t object;
  page_word word;
  while (take_delayed(object, word))
    if (!is_planted(fault::ring_forgotten)) push(object);
  write_marks();
  if (chunk_ != nullptr) {
    if (chunk_->count != 0)
      heap_.work.publish(chunk_);
    else
      heap_.work.drop_chunk(chunk_);
  }
  chunk_ = nullptr;
  // relaxed: figures, read when all markers have stopped.
  heap_.marked_bytes.fetch_add(bytes_, std::memory_order_relaxed);
  heap_.marked_objects.fetch_add(objects_, std::memory_order_relaxed);
  bytes_ = objects_ = 0;
}

// Puts the object into the ring and takes the oldest out; false if there is still room for more.
bool marker::delay(std::uintptr_t& object, page_word& word) {
  __builtin_prefetch(&object_map::mark_word(object), 1);
  if (word.kind() != page_kind::noscan) __builtin_prefetch(pointer_to(object));
  delayed& place = ring_[(next_ + waiting_) % ring_size];
  if (waiting_ < ring_size) {
    place = {object, word};
    ++waiting_;
    return false;
  }
  const delayed oldest = place;
  place = {object, word};
  next_ = (next_ + 1) % ring_size;
  object = oldest.object;
  word = oldest.word;
  return true;
}

bool marker::take_delayed(std::uintptr_t& object, page_word& word) {
  if (waiting_ == 0) return false;
  object = ring_[next_].object;
  word = ring_[next_].word;
  next_ = (next_ + 1) % ring_size;
  --waiting_;
  return true;
}

std::size_t marker::drain(std::size_t most) {
  const std::size_t bytes_before = bytes_;
  std::uintptr_t last = 0;
  for (std::size_t looked = 0; looked < most; ++looked) {
    std::uintptr_t object;
    page_word word;
    if (UMBER_LIKELY(chunk_ != nullptr && chunk_->count != 0)) {
      object = chunk_->items[--chunk_->count];
      if (UMBER_UNLIKELY((object & 1) != 0)) {
        scan_piece(object & ~std::uintptr_t{1});
        continue;
      }
      word = object_map::word_of(object);
      const bool is_near = object - last + near < 2 * near;
      last = object;
      // A stream: the hardware follows it, but not past the end of a page.
      if (is_near)
        __builtin_prefetch(pointer_to(object + prefetch_distance));
      else if (!delay(object, word))
        continue;
    } else if (waiting_ != 0) {
      take_delayed(object, word);
    } else if (take_chunk()) {
      continue;
    } else {
      break;
    }
    look_at(object, word);
  }
  return bytes_ - bytes_before;
}

void marker::write_marks() {
  // relaxed: as all marks (object.h).
  if (fresh_ != 0) word_->fetch_or(fresh_, std::memory_order_relaxed);
  fresh_ = 0;
  word_ = nullptr;
}

// Marks the object; false if it was marked before.
bool marker::mark(std::uintptr_t object) {
  std::atomic<std::uint64_t>* const word = &object_map::mark_word(object);
  const std::uint64_t bit = object_map::mark_bit(object);
  if (word != word_) {
    write_marks();
    word_ = word;
    known_ = word->load(std::memory_order_relaxed);  // relaxed: as all marks
  }
  if ((known_ & bit) != 0) return false;
  known_ |= bit;
  fresh_ |= bit;
  return true;
}

void marker::look_at(std::uintptr_t object, page_word word) {
  if (UMBER_UNLIKELY(heap_.has_neighbours)) check_owner(object);
  if (!mark(object)) return;
  ++objects_;
  if (UMBER_LIKELY(word.kind() == page_kind::masked)) {
    bytes_ += word.masked_size();
    return scan_masked(object, word.mask());
  }
  scan(object, word);
}

// Where there are several heaps: a pointer into another one would be marked there.
void marker::check_owner(std::uintptr_t object) const {
  if (heap_.owns(span_of(object))) return;
  die_misuse("collect", pointer_to(object), "is an object of another heap, held by a field or handle of this one");
}

// From the last field to the first, so that the first is taken next.
void marker::scan_masked(std::uintptr_t object, std::uint64_t mask) {
  while (mask != 0) {
    const auto i = static_cast<std::size_t>(63 - std::countl_zero(mask));
    mask ^= std::uint64_t{1} << i;
    add(address_of(read_slot(object + i * sizeof(void*))));
  }
}

void marker::scan(std::uintptr_t object, page_word word) {
  switch (word.kind()) {
    case page_kind::noscan:
      bytes_ += word.slot_size();
      return;
    case page_kind::masked:
      return scan_masked(object, word.mask());
    case page_kind::typed:
      bytes_ += word.layout()->size;
      return scan_typed(object, *word.layout());
    case page_kind::array:
      bytes_ += word.slot_size();
      return scan_array(object);
    case page_kind::nothing:
      break;
  }
  die_misuse("collect", pointer_to(object), "is held by a field or handle, and is no managed object");
}

void marker::visit_slot(void* self, const void* slot) {
  static_cast<marker*>(self)->add(address_of(read_slot(address_of(slot))));
}

void marker::scan_typed(std::uintptr_t object, const type_layout& layout) {
  if (layout.trace != nullptr) {
    visitor visit(visit_slot, this);
    return layout.trace(pointer_to(object), visit);
  }
  for (std::uint32_t i = layout.pointer_count; i-- > 0;)
    add(address_of(read_slot(object + layout.pointers[i] * sizeof(void*))));
}

void marker::scan_array(std::uintptr_t object) {
  const array_header header = array_header::of(object);
  const type_layout& layout = *layout_of(header.element_id());
  const std::size_t per_piece = words_per_piece * sizeof(void*) / layout.size + 1;
  if (header.length() <= per_piece) return scan_elements(object, 0, header.length(), layout);
  push_piece(object, 0);
}

void marker::push_piece(std::uintptr_t object, std::size_t first) {
  if ((chunk_ == nullptr || !chunk_->has_room(2)) && !new_chunk(object)) return;
  chunk_->items[chunk_->count++] = first << 1;  // even: only addresses of pieces are odd
  chunk_->items[chunk_->count++] = object | 1;
}

void marker::scan_piece(std::uintptr_t object) {
  const std::size_t first = chunk_->items[--chunk_->count] >> 1;
  const array_header header = array_header::of(object);
  const type_layout& layout = *layout_of(header.element_id());
  const std::size_t end = first + words_per_piece * sizeof(void*) / layout.size + 1;
  const bool is_last = end >= header.length();
  if (!is_last && !is_planted(fault::array_piece_lost)) push_piece(object, end);
  scan_elements(object, first, is_last ? header.length() : end, layout);
}

void marker::scan_elements(std::uintptr_t object, std::size_t first, std::size_t end, const type_layout& layout) {
  const std::uintptr_t elements = object + array_header::of(object).bytes();
  if (!layout.all_in_mask || layout.trace != nullptr) {
    for (std::size_t i = end; i-- > first;) scan_typed(elements + i * layout.size, layout);
    return;
  }
  for (std::size_t i = end; i-- > first;) scan_masked(elements + i * layout.size, layout.mask);
}

void marker::rescan() {
  const std::size_t pages = window.pages.load(std::memory_order_acquire);  // pairs with the release in grow
  for (std::size_t page = 0; page < pages; ++page) {
    const mspan* s = window.span_of({page});
    // acquire: pairs with whoever made the span managed.
    if (s->run.first.value != page || s->owner.load(std::memory_order_acquire) != span_owner::managed) continue;
    if (!heap_.owns(s)) continue;
    for (std::size_t slot = 0; slot < s->slots; ++slot) {
      const std::uintptr_t object = s->address({slot});
      // What is at hand of a mutator is marked and holds nothing; what is new there is black (mutator.h).
      if (object_map::is_marked(object) && !s->is_free({slot})) scan(object, object_map::word_of(object));
      if (chunk_ != nullptr && chunk_->count > work_chunk::capacity / 2) drain(SIZE_MAX);
    }
  }
}

}  // namespace umber::gc

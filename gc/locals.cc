#include "locals.h"

#include "alloc/metadata.h"

namespace umber::gc {

namespace {

void* gap() { return pointer_to(1); }
void* floor_value() { return pointer_to(3); }

local_chunk* make_chunk(local_chunk* previous) {
  auto* chunk = static_cast<local_chunk*>(metadata::allocate(sizeof(local_chunk)));
  if (chunk == nullptr) return nullptr;
  chunk->previous = previous;
  chunk->number = previous == nullptr ? 0 : previous->number + 1;
  chunk->slots[0] = floor_value();
  return chunk;
}

}  // namespace

bool local_stack::open(detail::mutator_state& m) {
  if (first_ == nullptr) first_ = make_chunk(nullptr);
  if (first_ == nullptr) return false;
  use(m, first_, 0);
  return true;
}

void local_stack::use(detail::mutator_state& m, local_chunk* chunk, std::size_t last) {
  last_ = chunk;
  m.top = chunk->slots + last;
  m.limit = chunk->slots + local_chunk::capacity;
}

void** local_stack::push(detail::mutator_state& m, void* object) {
  void** slot;
  if (gaps_ > (last_->number + 1) * local_chunk::capacity / 2) {
    slot = next_gap();
    --gaps_;
  } else {
    if (last_->next == nullptr) last_->next = make_chunk(last_);
    if (last_->next == nullptr) return nullptr;
    use(m, last_->next, 1);
    slot = m.top;
  }
  *slot = object;
  return slot;
}

// There is one.
void** local_stack::next_gap() {
  for (;;) {
    if (searched_ == nullptr || searched_->number > last_->number) {
      searched_ = first_;
      searched_to_ = 0;
    }
    while (searched_to_ < local_chunk::capacity)
      if (void** slot = &searched_->slots[++searched_to_]; *slot == gap()) return slot;
    searched_ = searched_->next;
    searched_to_ = 0;
  }
}

void local_stack::pop(detail::mutator_state& m, void** slot) {
  if (slot != m.top) {
    *slot = gap();
    ++gaps_;
    return;
  }
  for (--m.top; is_odd(*m.top);) {
    if (*m.top == gap()) {
      --m.top;
      --gaps_;
    } else if (last_->previous != nullptr) {
      use(m, last_->previous, local_chunk::capacity);
    } else {
      return;
    }
  }
}

}  // namespace umber::gc

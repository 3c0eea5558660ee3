#include "locals.h"

#include "alloc/metadata.h"

#include <algorithm>

namespace umber::gc {

namespace {

std::uintptr_t link_to(void** slot) { return address_of(slot) | 1; }

// All slots of the chunk free, in their order, and after them `next`. The link to the first.
std::uintptr_t free_all(local_chunk& chunk, std::uintptr_t next) {
  for (std::size_t i = local_chunk::capacity; i-- > 0;) {
    chunk.slots[i] = pointer_to(next);
    next = link_to(&chunk.slots[i]);
  }
  return next;
}

}  // namespace

bool local_slots::open(detail::mutator_state& m) {
  if (first_ == nullptr) first_ = static_cast<local_chunk*>(metadata::allocate(sizeof(local_chunk)));
  if (first_ == nullptr) return false;
  last_ = first_;
  m.free_local = free_all(*first_, detail::no_local);
  return true;
}

bool local_slots::holds_nothing(const local_chunk& chunk) {
  return std::all_of(chunk.slots, chunk.slots + local_chunk::capacity, is_free);
}

bool local_slots::are_empty() const {
  const local_chunk* chunk = first_;
  while (chunk != last_ && holds_nothing(*chunk)) chunk = chunk->next;
  return holds_nothing(*chunk);
}

std::size_t local_slots::capacity() const {
  std::size_t slots = local_chunk::capacity;
  for (const local_chunk* chunk = first_; chunk != last_; chunk = chunk->next) slots += local_chunk::capacity;
  return slots;
}

void** local_slots::take_more(detail::mutator_state& m, void* object) {
  if (last_->next == nullptr) last_->next = static_cast<local_chunk*>(metadata::allocate(sizeof(local_chunk)));
  if (last_->next == nullptr) return nullptr;
  last_ = last_->next;
  m.free_local = free_all(*last_, detail::no_local);
  return detail::next_local(&m, object);
}

void local_slots::sort(detail::mutator_state& m) {
  local_chunk* held = first_;
  std::uintptr_t first = detail::no_local;
  void** last = nullptr;  // of the free slots so far, up to which chunk something is held
  for (local_chunk* chunk = first_;; chunk = chunk->next) {
    if (!holds_nothing(*chunk)) held = chunk;
    if (chunk == last_) break;
  }
  last_ = held;
  for (local_chunk* chunk = first_;; chunk = chunk->next) {
    for (void*& slot : chunk->slots) {
      if (!is_free(slot)) continue;
      (last == nullptr ? first : *reinterpret_cast<std::uintptr_t*>(last)) = link_to(&slot);
      last = &slot;
    }
    if (chunk == last_) break;
  }
  if (last != nullptr) *last = pointer_to(detail::no_local);
  m.free_local = first;
}

}  // namespace umber::gc

// The stack of a thread's locals: what they hold, in slots that the collector reads from end to end.
//
// A local takes the next slot when it is made, and gives the last one back when it is destroyed: a handful of
// instructions each, inlined (handle.h), and the local itself can stay in registers. Locals may be destroyed in any
// order. A slot that is not the last then becomes a gap; when those after it are gone, the gaps go with them.
//
// Slots are in chunks. Each begins with a floor. Floors and gaps are odd, objects never are: so one test, of the slot
// before, tells the inlined code that the last one may simply be dropped.
//
//     | floor | object | object | gap | object |     top ----> the last in use; equal to limit: the chunk is full
//
// Locals that live long and are destroyed oldest first (a queue of them) would leave gaps for ever. So when the last
// chunk is full and most slots are gaps, gaps are used again before there is another chunk.
//
// Invariants
//   [locals.1] every local has a slot of its own, between the first floor and top, and it holds the local's object.
//   [locals.2] the slot at top is no gap; every chunk before the last is full.
//   [locals.3] there are never more than twice as many slots as locals, and two chunks.
// Concurrency
//   Everything belongs to the thread, or to who answers for it.
// Uses / used by
//   Uses metadata. Used by mutator.
#pragma once

#include "alloc/base.h"

#include <umber/handle.h>

namespace umber::gc {

using namespace alloc;

struct local_chunk {
  static constexpr std::size_t capacity = 508;

  local_chunk* previous;
  local_chunk* next;  // kept for when it is needed again
  std::size_t number;
  void* slots[capacity + 1];  // the first is the floor
};

class local_stack {
 public:
  // Has a chunk ready for `m`, whose stack it is; false: no memory.
  [[nodiscard]] bool open(detail::mutator_state& m);
  bool is_empty(void* const* top) const { return top == first_->slots; }

  // Slots in the chunks up to the last that is in use.
  std::size_t capacity() const { return (last_->number + 1) * local_chunk::capacity; }

  // The chunk is full: a slot elsewhere; null: no memory.
  [[nodiscard]] void** push(detail::mutator_state& m, void* object);
  void pop(detail::mutator_state& m, void** slot);

  // Calls visit(slot) for each that holds an object.
  template <class Visit>
  void for_each(void* const* top, Visit visit) const {
    for (const local_chunk* chunk = first_;; chunk = chunk->next) {
      void* const* const end = chunk == last_ ? top + 1 : chunk->slots + local_chunk::capacity + 1;
      for (void* const* slot = chunk->slots + 1; slot != end; ++slot)
        if (*slot != nullptr && !is_odd(*slot)) visit(slot);
      if (chunk == last_) return;
    }
  }

 private:
  static bool is_odd(const void* value) { return (address_of(value) & 1) != 0; }
  void use(detail::mutator_state& m, local_chunk* chunk, std::size_t last);
  void** next_gap();

  local_chunk* first_ = nullptr;
  local_chunk* last_ = nullptr;
  std::size_t gaps_ = 0;
  local_chunk* searched_ = nullptr;  // where the search for gaps goes on
  std::size_t searched_to_ = 0;
};

}  // namespace umber::gc

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
// *How long the collector keeps a deep stack waiting.* All slots are read in one answer (`scan`): 0.7 ns each, 1.5
// where they are out of the cache, so 100,000 take 70 us and a million 1.5 ms. To read them in steps, the newest first,
// the mutator running in between, would lose an object: a newer local, read already, is given what an older one holds,
// and the older one is overwritten or goes before it is read. A local that goes would be no difficulty: who leaves a
// chunk comes by `pop`, which could read the chunk before first, as it could read what goes out of order. But an
// assignment to an old local is a plain store, and would have to ask whether the heap marks: two instructions more on
// each, where walking a list is one store and one load. The same is so for copying the slots aside, which takes as long
// as reading them. So the answer stays whole, and is made short instead: the copy is the list of candidates.
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

  // Calls visit(first, end) for the slots of each chunk; some hold no object.
  template <class Visit>
  void for_each_run(void* const* top, Visit visit) const {
    for (const local_chunk* chunk = first_;; chunk = chunk->next) {
      visit(chunk->slots + 1, chunk == last_ ? top + 1 : chunk->slots + local_chunk::capacity + 1);
      if (chunk == last_) return;
    }
  }
  static bool is_object(const void* value) { return value != nullptr && !is_odd(value); }
  // Calls visit(slot) for each that holds an object.
  template <class Visit>
  void for_each(void* const* top, Visit visit) const {
    for_each_run(top, [&](void* const* slot, void* const* end) {
      for (; slot != end; ++slot)
        if (is_object(*slot)) visit(slot);
    });
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

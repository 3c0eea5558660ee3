// The slots of a thread's locals: what they hold, where the collector reads it.
//
// A local takes the first free slot when it is made, and puts it back before the others when it is destroyed: a handful
// of instructions each, inlined (handle.h), in any order; and the local itself, a pointer and its slot, can stay in
// registers. Links to free slots are odd, objects never are, so who reads the slots needs to know nothing else.
//
//     | object | free -> 4 | object | null | free -> 7 | object | free, the last |     odd, or even and held
//
// Slots are in chunks, and all chunks in use are read when the thread answers for its locals. Where most of them turn
// out to be free they are sorted: the lowest are taken first from then on, and chunks at the end in which nothing is
// held are not read again until they are needed.
//
// *How long the collector keeps a thread with many locals waiting.* All slots are read in one answer (`scan`): 0.7 ns
// each, 1.5 where they are out of the cache, so 100,000 take 70 us and a million 1.5 ms. To read them in steps, the
// mutator running in between, would lose an object: a local that was read already is given what another one holds, and
// that one is overwritten or goes before it is read. An assignment to a local is a plain store, and would have to ask
// whether the heap marks: two instructions more on each, where walking a list is one store and one load. Copying the
// slots aside takes as long as reading them. So the answer stays whole, and is made short: the copy is the list of
// candidates, made without a branch.
//
// (A stack, whose slots go with the last local, was tried: a function that returns a local made after its other ones
// leaves gaps, and a recursion of such functions as many as it makes objects.)
//
// Invariants
//   [locals.1] every local has a slot of its own, in a chunk in use, and it holds the local's object.
//   [locals.2] a slot of a chunk in use is odd exactly if it is in the list of free ones.
//   [locals.3] after `sort` the last chunk in use has a slot that is held, or is the only one.
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
  static constexpr std::size_t capacity = 510;

  local_chunk* next;
  void* slots[capacity];
};

class local_slots {
 public:
  // Has a chunk ready for `m`, whose locals these are; false: no memory.
  [[nodiscard]] bool open(detail::mutator_state& m);
  bool are_empty() const;
  std::size_t capacity() const;  // slots of the chunks in use

  // There is no free slot: one of a further chunk; null: no memory.
  [[nodiscard]] void** take_more(detail::mutator_state& m, void* object);

  static bool is_object(const void* value) { return value != nullptr && !is_free(value); }
  // Calls visit(first, end) for the slots of each chunk; some hold no object.
  template <class Visit>
  void for_each_run(Visit visit) const {
    for (const local_chunk* chunk = first_;; chunk = chunk->next) {
      visit(chunk->slots, chunk->slots + local_chunk::capacity);
      if (chunk == last_) return;
    }
  }
  // Calls visit(slot) for each that holds an object.
  template <class Visit>
  void for_each(Visit visit) const {
    for_each_run([&](void* const* slot, void* const* end) {
      for (; slot != end; ++slot)
        if (is_object(*slot)) visit(slot);
    });
  }
  // Has the lowest free slots taken first, and forgets chunks at the end that hold nothing.
  void sort(detail::mutator_state& m);

 private:
  static bool is_free(const void* slot) { return (address_of(slot) & 1) != 0; }
  static bool holds_nothing(const local_chunk& chunk);

  local_chunk* first_ = nullptr;
  local_chunk* last_ = nullptr;  // in use; those after it are kept
};

}  // namespace umber::gc

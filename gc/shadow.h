// The barrier checker: finds stores that the write barrier did not see. The option `check_barriers` turns it on
// (heap.h).
//
// Two things lose an object without any fault of the collector: a store around the barrier (memcpy over an object, a
// union written as a number), and a field that the collector does not know of. Each is caught by its own half:
//
//   every store        while a heap is checked, the barriers of the process are never off, so each store of a field
//                      comes by, cycle or not. It must be to a declared field of an object of the thread's heap, to a
//                      persistent handle, or to a field on the stack (a copy on its way); and what it stores must be of
//                      the same heap.
//   a shadow           when all barriers are on the world is stopped, and what each reachable slot holds is noted. From
//                      then on the barrier notes what it is told. When marking has ended the world is stopped once
//                      more: a slot that holds what was never noted for it was written by somebody else.
//
// The shadow is a set of pairs (slot, value), not a map: of two threads that store to one field the later one at the
// barrier may be the earlier one at the field, and an exchange that fails was noted in vain. So no correct program is
// accused. What goes unseen: a store around the barrier of what the field held before in the same cycle; one to an
// object made in this cycle, which is harmless; and one to a type with a `trace` of its own, whose slots come and go.
//
// Invariants
//   [shadow.1] between begin_shadow and check_shadow each value that a correct store gives a reachable slot is noted
//              before the slot holds it.
// Concurrency
//   note_store: any mutator; the set has a lock (rank shadow). The others: the collector's thread.
// Uses / used by
//   Uses retrace. Used by cycle, embed.
#pragma once

#include "managed_heap.h"
#include "scratch.h"

namespace umber::gc {

class slot_shadow {
 public:
  // Forgets all pairs.
  void clear();
  void note(std::uintptr_t slot, std::uintptr_t value);
  // Calls off the check of this cycle: not all is noted.
  void give_up();
  // Dies if a slot holds what was not noted for it. The world is stopped.
  void check();

 private:
  struct pair {
    std::uintptr_t slot;  // 0: none
    std::uintptr_t value;
    std::uint64_t order;  // of noting
  };
  static constexpr std::size_t first_capacity = 1 << 16;

  std::size_t place_of(std::uintptr_t slot, std::uintptr_t value) const;
  [[nodiscard]] bool grow();
  [[noreturn]] void die_at(std::uintptr_t slot, std::uintptr_t value) const;

  mutex<rank::shadow> lock_;
  scratch<pair> pairs_;  // a hash table; guarded by lock_, as all below
  std::size_t capacity_ = 0;
  std::size_t count_ = 0;
  std::uint64_t noted_ = 0;
  bool complete_ = false;
};

// For a heap that is to be checked: false if there is no memory.
[[nodiscard]] bool make_shadow(managed_heap& h);
void drop_shadow(managed_heap& h);

void begin_shadow(managed_heap& h);
void check_shadow(managed_heap& h);

// A mutator is about to store. Dies if it must not.
void note_store(mutator& m, const void* slot, const void* value);
// A field is constructed with a value: in an object, or on the stack.
void note_construction(mutator& m, const void* slot, const void* value);

}  // namespace umber::gc

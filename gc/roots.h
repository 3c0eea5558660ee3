// Persistent handles: slots in blocks that are never moved nor freed while the heap lives.
//
// A store to one is a barrier store, as to a field, so it does not matter when in a cycle they are scanned.
//
// Invariants
//   [roots.1] a slot that no handle uses holds null.
// Concurrency
//   Making and dropping take a lock; scanning needs none: blocks are only ever added.
// Uses / used by
//   Uses metadata, sync. Used by managed_heap, cycle, verify.
#pragma once

#include "alloc/metadata.h"
#include "alloc/sync.h"

#include <umber/handle.h>

namespace umber::gc {

using namespace alloc;

class root_table {
 public:
  // Null: no memory. `place` is the code that makes the handle, or null.
  [[nodiscard]] detail::root_slot* make(const void* place = nullptr);
  void drop(detail::root_slot* root);
  // The table that a slot is of.
  static root_table& of(const detail::root_slot* root) {
    return *pointer_to<block>(round_down(address_of(root), sizeof(block)))->table;
  }
  std::size_t in_use() const { return in_use_.load(std::memory_order_relaxed); }  // relaxed: a number on its own

  // A line on stderr for each place whose handles are left, with how many, as far as places are known.
  void report_leaks() const;

  // Whether a slot lies there.
  bool holds(std::uintptr_t address) const {
    // acquire: pairs with the release in make.
    for (const block* b = blocks_.load(std::memory_order_acquire); b != nullptr; b = b->next)
      if (address - address_of(b) < sizeof(block)) return true;
    return false;
  }

  // Calls visit(object) for each that is not null.
  template <class Visit>
  void for_each(Visit visit) const {
    // acquire, both: pair with the releases in make and in the handle's store.
    for (const block* b = blocks_.load(std::memory_order_acquire); b != nullptr; b = b->next)
      for (const detail::root_slot& slot : b->slots)
        if (void* object = slot.object.load(std::memory_order_acquire); object != nullptr) visit(object);
  }

 private:
  struct block {
    root_table* table;
    block* next;
    detail::root_slot slots[255];
  };
  static_assert(sizeof(block) == 4 * kib);

  mutex<rank::roots> lock_;
  detail::root_slot* free_ = nullptr;  // guarded by lock_
  std::atomic<block*> blocks_{nullptr};
  std::atomic<std::size_t> in_use_{0};
};

}  // namespace umber::gc

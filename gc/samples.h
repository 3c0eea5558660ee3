// The objects of a heap that are samples of the profile of allocations (alloc/sampler.h), until they are dead.
//
// A sample is an object like any other, in a slot among others. What it needs is to be told when it has died, and for
// that the table is walked like weak references, once a cycle, when marking has come to its end and finalizers have
// taken what they need: who has no mark by then is gone. With a sample each 512 KiB that is 2000 entries for a heap of
// 1 GiB.
//
// An object is sampled where its thread found no slot at hand (refill.cc). The draw decides how many of the next slots
// the fast path gets; those from the sample on are kept back (`held_span::later`), and belong to the slots at hand in
// every other way: they are marked, counted and given up with them.
//
// Invariants
//   [samples.1] between marking and sweeping of a cycle every object in the table has a mark.
// Concurrency
//   A lock of rank samples. An object is added by the thread that made it, before its next safepoint.
// Uses / used by
//   Uses object, type, alloc/profile, alloc/sampler. Used by managed_heap, refill, cycle, embed.
#pragma once

#include "type.h"

#include "alloc/metadata.h"
#include "alloc/profile.h"
#include "alloc/sync.h"

namespace umber::gc {

class sample_table {
 public:
  // An object of so many bytes is a sample. `layout` is its type, or that of its elements.
  void add(std::uintptr_t object, std::size_t bytes, const type_layout& layout, bool is_array);
  // Those without a mark are gone.
  void drop_dead();
  // All are gone.
  void drop_all();

 private:
  struct entry {
    entry* next;
    std::uintptr_t object;
    alloc::profile::site* site;
  };
  template <class Predicate>
  void drop_if(Predicate is_gone);

  mutex<rank::samples> lock_;
  entry* first_ = nullptr;  // guarded by lock_, as the next
  storage<entry> entries_;
};

}  // namespace umber::gc

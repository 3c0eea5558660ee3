// The spans of one type in one heap: where slots come from, and where they are swept.
//
//     mheap --> held by a mutator --exhausted, given up--> full / partial --a cycle ends--> unswept
//       ^              ^                                       |                              |
//       |              \---------------- refill ---------------/                              |
//       \-- nothing marked --------------------------- sweep <--------------------------------/
//
// A span that a mutator holds is in no list. When a cycle has decided what is live all other spans become unswept at
// once, by moving lists; mutators give up theirs as they answer `finish`. Who needs slots sweeps; the collector's
// thread sweeps the rest. All is swept before the next cycle begins to mark.
//
// Sweeping a span is assignment: the slots without a mark are free. No object is touched, unless its type has a
// destructor; those that owe one have a bit in the span's second bitmap (`remote` is of no other use here).
//
// Objects larger than the largest slot have spans of their own. They are full or unswept.
//
// A sweep begins for a mutator when it answers `finish`. What it lists before goes to the unswept ones, and it is given
// nothing: so no span is swept before a mutator that still allocates black in it has let it go, and none is forgotten.
//
// litmus: late_answer. Say that x lives in the listed span s:
//
//     A (black)                              collector
//                                              begins the sweep: x has a mark, s is to be swept; asks finish
//       wants slots: gets neither s nor any listed span
//         (with s: sweeps it, so that x has no mark; makes objects, black; gives it up, to be swept once more)
//       answers finish
//                                              sweeps s: x lives
//
// Invariants
//   [space.1] owner == managed and space == this for every span of it.
//   [space.2] a span in `partial` or `full` has no marks in a cycle's marking but those of that cycle.
//   [space.3] no span is swept twice in a cycle, nor one that was allocated from after its `finish`.
// Concurrency
//   The lists have a lock (rank space). A span in no list belongs to who took it.
// Uses / used by
//   Uses type, mheap, span_set. Used by mutator, sweep, cycle, verify.
#pragma once

#include "type.h"

#include "alloc/mheap.h"
#include "alloc/span_set.h"
#include "alloc/sync.h"

#include <bit>

namespace umber::gc {

struct managed_heap;

struct space {
  using lock_type = mutex<rank::space>;

  managed_heap* heap = nullptr;
  const type_layout* layout = nullptr;  // null: arrays
  page_word word;                       // of pages with slots; large objects have one each
  span_class cls;                       // value 0: each object has a span of its own
  bool destroys = false;
  std::uint32_t id = 0;
  space* next = nullptr;  // among all of the heap

  lock_type lock;
  span_list partial;  // swept, with free slots; guarded by lock, as all below
  span_list full;
  span_list unswept;
  std::uint32_t epoch = 0;     // sweeps begun
  mspan* all_spans = nullptr;  // held ones too; linked by heap_next

  static constexpr span_class large{0};
  bool is_large() const { return cls.value == 0; }

  // A span with free slots that was swept, or one to be swept; null if there is none, or if a sweep has begun that the
  // caller, who knows of `known` sweeps, must answer for first.
  [[nodiscard]] mspan* take_partial(std::uint32_t known);
  [[nodiscard]] mspan* take_unswept(std::uint32_t known);
  // Lists a span that the caller holds: as swept, or to be swept if a sweep has begun that the caller does not know.
  void put(mspan* s, std::uint32_t known);
  // Everything listed is unswept from now on.
  void begin_sweep();

  // Calls visit(address) for each object, but for those at hand of a mutator or new since it became black (mutator.h).
  // While a cycle marks: then no span goes, and new ones are put before the first.
  template <class Visit>
  void for_each_object(Visit visit) {
    for (const mspan* s = first_span(); s != nullptr; s = s->heap_next)
      for (std::size_t w = 0; w < s->words(); ++w) {
        // acquire: pairs with the release in mutator.cc; an object is seen as it was made.
        std::uint64_t used = s->slot_bits(w) & ~s->free[w].load(std::memory_order_acquire);
        for (; used != 0; used &= used - 1)
          visit(s->address({w * 64 + static_cast<std::size_t>(std::countr_zero(used))}));
      }
  }
  // Calls visit(span) for all spans, with the lock held.
  template <class Visit>
  void for_each_span(Visit visit) {
    const lock_guard guard(lock);
    for (mspan* s = all_spans; s != nullptr; s = s->heap_next) visit(s);
  }

 private:
  friend mspan* make_span(space&, span_stock&, std::size_t, page_word);
  friend void free_span(mspan*, span_stock*);
  const mspan* first_span() {
    const lock_guard guard(lock);
    return all_spans;
  }
  void link(mspan* s);
  void unlink(mspan* s);
};

// Fresh spans from the page heap, and back. `bytes` for large objects only; null: no memory.
[[nodiscard]] mspan* make_span(space& home, span_stock& stock, std::size_t bytes = 0, page_word word = {});
void free_span(mspan* s, span_stock* stock);

inline space& space_of(const mspan* s) { return *static_cast<space*>(s->space); }
inline mspan* span_of(std::uintptr_t object) { return window.span_of(window.page_of(object)); }

// The start of the slot that an address lies in, whether there is an object or not; 0: in none of a managed heap.
[[nodiscard]] std::uintptr_t object_around(std::uintptr_t address);

struct swept {
  std::size_t live = 0;   // slots
  std::size_t freed = 0;  // slots that were allocated
};
// Frees the slots without a mark, clears the marks, and runs the destructors that are owed. The caller holds the span.
swept sweep_span(mspan* s, bool poison);

// The marks of slots given as bits of word w: set, for who allocates black; cleared, for slots it did not use.
void mark_slots(const mspan* s, std::size_t w, std::uint64_t slots);
void unmark_slots(const mspan* s, std::size_t w, std::uint64_t slots);

}  // namespace umber::gc

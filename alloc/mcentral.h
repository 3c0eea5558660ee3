// The spans of one class that belong to no processor and have free slots.
//
// A processor that runs out asks here before it asks for fresh pages; a processor that goes idle, and a thread whose
// frees have opened up a full span of somebody else, put spans here. Full spans are not listed anywhere: nobody wants
// them, and the first free finds them through the index. Spans that were trimmed (trim.h) wait in a list of their own
// and are taken last: what they lack has to be faulted in again.
//
// Invariants
//   [mcentral.1] owner == in_central exactly for the spans in the two lists.
// Concurrency
//   One lock a class. The free bits of a listed span belong to the lock's holder.
// Uses / used by
//   Uses span_set, sync. Used by processor, remote, scavenger.
#pragma once

#include "span_set.h"
#include "sync.h"

namespace umber::alloc {

class alignas(cache_line) mcentral {
 public:
  using lock_type = mutex<rank::mcentral>;

  // A span with free slots, now owned by `p`; null when there is none.
  mspan* take(span_home* p);
  // Lists a span that the caller owns (or has in flux) and that is not empty of free slots. If all its slots turn out
  // to be free it is not listed but handed back, in flux, for the caller to give to the mheap.
  [[nodiscard]] mspan* put(mspan* s);
  // Collects what others have freed in a span that was listed a moment ago; false if it is listed no more. If that was
  // the rest of its slots it is handed back as `rest`, in flux.
  [[nodiscard]] bool collect(mspan* s, mspan*& rest);

  // Adds to `t` some of the spans that have been listed longest without that, and lets it finish, all with the lock
  // held: their free bits are the trimmer's. False if there is none left.
  template <class Trimmer>
  bool trim_some(Trimmer& t) {
    const lock_guard guard(lock_);
    if (partial_.empty()) return false;
    for (std::size_t n = 0; n < 16 && !partial_.empty(); ++n) {
      mspan* s = partial_.pop_front();
      s->collect_remote();
      t.add(*s);
      s->flags |= mspan::flag_trimmed;
      trimmed_.push_back(s);
    }
    t.finish();
    return true;
  }

  lock_type& fork_lock() { return lock_; }

 private:
  mspan* unlist(mspan* s);
  span_list& list_of(const mspan* s) { return (s->flags & mspan::flag_trimmed) != 0 ? trimmed_ : partial_; }

  lock_type lock_;
  span_list partial_;  // guarded by lock_, as the next
  span_list trimmed_;  // those whose unused pages went back to the system: taken last
};

mcentral& central(span_class c);

}  // namespace umber::alloc

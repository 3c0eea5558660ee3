// What the slow paths of malloc do while allocations are sampled (sampler.h).
//
// A sample of a small size gets a span of its own with one slot, as if it were large (mspan.h), because no fast free
// knows such a span: so it comes to the slow path when it is freed, where its site is found in its span, and every
// check of misuse sees a block of its class as ever. A sample costs a page for as long as it is in use; with a sample
// each 512 KiB that is at most 1.6 % of the heap. (TCMalloc does the same.) A large object has a span of its own
// anyway.
//
// Invariants
//   [watch.1] a block with a site is one that was counted there, and not yet as gone.
// Concurrency
//   Any thread. The processor is that of the calling thread.
// Uses / used by
//   Uses profile, sampler, processors, mheap. Used by malloc, private_heap.
#pragma once

#include "processor.h"
#include "profile.h"
#include "sampler.h"

namespace umber::alloc {

// A slot of class c for a processor that has none at hand: a sample, or not, and then the next one is sought.
[[nodiscard]] void* allocate_watched(processor& p, span_class c, bool& zeroed);
// A block of class c if it is to be a sample, for who asks at each block; null: it is none, or no memory.
[[nodiscard]] mspan* sample_alone(span_class c);
// A large object that is new, or as good as new: it may be a sample.
void watch_large(mspan* s);

// The object of a span that has a site, or none, is gone.
inline void forget_sample(mspan* s) {
  if (UMBER_UNLIKELY(s->sample != nullptr)) profile::forget(s->sample);
}

}  // namespace umber::alloc

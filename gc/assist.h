// What a mutator marks itself: in proportion to what it allocates, in steps that are short.
//
// While the heap marks, each byte allocated owes `assist_ratio` bytes of marking. The workers' marking is credit, which
// is used up first. What is left a mutator does itself when it comes by for more slots, at most four steps of 10 to 20
// us each time, answering the collector between them; what it still owes then it owes next time. A step is cut by the
// clock, not by objects: these take 5 ns in order and 25 at random, and each step has to take and give back candidates.
//
// Invariants
//   [assist.1] between two steps a mutator holds no candidates.
// Concurrency
//   The mutator's own thread.
// Uses / used by
//   Uses mark, handshake. Used by refill.
#pragma once

#include "managed_heap.h"

namespace umber::gc {

// `bytes` were given to the mutator.
void pay_for(mutator& m, std::size_t bytes);

}  // namespace umber::gc

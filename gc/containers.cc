// What the managed containers, which are headers, ask of the collector.
#include "managed_heap.h"

#include <umber/pool.h>

namespace umber::detail {

std::uint64_t cycle_number() noexcept {
  if (current_mutator->handles.next == nullptr) attach_or_die();
  return gc::this_mutator().heap->cycles.load(std::memory_order_relaxed);  // relaxed: a count, nothing hangs on it
}

}  // namespace umber::detail

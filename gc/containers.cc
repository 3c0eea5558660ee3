// What the managed containers, which are headers, ask of the collector.
#include "attach.h"
#include "managed_heap.h"

#include <umber/pool.h>

namespace umber::detail {

std::uint64_t cycle_number() noexcept {
  // relaxed: a count, nothing hangs on it.
  return gc::attached_or_die("pool").heap->cycles.load(std::memory_order_relaxed);
}

}  // namespace umber::detail

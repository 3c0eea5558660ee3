#include "external.h"

#include "request.h"

namespace umber::gc {

namespace {

constexpr double most_owed = 1e15;  // bytes, for one call

}  // namespace

void add_external(managed_heap& h, mutator* m, std::ptrdiff_t bytes) {
  // relaxed, all: sums that nothing else hangs on; a mutator that sees marking begin late owes a little less.
  h.external.fetch_add(bytes, std::memory_order_relaxed);
  if (bytes <= 0) return;
  if (m != nullptr && m->heap == &h && h.marking.load(std::memory_order_relaxed)) {
    const double owed = static_cast<double>(bytes) * h.assist_ratio.load(std::memory_order_relaxed);
    m->debt += static_cast<std::int64_t>(owed < most_owed ? owed : most_owed);
  }
  const std::size_t grown = h.allocated.load(std::memory_order_relaxed) + h.external_since_plan();
  if (grown >= h.trigger.load(std::memory_order_relaxed)) start_cycle(h);
}

}  // namespace umber::gc

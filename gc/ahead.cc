#include "ahead.h"

#include "request.h"

#include "alloc/mheap.h"
#include "alloc/os.h"

namespace umber::gc {

namespace {

constexpr std::size_t part_of_heap = 128;
constexpr page_count most = page_count::covering(2 * mib);

bool are_few(std::size_t ahead) { return alloc::heap.unscavenged_hint().value * 2 < ahead; }

}  // namespace

void look_ahead(managed_heap& h) {
  // relaxed, all: hints; who calls late has waited for a page itself.
  if (UMBER_LIKELY(!are_few(h.ahead.load(std::memory_order_relaxed)))) return;
  if (h.pages_wanted.load(std::memory_order_relaxed)) return;
  if (!h.pages_wanted.exchange(true, std::memory_order_relaxed)) call_collector(h);
}

bool bring_pages(managed_heap& h) {
  if (UMBER_LIKELY(!h.pages_wanted.load(std::memory_order_relaxed))) return false;  // relaxed, all: as above
  const std::size_t ahead = h.ahead.load(std::memory_order_relaxed);
  if (alloc::heap.populate({ahead})) return true;
  if (are_few(ahead)) h.ahead.store(0, std::memory_order_relaxed);  // none can be had: nobody asks before the next plan
  h.pages_wanted.store(false, std::memory_order_relaxed);
  return false;
}

void plan_ahead(managed_heap& h, std::size_t heap_bytes) {
  const page_count part{heap_bytes / part_of_heap / page_size};
  const page_count wanted = part < most ? part : most;
  const bool is_worth_it = wanted >= page_cache::pages && os::is_memory_uniform();
  h.ahead.store(is_worth_it ? wanted.value : 0, std::memory_order_relaxed);  // relaxed: as above
}

}  // namespace umber::gc

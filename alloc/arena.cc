#include "arena.h"

#include "options.h"
#include "os.h"

namespace umber::alloc {

namespace {

constexpr std::size_t wished_window = 4 * 1024 * gib;
constexpr std::size_t smallest_window = 2 * arena_size;
// Every sanitizer but none maps its shadow over fixed parts of the address space: a smaller window fits between them.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr std::size_t most_window = 64 * gib;
#else
constexpr std::size_t most_window = wished_window;
#endif

std::size_t index_bytes(std::size_t pages) { return pages * sizeof(std::atomic<mspan*>); }

// Under an address-space limit the rest of the process needs its share.
std::size_t first_try() {
  const std::size_t limit = os::address_space_limit();
  return limit == SIZE_MAX ? most_window : round_up(limit / 4 * 3 + 1, arena_size);
}

}  // namespace

bool heap_window::start() {
  for (std::size_t bytes = first_try(); bytes >= smallest_window; bytes = round_down(bytes / 2, arena_size)) {
    const std::size_t index_size = round_up(index_bytes(bytes / page_size), arena_size);
    void* start = os::reserve(bytes + index_size, arena_size);
    if (start == nullptr) continue;
    base = address_of(start);
    index = pointer_to<std::atomic<mspan*>>(base + bytes);
    capacity = bytes / page_size;
    return true;
  }
  return false;
}

bool heap_window::commit_arenas(page_count n) {
  const std::size_t bytes = round_up(n.bytes(), arena_size);
  if (committed + bytes / page_size > capacity) return false;
  // The window is reserved already: a limit that was set since would not be felt otherwise.
  if (page_count{committed}.bytes() + bytes > os::address_space_limit()) return false;
  void* start = pointer_to(address({committed}));
  if (!os::commit(&index[committed], index_bytes(bytes / page_size))) return false;
  if (!os::commit(start, bytes)) return false;
  if (current_options().thp == thp_policy::always) os::want_huge_pages(start, bytes, true);
  if (current_options().thp == thp_policy::never) os::want_huge_pages(start, bytes, false);
  committed += bytes / page_size;
  return true;
}

page_run heap_window::grow(page_count n, mspan* no_span) {
  const std::size_t known = pages.load(std::memory_order_relaxed);  // relaxed: only we change it, under the lock
  if (n.value > capacity - known) return {};
  if (known + n.value > committed && !commit_arenas({known + n.value - committed})) return {};
  const page_run fresh{{known}, n};
  set_span(fresh, no_span);
  pages.store(known + n.value, std::memory_order_release);  // pairs with the acquire in contains
  return fresh;
}

}  // namespace umber::alloc

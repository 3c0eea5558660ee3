#include "arena.h"

#include "options.h"
#include "os.h"

namespace umber::alloc {

namespace {

// Every sanitizer but none maps its shadow over fixed parts of the address space: a smaller window fits between them.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr std::size_t most_window = 64 * gib;
#else
constexpr std::size_t most_window = 4 * 1024 * gib;
#endif
constexpr std::size_t fair_window = 64 * gib;
constexpr std::size_t least_window = 2 * arena_size;
constexpr std::size_t most_skipped = 16;  // arenas

// One bit for each arena of the largest window: huge pages were asked for there.
constinit std::atomic<std::uint64_t> packed[most_window / arena_size / 64] = {};

constexpr std::size_t index_bytes(std::size_t pages) { return pages * sizeof(std::atomic<mspan*>); }
constexpr std::size_t index_size(std::size_t window) { return round_up(index_bytes(window / page_size), arena_size); }

// Where the system would put so much; it has it back already. 0: nowhere.
std::uintptr_t find_place(std::size_t bytes) {
  void* start = os::reserve(bytes, arena_size);
  return start != nullptr && os::unmap(start, bytes) ? address_of(start) : 0;
}

}  // namespace

// The range is not kept reserved: limits of address space then count only what is used, and can be lowered later.
bool heap_window::start() {
  const bool limited = os::address_space_limit() != SIZE_MAX;
  for (std::size_t bytes = most_window; bytes >= (limited ? fair_window : least_window); bytes /= 2)
    if (const std::uintptr_t place = find_place(bytes + index_size(bytes)); place != 0) {
      settle(place, bytes);
      return true;
    }
  // A limit forbids to ask for so much at once. The system hands out addresses from the top: below is room.
  const std::uintptr_t place = find_place(arena_size);
  if (place <= fair_window + index_size(fair_window)) return false;
  settle(place - fair_window - index_size(fair_window), fair_window);
  return true;
}

void heap_window::settle(std::uintptr_t place, std::size_t bytes) {
  index = pointer_to<std::atomic<mspan*>>(place);
  base = place + index_size(bytes);
  capacity = bytes / page_size;
}

// Maps pages [first, end) and the index up to `end`; false if the system has no memory, or something else lies there.
bool heap_window::map(std::size_t first, std::size_t end) {
  if (end > capacity) return false;
  const std::size_t index_end = round_up(end, pages_per_arena);
  if (index_end > indexed) {
    if (!os::map_at(&index[indexed], index_bytes(index_end - indexed))) return false;
    indexed = index_end;
  }
  void* start = pointer_to(address({first}));
  const std::size_t bytes = (end - first) * page_size;
  if (!os::map_at(start, bytes)) return false;
  if (current_options().thp == thp_policy::always) os::want_huge_pages(start, bytes, true);
  if (current_options().thp == thp_policy::never) os::want_huge_pages(start, bytes, false);
  committed = end;
  return true;
}

page_run heap_window::find_room(page_count n) {
  const std::size_t known = pages.load(std::memory_order_relaxed);  // relaxed: only we change it, under the lock
  if (known + n.value <= committed) return {{known}, n};
  // Whole arenas; or, if the process may not have so much, just what is asked for.
  if (map(committed, round_up(known + n.value, pages_per_arena)) || map(committed, known + n.value))
    return {{known}, n};
  const std::size_t next = round_up(committed, pages_per_arena);
  for (std::size_t skipped = 1; skipped <= most_skipped; ++skipped) {
    const std::size_t first = next + skipped * pages_per_arena;
    if (map(first, round_up(first + n.value, pages_per_arena))) return {{first}, n};
  }
  return {};
}

page_run heap_window::grow(page_count n, mspan* no_span) {
  if (n.value > capacity) return {};
  const page_run fresh = find_room(n);
  if (fresh.empty()) return {};
  const std::size_t known = pages.load(std::memory_order_relaxed);  // relaxed: as above
  set_span({{known}, fresh.end() - page_id{known}}, no_span);
  pages.store(fresh.end().value, std::memory_order_release);  // pairs with the acquire in contains
  return fresh;
}

void heap_window::pack(page_run fresh) {
  if (current_options().thp != thp_policy::dense || os::huge_page_mode() == os::huge_pages::never) return;
  if (!os::want_huge_pages(pointer_to(address(fresh.first)), fresh.count.bytes(), true)) return;
  for (std::size_t a = fresh.first.value / pages_per_arena; a * pages_per_arena < fresh.end().value; ++a)
    // relaxed: memory of the run is given back only after it was allocated, under the same lock.
    packed[a / 64].fetch_or(std::uint64_t{1} << (a % 64), std::memory_order_relaxed);
}

// Ends the wish for huge pages in the arenas that the range touches.
void heap_window::unpack(os::range range) {
  const std::size_t first = address_of(range.start) - base;
  for (std::size_t a = first / arena_size; a * arena_size < first + range.bytes; ++a) {
    const std::uint64_t bit = std::uint64_t{1} << (a % 64);
    if ((packed[a / 64].load(std::memory_order_relaxed) & bit) == 0) continue;  // relaxed: as in pack
    packed[a / 64].fetch_and(~bit, std::memory_order_relaxed);
    os::want_huge_pages(pointer_to(base + a * arena_size), arena_size, false);
  }
}

bool heap_window::release(const os::range* ranges, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) unpack(ranges[i]);
  return os::release(ranges, count);
}

}  // namespace umber::alloc

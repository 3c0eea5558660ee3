#include "trim.h"

#include "mcentral.h"
#include "os.h"
#include "planted.h"

namespace umber::alloc {

namespace {

// The next run of free slots from `from` on, as [first, end). Both are s.slots when there is none.
struct slot_run {
  std::size_t first;
  std::size_t end;
};

bool is_free(const mspan& s, std::size_t slot) {
  const slot_id id{slot};
  return (s.free[id.word()].load(std::memory_order_relaxed) & id.bit()) != 0;  // relaxed: the caller's
}

slot_run next_run(const mspan& s, std::size_t from) {
  while (from < s.slots && !is_free(s, from)) ++from;
  std::size_t end = from;
  while (end < s.slots && is_free(s, end)) ++end;
  return {from, end};
}

// Slots that lie wholly within the released range read as zero.
void note_zeroed(mspan& s, slot_run run, std::uintptr_t start, std::uintptr_t end) {
  if (s.slot_size <= max_table_size) return;
  std::uint64_t zeroed = s.free[1].load(std::memory_order_relaxed);  // relaxed: the caller's
  for (std::size_t i = run.first; i < run.end; ++i)
    if (s.address({i}) >= start && s.address({i}) + s.slot_size <= end) zeroed |= slot_id{i}.bit();
  s.free[1].store(zeroed, std::memory_order_relaxed);
}

}  // namespace

std::size_t trim_span(mspan& s) {
  const std::size_t page = os::machine_page_size();
  std::size_t bytes = 0;
  for (slot_run run = next_run(s, 0); run.first < s.slots; run = next_run(s, run.end)) {
    // The unused rest before slot 0 goes with it.
    const std::uintptr_t low = run.first == 0 ? window.address(s.run.first) : s.address({run.first});
    const std::uintptr_t start = round_up(low, page);
    const std::size_t too_many = is_planted(fault::trim_one_page_too_many) && run.end < s.slots ? page - 1 : 0;
    const std::uintptr_t end = round_down(s.address({run.end}) + too_many, page);
    if (start >= end || !window.release(start, end - start)) continue;
    note_zeroed(s, run, start, end);
    bytes += end - start;
  }
  return bytes;
}

std::size_t trim_centrals(std::size_t most_bytes) {
  static constinit std::atomic<std::size_t> turn{0};
  std::size_t bytes = 0;
  for (std::size_t looked_at = 0; looked_at < span_class_count && bytes < most_bytes;) {
    // relaxed: where to go on; two threads may look at different classes.
    const std::size_t c = turn.load(std::memory_order_relaxed) % span_class_count;
    if (central({static_cast<std::uint8_t>(c)}).trim_one([&bytes](mspan& s) { bytes += trim_span(s); })) continue;
    turn.fetch_add(1, std::memory_order_relaxed);
    ++looked_at;
  }
  return bytes;
}

}  // namespace umber::alloc

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

// The first slot from `from` on whose free bit is `wanted`; s.slots if there is none.
std::size_t find_bit(const mspan& s, std::size_t from, bool wanted) {
  for (std::size_t slot = from; slot < s.slots; slot = round_down(slot, 64) + 64) {
    const std::uint64_t bits = s.free[slot / 64].load(std::memory_order_relaxed);  // relaxed: the caller's
    const std::uint64_t rest = (wanted ? bits : ~bits) >> (slot % 64);
    if (rest == 0) continue;
    const std::size_t found = slot + static_cast<std::size_t>(std::countr_zero(rest));
    return found < s.slots ? found : s.slots;
  }
  return s.slots;
}

slot_run next_run(const mspan& s, std::size_t from) {
  const std::size_t first = find_bit(s, from, true);
  return {first, find_bit(s, first, false)};
}

// Slots that lie wholly within the released range read as zero.
void note_zeroed(mspan& s, slot_run run, std::uintptr_t start, std::uintptr_t end) {
  if (s.slot_size <= max_table_size) return;
  std::uint64_t zeroed = s.free[1].load(std::memory_order_relaxed);  // relaxed: the caller's
  for (std::size_t i = run.first; i < run.end; ++i)
    if (s.address({i}) >= start && s.address({i}) + s.slot_size <= end) zeroed |= slot_id{i}.bit();
  s.free[1].store(zeroed, std::memory_order_relaxed);
}

// Gathers ranges of several spans, so that one call of the system gives many back.
class trimmer {
 public:
  void add(mspan& s) {
    const std::size_t page = os::machine_page_size();
    for (slot_run run = next_run(s, 0); run.first < s.slots; run = next_run(s, run.end)) {
      // The unused rest before slot 0 goes with it.
      const std::uintptr_t low = run.first == 0 ? window.address(s.run.first) : s.address({run.first});
      const std::uintptr_t start = round_up(low, page);
      const std::size_t too_many = is_planted(fault::trim_one_page_too_many) && run.end < s.slots ? page - 1 : 0;
      const std::uintptr_t end = round_down(s.address({run.end}) + too_many, page);
      if (start >= end) continue;
      if (count_ == most) finish();
      ranges_[count_] = {pointer_to(start), end - start};
      runs_[count_++] = {&s, run};
    }
  }

  void finish() {
    if (count_ == 0) return;
    const bool released = window.release(ranges_, count_);
    for (std::size_t i = 0; released && i < count_; ++i) {
      const std::uintptr_t start = address_of(ranges_[i].start);
      note_zeroed(*runs_[i].span, runs_[i].slots, start, start + ranges_[i].bytes);
      bytes_ += ranges_[i].bytes;
    }
    count_ = 0;
  }

  std::size_t bytes() const { return bytes_; }

 private:
  static constexpr std::size_t most = 64;
  struct run_of_span {
    mspan* span;
    slot_run slots;
  };

  os::range ranges_[most];
  run_of_span runs_[most];
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace

std::size_t trim_span(mspan& s) {
  trimmer t;
  t.add(s);
  t.finish();
  return t.bytes();
}

std::size_t trim_centrals(std::size_t most_bytes) {
  static constinit std::atomic<std::size_t> turn{0};
  trimmer t;
  for (std::size_t looked_at = 0; looked_at < span_class_count && t.bytes() < most_bytes;) {
    // relaxed: where to go on; two threads may look at different classes.
    const std::size_t c = turn.load(std::memory_order_relaxed) % span_class_count;
    if (central({static_cast<std::uint8_t>(c)}).trim_some(t)) continue;
    turn.fetch_add(1, std::memory_order_relaxed);
    ++looked_at;
  }
  return t.bytes();
}

}  // namespace umber::alloc

#include "mspan.h"

#include "planted.h"

#include "bitmap.h"

namespace umber::alloc {

constinit mspan no_span;

void mspan::format(page_run pages, span_class c, bool zeroed) {
  const class_info& k = info(c);
  run = pages;
  slot_size = k.slot_size;
  slots = k.slots;
  reciprocal = k.reciprocal;
  base = window.address(pages.first) + pages.count.bytes() - std::size_t{slots} * slot_size;
  // relaxed, here and below: the span is published by the index (release) and by its owner.
  cls.store(c.value, std::memory_order_relaxed);
  countdown = UINT32_MAX;
  flags = 0;
  for (std::size_t w = 0; w < words_per_span; ++w) {
    free[w].store(slot_bits(w), std::memory_order_relaxed);
    remote[w].store(0, std::memory_order_relaxed);
  }
  if (slot_size > max_table_size && (zeroed || is_planted(fault::wrong_zeroed_bit)))
    free[1].store(free[0].load(std::memory_order_relaxed), std::memory_order_relaxed);
}

void mspan::format_large(page_run pages, bool zeroed) {
  run = pages;
  slot_size = 0;
  slots = 1;
  reciprocal = 0;
  base = window.address(pages.first);
  // relaxed: published by the index (release).
  cls.store(0, std::memory_order_relaxed);
  flags = zeroed ? flag_zeroed : std::uint8_t{0};
  sample = nullptr;
  owner.store(span_owner::large, std::memory_order_relaxed);
}

void mspan::format_alone(span_class c) {
  const class_info& k = info(c);
  slot_size = k.slot_size;
  reciprocal = k.reciprocal;
  base = window.address(run.end()) - slot_size;  // aligned as in every span of the class
  // relaxed, all: the block is published by the program.
  cls.store(c.value, std::memory_order_relaxed);
  for (std::size_t w = 0; w < words_per_span; ++w) {
    free[w].store(0, std::memory_order_relaxed);
    remote[w].store(0, std::memory_order_relaxed);
  }
}

bool mspan::collect_remote() {
  bool any = false;
  for (std::size_t w = 0; w < words(); ++w) {
    // seq_cst: pairs with the fetch_or in remote.cc; after a change of owner or of in_inbox nothing sent before is
    // missed (litmus: listed, litmus: inbox).
    if (remote[w].load(std::memory_order_seq_cst) == 0) continue;
    // acquire: pairs with the release in remote.cc's flush; what the freeing thread wrote happened before.
    const std::uint64_t freed = remote[w].exchange(0, std::memory_order_acquire);
    const std::uint64_t before = free[w].load(std::memory_order_relaxed);  // relaxed: ours
    if (UMBER_UNLIKELY((before & freed) != 0))
      die_double_free(*this, {w * 64 + static_cast<std::size_t>(std::countr_zero(before & freed))});
    free[w].store(before | freed, std::memory_order_relaxed);
    any = true;
  }
  return any;
}

bool mspan::has_remote() const {
  for (std::size_t w = 0; w < words(); ++w)
    // seq_cst: pairs with the fetch_or in remote.cc; a full span is either seen here or there (litmus: leave_full).
    if (remote[w].load(std::memory_order_seq_cst) != 0) return true;
  return false;
}

std::size_t mspan::count_free() const {
  std::size_t n = 0;
  for (std::size_t w = 0; w < words(); ++w)
    n += bitmap::count(free[w].load(std::memory_order_relaxed));  // relaxed: ours
  return n;
}

std::size_t mspan::count_free_or_remote() const {
  std::size_t n = 0;
  for (std::size_t w = 0; w < words(); ++w)
    // relaxed: a snapshot; who acts on it takes the span first and counts again.
    n += bitmap::count(free[w].load(std::memory_order_relaxed) | remote[w].load(std::memory_order_relaxed));
  return n;
}

bool mspan::any_free() const {
  for (std::size_t w = 0; w < words(); ++w)
    if (free[w].load(std::memory_order_relaxed) != 0) return true;  // relaxed: ours
  return false;
}

bool mspan::valid() const {
  for (std::size_t w = 0; w < words(); ++w) {
    const std::uint64_t exist = slot_bits(w);
    // relaxed: the owner checks; remote bits may only appear meanwhile.
    const std::uint64_t gone = free[w].load(std::memory_order_relaxed);
    const std::uint64_t sent = remote[w].load(std::memory_order_relaxed);
    if ((gone & sent) != 0 || ((gone | sent) & ~exist) != 0) return false;  // [mspan.1] [mspan.2]
  }
  return base + std::size_t{slots} * slot_size == window.address(run.end());
}

void die_double_free(const mspan& span, slot_id slot, const char* call) {
  die_misuse(call, pointer_to(span.address(slot)), "was already freed", span.slot_size);
}

}  // namespace umber::alloc

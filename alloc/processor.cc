#include "processor.h"

#include "planted.h"
#include "trim.h"

namespace umber::alloc {

constinit processor no_processor;

namespace {

// Wholly free spans that a processor keeps for the next phase of its program.
constexpr std::size_t most_retained = 4 * mib;
// Spans with free slots that a processor keeps from the mcentrals: what a thread that falls asleep can withhold. A
// free beyond it costs about 50 ns more (with 16 MiB, 100,000 live blocks freed at random took twice as long).
constexpr std::size_t most_available = 32 * mib;
// A refill wants a span with this many free slots, or a sixteenth of them; it looks at a few before it takes another.
// Without that a heap at a steady size is packed so tightly that every other malloc is a refill.
constexpr std::size_t most_enough = 8;
constexpr std::size_t most_tries = 4;

constexpr std::uint64_t class_bit(span_class c) { return std::uint64_t{1} << (c.value % 64); }

}  // namespace

void* processor::allocate(span_class c, bool& zeroed) {
  inside = true;
  mcache_entry& entry = cache[c];
  const bool one_word = info(c).slot_size > max_table_size;
  zeroed = false;
  const auto take = [&](void*& p) { return one_word ? entry.take_zeroed(p, zeroed) : entry.take(p); };
  void* p = nullptr;
  if (!take(p) && refill(c)) static_cast<void>(take(p));
  inside = false;
  return p;
}

bool processor::refill(span_class c) {
  mcache_entry& entry = cache[c];
  if (mspan* s = entry.span(); s != nullptr) {
    if (entry.reload()) return true;
    if (s->collect_remote() && entry.find_word(s)) return true;
    // It waits once more among the others before it is left: most programs free soon what they have just allocated.
    entry.remove_span();
    s->countdown = s->slots;
    keep(s);
  }
  attend();
  used_classes[c.value / 64] |= class_bit(c);
  mspan* s = find_span(c);
  if (s == nullptr) return false;
  s->countdown = UINT32_MAX;
  entry.install(s);
  return true;
}

mspan* processor::take_available(span_class c, std::size_t enough) {
  for (std::size_t tries = 0; tries < most_tries; ++tries) {
    mspan* s = take_kept(c);
    if (s == nullptr) return nullptr;
    s->collect_remote();
    const std::size_t free = s->count_free();
    if (free == 0) {
      if (leave_full(s)) continue;
    } else if (free < enough) {
      keep(s);
      continue;
    }
    unretain(s);
    return s;
  }
  return nullptr;
}

// There are no pages: what this processor keeps for later is wanted now.
mspan* processor::find_last_resort(span_class c) {
  if (is_private) return take_available(c, 1);
  for (std::size_t k = 0; k < span_class_count; ++k) hand_over({static_cast<std::uint8_t>(k)});
  heap.empty_stock(stock);
  mspan* s = central(c).take(this);
  return s != nullptr ? s : heap.allocate_span(c, this, stock);
}

mspan* processor::find_span(span_class c) {
  mspan* s = take_available(c, info(c).slots / 16 < most_enough ? info(c).slots / 16 : most_enough);
  if (s != nullptr) return s;
  remote.send_all();
  if (!is_private) s = central(c).take(this);
  if (s != nullptr) return s;
  s = heap.allocate_span(c, this, stock);
  if (s == nullptr) s = find_last_resort(c);
  if (s == nullptr) return nullptr;
  if (is_private && s->private_home == nullptr) own_privately(s);
  return s;
}

void processor::own_privately(mspan* s) {
  s->private_home = this;
  s->heap_previous = nullptr;
  s->heap_next = heap_spans;
  if (heap_spans != nullptr) heap_spans->heap_previous = s;
  heap_spans = s;
}

void processor::forget_spans() {
  cache = {};
  for (span_list& list : available) list = {};
  retained_bytes = available_bytes = 0;
}

void processor::disown_privately(mspan* s) {
  (s->heap_previous != nullptr ? s->heap_previous->heap_next : heap_spans) = s->heap_next;
  if (s->heap_next != nullptr) s->heap_next->heap_previous = s->heap_previous;
  s->heap_next = s->heap_previous = nullptr;
  s->private_home = nullptr;
}

bool processor::leave_full(mspan* s) {
  // seq_cst: pairs with the fetch_or in remote.cc: a remote free is seen by the look below, or sees that we have left
  // (litmus: leave_full).
  s->owner.store(address_of(this) | span_owner::at_home, std::memory_order_seq_cst);
  if (UMBER_LIKELY(!s->has_remote()) || is_planted(fault::leave_full_without_second_look)) return true;
  std::uintptr_t left = address_of(this) | span_owner::at_home;
  // acquire: pairs with the store above.
  if (!s->owner.compare_exchange_strong(left, address_of(this), std::memory_order_acquire, std::memory_order_relaxed))
    return true;
  return !s->collect_remote();
}

bool processor::adopt(mspan* s) {
  std::uintptr_t left = address_of(this) | span_owner::at_home;
  // acquire: pairs with the store in leave_full; the free bits are as they were then.
  if (!s->owner.compare_exchange_strong(left, address_of(this), std::memory_order_acquire, std::memory_order_relaxed))
    return false;
  if (!is_planted(fault::adopt_without_collect)) s->collect_remote();
  s->countdown = static_cast<std::uint32_t>(s->slots - s->count_free());
  keep(s);
  bound_available(s);
  return true;
}

void processor::keep(mspan* s) {
  available[s->spans_class().value].push_back(s);
  available_bytes += s->run.count.bytes();
}

mspan* processor::take_kept(span_class c) {
  mspan* s = available[c.value].pop_front();
  if (s != nullptr) available_bytes -= s->run.count.bytes();
  return s;
}

void processor::bound_available(const mspan* newest) {
  if (is_private) return;
  for (std::size_t looked_at = 0; available_bytes > most_available && looked_at < span_class_count;) {
    const span_class c{static_cast<std::uint8_t>(next_to_hand_over % span_class_count)};
    if (available[c.value].empty() || available[c.value].front() == newest) {
      ++next_to_hand_over;
      ++looked_at;
      continue;
    }
    mspan* s = take_kept(c);
    unretain(s);
    give_to_central(s);
  }
}

void processor::span_emptied(mspan* s) {
  if (cache[s->spans_class()].span() == s) {
    s->countdown = UINT32_MAX;
    return;
  }
  inside = true;
  retire(s);
  inside = false;
}

void processor::retire(mspan* s) {
  s->collect_remote();  // a remote free of a slot that is free here: dies
  span_list& list = available[s->spans_class().value];
  list.remove(s);
  const std::size_t bytes = s->run.count.bytes();
  if (retained_bytes + bytes > most_retained) {
    available_bytes -= bytes;
    return release(s);
  }
  retained_bytes += bytes;
  s->flags |= mspan::flag_retained;
  s->countdown = UINT32_MAX;
  list.push_back(s);
}

void processor::release(mspan* s) {
  if (is_private) disown_privately(s);
  heap.free_span(s, &stock);
}

void processor::attend() {
  for (mspan* s = take_inbox(); s != nullptr;) {
    mspan* const following = s->inbox_next.load(std::memory_order_relaxed);  // relaxed: ours since take_inbox
    s->in_inbox.store(false, std::memory_order_seq_cst);  // pairs with the load in notify (litmus: inbox)
    attend_to(s);
    s = following;
  }
  const std::uint32_t pressure = heap.pressure();
  if (UMBER_UNLIKELY(pressure != seen_pressure)) {
    seen_pressure = pressure;
    if (is_private) return;
    hand_over_unused();
    trim_centrals(page_alloc::chunk_pages.bytes());
  }
}

void processor::attend_to(mspan* s) {
  const std::uintptr_t owner = s->owner.load(std::memory_order_acquire);  // pairs with the stores of whoever gave it
  if (is_private && owner == (address_of(this) | span_owner::at_home)) {
    if (!adopt(s)) return;
  } else if (owner != address_of(this)) {
    // It has changed hands since. Its new owner has a right to the news.
    if (span_owner::is_processor(owner) && s->has_remote()) span_owner::home(owner)->notify(s);
    return;
  }
  if (cache[s->spans_class()].span() == s || (s->flags & mspan::flag_retained) != 0) return;
  s->collect_remote();
  s->countdown = static_cast<std::uint32_t>(s->slots - s->count_free());
  if (s->countdown == 0) retire(s);
}

void processor::hand_over_unused() {
  for (std::size_t c = 0; c < span_class_count; ++c) {
    const span_class k{static_cast<std::uint8_t>(c)};
    const std::uint64_t used = used_classes[c / 64] | used_classes_before[c / 64];
    if ((used & class_bit(k)) == 0 && !available[c].empty()) hand_over(k);
  }
  for (std::size_t i = 0; i < 3; ++i) {
    used_classes_before[i] = used_classes[i];
    used_classes[i] = 0;
  }
}

void processor::hand_over(span_class c) {
  while (mspan* s = take_kept(c)) {
    unretain(s);
    give_to_central(s);
  }
}

void processor::unretain(mspan* s) {
  if ((s->flags & mspan::flag_retained) == 0) return;
  if (!is_planted(fault::retained_miscount)) retained_bytes -= s->run.count.bytes();
  s->flags &= static_cast<std::uint8_t>(~mspan::flag_retained);
}

void processor::give_to_central(mspan* s) {
  if (is_planted(fault::lose_span_at_hand_over)) return;
  s->collect_remote();
  if (!s->any_free() && leave_full(s)) return;
  mspan* rest = s->all_free() ? s : central(s->spans_class()).put(s);
  if (rest != nullptr) release(rest);
}

void processor::check_frees() {
  inside = true;
  remote.send_all();
  attend();
  for (mcache_entry& entry : cache.entries)
    if (mspan* s = entry.span()) s->collect_remote();
  for (const span_list& list : available) list.for_each([](mspan* s) { s->collect_remote(); });
  inside = false;
}

void processor::flush() {
  inside = true;
  remote.send_all();
  attend();
  for (std::size_t c = 0; c < span_class_count; ++c) {
    const span_class k{static_cast<std::uint8_t>(c)};
    hand_over(k);
    mspan* s = cache[k].span();
    cache[k].remove_span();
    sample_due[c] = 0;  // it was among the slots at hand
    if (s != nullptr) give_to_central(s);
  }
  heap.empty_stock(stock);
  disturbed = false;
  inside = false;
}

}  // namespace umber::alloc

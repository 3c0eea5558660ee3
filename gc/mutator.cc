#include "mutator.h"

#include "alloc/bitmap.h"
#include "alloc/metadata.h"
#include "alloc/os.h"

#include <cstring>

namespace umber::gc {

bool mutator::make_room(std::uint32_t id) {
  if (id < capacity) {
    entry_count = capacity;
    return true;
  }
  const auto wanted = static_cast<std::uint32_t>(round_up(id + 1 + id / 2, 64));
  // What it outgrows is not given back: it doubles at most, and mutators are used again.
  void* entry_memory = metadata::allocate(wanted * sizeof(detail::allocation_entry));
  void* held_memory = metadata::allocate(wanted * sizeof(held_span));
  if (entry_memory == nullptr || held_memory == nullptr) return false;
  if (capacity != 0) {
    std::memcpy(entry_memory, entries, capacity * sizeof(detail::allocation_entry));
    std::memcpy(held_memory, static_cast<const void*>(held), capacity * sizeof(held_span));
  }
  entries = static_cast<detail::allocation_entry*>(entry_memory);
  held = static_cast<held_span*>(held_memory);
  capacity = entry_count = wanted;
  return true;
}

bool mutator::take_word(std::uint32_t id, std::size_t from) {
  held_span& h = held[id];
  mspan* const s = h.span;
  const std::size_t words = s->words();
  for (std::size_t w = from; w < words; ++w) {
    const std::uint64_t bits = s->free[w].load(std::memory_order_relaxed);  // relaxed: ours
    if (bits == 0) continue;
    h.word = static_cast<std::uint32_t>(w);
    entries[id] = {bits, s->base + w * 64 * s->slot_size, s->slot_size};
    if (black && !is_planted(fault::allocate_white)) mark_slots(s, w, bits);
    return true;
  }
  return false;
}

bool mutator::next_word(std::uint32_t id) {
  const held_span h = held[id];
  if (h.span == nullptr) return false;
  UMBER_DCHECK(at_hand(id) == 0);
  // release: pairs with the acquire in for_each_object; what was made there is seen as it was made.
  h.span->free[h.word].store(0, std::memory_order_release);
  return take_word(id, h.word + 1);
}

void mutator::keep_back(std::uint32_t id, std::uint64_t most) {
  const sampler::cut cut = sampler::cut_after(entries[id].next, most);
  if (cut.later == 0) return;
  entries[id].next = cut.now;
  held[id].later = cut.later;
  held[id].sample_due = sampler::session();
}

bool mutator::take_kept_back(std::uint32_t id) {
  held_span& h = held[id];
  entries[id].next = h.later;
  h.later = 0;
  return h.sample_due == sampler::session();
}

void mutator::hold(std::uint32_t id, mspan* s) {
  held[id] = {};
  held[id].span = s;
  take_word(id, 0);
}

void mutator::give_up_span(std::uint32_t id) {
  held_span& h = held[id];
  mspan* const s = h.span;
  if (s == nullptr) return;
  const std::uint64_t unused = at_hand(id);
  if (black) unmark_slots(s, h.word, unused);
  s->free[h.word].store(unused, std::memory_order_release);  // pairs with the same acquire
  entries[id] = {};
  h = {};
  space_of(s).put(s, epoch);
}

void mutator::give_up_spans() {
  for (std::uint32_t id = 0; id < capacity; ++id) give_up_span(id);
}

void mutator::tell_made() {
  for (std::uint32_t id = 0; id < capacity; ++id)
    if (const held_span h = held[id]; h.span != nullptr)
      h.span->free[h.word].store(at_hand(id), std::memory_order_relaxed);  // relaxed: published by the answer
}

void mutator::become_black() {
  for (std::uint32_t id = 0; id < capacity; ++id) {
    const held_span h = held[id];
    if (h.span == nullptr) continue;
    // relaxed: ours. From here on what was at hand and is allocated is black, and need not be looked at.
    h.span->free[h.word].store(at_hand(id), std::memory_order_relaxed);
    if (!is_planted(fault::slots_at_hand_stay_white)) mark_slots(h.span, h.word, at_hand(id));
  }
  set_colour(barrier, true);
}

void mutator::set_colour(bool with_barrier, bool is_black) {
  barrier = with_barrier;
  black = is_black;
  const bool dijkstra = kind == umber::barrier::insertion;
  const bool both = kind == umber::barrier::hybrid && !is_black;
  const std::uint32_t recorded = (dijkstra ? 0 : record_old) | (dijkstra || both ? record_new : 0);
  store_mode = (with_barrier ? recorded : 0) | (checks_stores ? store_is_checked : 0);
}

void mutator::stalled(stall_cause cause, std::uint64_t since, std::uint64_t bytes, std::uint64_t busy_ns) {
  static constexpr const char* names[stall_causes] = {"handshake", "assist", "sweep", "barrier", "wait"};
  const std::uint64_t now = os::now();
  stalls.add(cause, now - since, busy_ns);
  timeline::span(names[static_cast<std::size_t>(cause)], since, now, bytes != 0 ? "bytes" : nullptr, bytes);
  if (on_stall != nullptr) on_stall(stall_context, cause, since, now - since);
}

void mutator::empty_full_buffer() {
  const std::uint64_t before = os::now();
  if (is_planted(fault::slow_barrier)) {
    constexpr std::uint32_t never = 0;
    os::wait(&never, never, 5'000'000);
  }
  if (is_planted(fault::full_buffer_dropped)) buffered = 0;
  empty_buffer();
  // Where there is nothing to take: else a chunk for each pair would soon be more memory than the heap.
  if (is_tortured && work->empty()) publish_chunk();
  stalled(stall_cause::barrier, before);
}

void mutator::empty_buffer() {
  constexpr std::size_t ahead = 8;
  for (std::size_t i = 0; i < buffered; ++i) {
    if (i + ahead < buffered) __builtin_prefetch(&object_map::mark_word(buffer[i + ahead]));
    if (!object_map::is_marked(buffer[i])) add_candidate(buffer[i]);
  }
  buffered = 0;
}

void mutator::add_candidate(std::uintptr_t object) {
  contributed = true;
  if (chunk != nullptr && !chunk->has_room()) publish_chunk();
  if (chunk == nullptr && (chunk = work->make_chunk()) == nullptr) {
    overflowed = true;
    work->count_published();   // before another, who has recorded it as well, can see the mark
    object_map::mark(object);  // marked and not scanned: see mark.h
    return;
  }
  chunk->items[chunk->count++] = object;
}

void mutator::publish_chunk() {
  if (chunk == nullptr) return;
  if (chunk->count != 0)
    work->publish(chunk);
  else
    work->drop_chunk(chunk);
  chunk = nullptr;
}

void mutator::forget_candidates() {
  buffered = 0;
  contributed = false;
  if (chunk != nullptr) chunk->count = 0;
  publish_chunk();
}

// The one answer that takes as long as there are locals (locals.h), so the slots go over without a branch.
void mutator::scan_handles() {
  std::size_t count = 0;
  locals.for_each_run([this, &count](void* const* slot, void* const* end) {
    if (is_planted(fault::handle_missed)) ++slot;
    while (slot != end) {
      if (chunk != nullptr && !chunk->has_room()) publish_chunk();
      if (chunk == nullptr && (chunk = work->make_chunk()) == nullptr) {
        if (local_slots::is_object(*slot)) add_candidate(address_of(*slot));  // which marks it
        ++slot;
        continue;
      }
      const std::size_t room = work_chunk::capacity - chunk->count;
      void* const* const stop = static_cast<std::size_t>(end - slot) > room ? slot + room : end;
      std::size_t n = chunk->count;
      for (; slot != stop; ++slot) {
        chunk->items[n] = address_of(*slot);
        n += static_cast<std::size_t>(local_slots::is_object(*slot));
      }
      count += n - chunk->count;
      chunk->count = n;
      contributed = contributed || n != 0;
    }
  });
  publish_chunk();
  if (locals.capacity() > local_chunk::capacity && count < locals.capacity() / 2) locals.sort(*this);
}

}  // namespace umber::gc

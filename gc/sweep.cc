#include "sweep.h"

#include "alloc/os.h"

namespace umber::gc {

namespace {

// Sweeps one span, and keeps the books.
swept sweep_one(managed_heap& h, mspan* s) {
  const swept result = sweep_span(s, h.options.torture != 0);
  return result;
}

void drop(managed_heap& h, mspan* s, span_stock& stock) {
  h.heap_bytes.fetch_sub(s->run.count.bytes(), std::memory_order_relaxed);  // relaxed: a number on its own
  free_span(s, &stock);
}

// Sweeps the span and those after it, `most` in all, until one has free slots: that one, held.
mspan* sweep_until_free(space& home, mutator& m, mspan* s, std::size_t most) {
  for (; s != nullptr; s = home.take_unswept(m.epoch)) {
    const swept result = sweep_one(*m.heap, s);
    if (!home.is_large() && result.live < s->slots) return s;
    if (home.is_large() && result.live == 0)
      drop(*m.heap, s, m.stock);
    else
      home.put(s, m.epoch);
    if (--most == 0) return nullptr;
  }
  return nullptr;
}

}  // namespace

mspan* sweep_for(space& home, mutator& m, std::size_t most) {
  mspan* first = home.take_unswept(m.epoch);
  if (first == nullptr) return nullptr;
  const std::uint64_t before = os::now();
  if (!home.is_large() && !home.destroys) {
    mspan* found = sweep_until_free(home, m, first, most);
    m.stalled(stall_cause::sweep, before);
    return found;
  }
  const std::uint64_t cpu_before = os::thread_cpu_time();
  mspan* found = sweep_until_free(home, m, first, most);
  const std::uint64_t busy = os::thread_cpu_time() - cpu_before;
  m.stalled(stall_cause::sweep, before, 0, busy);
  return found;
}

bool sweep_some(managed_heap& h, span_stock& stock, std::size_t most) {
  constexpr std::size_t spans_per_look = 64;
  std::size_t spans = 0;
  const std::uint64_t before = os::thread_cpu_time();
  h.turns.begin();
  // acquire: pairs with the release in space_for.
  for (space* home = h.all_spaces.load(std::memory_order_acquire); home != nullptr; home = home->next) {
    while (spans != most) {
      mspan* s = home->take_unswept(h.epoch);
      if (s == nullptr) break;
      if (sweep_one(h, s).live == 0)
        drop(h, s, stock);
      else
        home->put(s, h.epoch);
      timeline::flush_if_wanted();
      if (++spans % spans_per_look == 0) h.turns.pause();
    }
  }
  h.sweep_ns.fetch_add(os::thread_cpu_time() - before, std::memory_order_relaxed);  // relaxed: a statistic
  return spans == most;
}

void sweep_rest(managed_heap& h, span_stock& stock) { static_cast<void>(sweep_some(h, stock, SIZE_MAX)); }

void sweep_everything(managed_heap& h, span_stock& stock) {
  {
    const lock_guard guard(h.mutators_lock);
    h.begin_sweep();
  }
  sweep_rest(h, stock);
}

}  // namespace umber::gc

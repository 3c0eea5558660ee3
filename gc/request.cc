#include "request.h"

#include "handshake.h"

#include "alloc/os.h"

namespace umber::gc {

namespace {

const volatile std::uint32_t* futex_word(const std::atomic<std::uint32_t>& word) {
  return reinterpret_cast<const volatile std::uint32_t*>(&word);
}

// Cycles are counted modulo 2^32.
bool is_before(std::uint32_t a, std::uint32_t b) { return static_cast<std::int32_t>(a - b) < 0; }

void want(managed_heap& h, std::uint32_t cycle) {
  std::uint32_t wanted = h.wanted.load(std::memory_order_relaxed);  // relaxed: exchanged below
  while (is_before(wanted, cycle)) {
    // release: pairs with the acquire of the collector's thread.
    if (!h.wanted.compare_exchange_weak(wanted, cycle, std::memory_order_release, std::memory_order_relaxed)) continue;
    call_collector(h);
    return;
  }
}

}  // namespace

void call_collector(managed_heap& h) {
  h.called_on.store(os::current_processor(), std::memory_order_relaxed);  // relaxed: a hint
  h.calls.fetch_add(1, std::memory_order_release);  // pairs with the acquire of the collector's thread
  os::wake_one(futex_word(h.calls));
}

bool is_due(const managed_heap& h) {
  // relaxed, both: numbers that nothing else hangs on.
  const std::size_t grown = h.allocated.load(std::memory_order_relaxed) + h.external_since_plan();
  return grown >= h.trigger.load(std::memory_order_relaxed);
}

void start_cycle(managed_heap& h) {
  // acquire, both: pair with the releases of the collector's thread.
  const std::uint32_t started = h.started.load(std::memory_order_acquire);
  if (started == h.finished.load(std::memory_order_acquire)) want(h, started + 1);
}

void collect(managed_heap& h) {
  // acquire, both: pair with the releases of the collector's thread.
  const std::uint32_t cycle = h.started.load(std::memory_order_acquire) + 1;
  want(h, cycle);
  for (;;) {
    const std::uint32_t finished = h.finished.load(std::memory_order_acquire);
    if (!is_before(finished, cycle)) return;
    os::wait(futex_word(h.finished), finished);
  }
}

void collect_for(mutator& m) {
  enter_blocking(m);
  collect(*m.heap);
  leave_blocking(m);
}

}  // namespace umber::gc

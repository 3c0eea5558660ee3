#include "assist.h"

#include "handshake.h"
#include "mark.h"

#include "alloc/os.h"

namespace umber::gc {

namespace {

constexpr std::size_t objects_at_once = 400;  // at most 10 us: after these a step looks at the clock
constexpr std::uint64_t step_ns = 10'000;
constexpr int steps_at_once = 4;
constexpr std::int64_t worth_a_step = 16 * static_cast<std::int64_t>(kib);

// Takes what the workers have done ahead.
void use_credit(mutator& m) {
  // relaxed, all: an account, nothing hangs on its order.
  const std::int64_t credit = m.heap->background_credit.load(std::memory_order_relaxed);
  if (credit <= 0) return;
  const std::int64_t taken = credit < m.debt ? credit : m.debt;
  m.heap->background_credit.fetch_sub(taken, std::memory_order_relaxed);
  m.debt -= taken;
}

// Marks until the debt is paid, the time of a step is up, or nothing is left that it could take. False: it had nothing.
bool take_step(mutator& m) {
  managed_heap& h = *m.heap;
  const std::uint64_t before = os::now();
  std::int64_t done = 0;
  bool took_work;
  {
    marker mark(h);
    do done += static_cast<std::int64_t>(mark.drain(objects_at_once));
    while (mark.has_work() && done < m.debt && os::now() - before < step_ns);
    took_work = mark.took_work();
  }
  m.contributed = m.contributed || took_work;
  m.debt -= done;
  m.stalled(stall_cause::assist, before, static_cast<std::uint64_t>(done));
  // relaxed: a statistic. Time that passed: to ask for that of the processor costs a tenth of a step.
  h.assist_ns.fetch_add(stall_record::likely_busy(os::now() - before), std::memory_order_relaxed);
  return took_work;
}

}  // namespace

void pay_for(mutator& m, std::size_t bytes) {
  managed_heap& h = *m.heap;
  // relaxed, both: a mutator that sees the change late owes a little less.
  if (!h.marking.load(std::memory_order_relaxed)) return;
  const double ratio = h.assist_ratio.load(std::memory_order_relaxed);
  m.debt += static_cast<std::int64_t>(static_cast<double>(bytes) * ratio);
  if (m.debt < worth_a_step) return;
  use_credit(m);
  for (int step = 0; step < steps_at_once && m.debt >= worth_a_step; ++step) {
    const bool took_work = take_step(m);
    answer_pending(m);
    if (!took_work) return;
  }
}

}  // namespace umber::gc

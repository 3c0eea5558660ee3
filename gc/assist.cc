#include "assist.h"

#include "handshake.h"
#include "mark.h"

#include "alloc/os.h"

namespace umber::gc {

namespace {

constexpr std::size_t objects_per_step = 400;
constexpr int steps_at_once = 2;
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
    const std::uint64_t before = os::now();
    std::size_t done;
    bool took_work;
    {
      marker mark(h);
      done = mark.drain(objects_per_step);
      took_work = mark.took_work();
    }
    m.contributed = m.contributed || took_work;
    m.stalled(stall_cause::assist, before, done);
    // relaxed: a statistic. Time that passed: to ask for that of the processor costs a tenth of a step.
    h.assist_ns.fetch_add(stall_record::likely_busy(os::now() - before), std::memory_order_relaxed);
    answer_pending(m);
    if (!took_work) return;
    m.debt -= static_cast<std::int64_t>(done);
  }
}

}  // namespace umber::gc

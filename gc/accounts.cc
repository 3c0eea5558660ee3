#include "accounts.h"

#include "alloc/os.h"

namespace umber::gc {

namespace {

std::uint64_t figure(const std::atomic<std::uint64_t>& value) {
  return value.load(std::memory_order_relaxed);  // relaxed: a figure
}

std::uint64_t less(std::uint64_t a, std::uint64_t b) { return a > b ? a - b : 0; }

}  // namespace

cpu_times cpu_used(managed_heap& h) {
  cpu_times used{};
  used.mark_ns = figure(h.mark_ns);
  used.assist_ns = figure(h.assist_ns);
  used.sweep_ns = figure(h.sweep_ns);
  {
    const lock_guard guard(h.mutators_lock);
    const auto count = [&](const stall_record& stalls) {
      used.mutator_sweep_ns += stalls.busy_ns(stall_cause::sweep);
      used.barrier_ns += stalls.busy_ns(stall_cause::barrier) + stalls.busy_ns(stall_cause::handshake);
    };
    count(h.stalls);
    for (const mutator* m = h.mutators; m != nullptr; m = m->next) count(m->stalls);
  }
  const std::uint64_t collecting =
      used.mark_ns + used.assist_ns + used.sweep_ns + used.mutator_sweep_ns + used.barrier_ns;
  used.mutator_ns = less(os::process_cpu_time() - h.process_cpu_before, collecting);
  return used;
}

cpu_times operator-(const cpu_times& later, const cpu_times& earlier) {
  return {.mark_ns = less(later.mark_ns, earlier.mark_ns),
          .assist_ns = less(later.assist_ns, earlier.assist_ns),
          .sweep_ns = less(later.sweep_ns, earlier.sweep_ns),
          .mutator_sweep_ns = less(later.mutator_sweep_ns, earlier.mutator_sweep_ns),
          .barrier_ns = less(later.barrier_ns, earlier.barrier_ns),
          .mutator_ns = less(later.mutator_ns, earlier.mutator_ns)};
}

}  // namespace umber::gc

#include "trace.h"

#include "settings.h"

#include "alloc/os.h"

namespace umber::gc {

namespace {

// A number with its decimals: `value` of units that are `unit` each.
message& add_fixed(message& line, std::uint64_t value, std::uint64_t unit, std::uint64_t decimals) {
  line << value / unit;
  if (decimals != 0) line << ".";
  for (std::uint64_t rest = value % unit; decimals != 0; --decimals) {
    line << rest * 10 / unit;
    rest = rest * 10 % unit;
  }
  return line;
}

message& add_ms(message& line, std::uint64_t ns, std::uint64_t decimals = 3) {
  return add_fixed(line, ns, 1'000'000, decimals);
}

message& add_mib(message& line, std::size_t bytes) {
  if (bytes == SIZE_MAX) return line << "none";
  // Divided first: a size may be near the largest number.
  return add_fixed(line, bytes / kib, kib, 1);
}

std::uint64_t figure(const std::atomic<std::uint64_t>& value) {
  return value.load(std::memory_order_relaxed);  // relaxed: a figure
}

constexpr const char* phase_names[] = {"barrier on", "settle", "scan", "mark", "weak", "finish", "sweep"};

void count_bytes(const managed_heap& h) {
  timeline::counter("live", figure(h.last_marked_bytes));
  timeline::counter("heap", h.live_bytes + figure(h.allocated) + h.external_now());
  const std::size_t goal = figure(h.goal);
  if (goal != SIZE_MAX) timeline::counter("goal", goal);
}

std::size_t mutator_count(managed_heap& h) {
  const lock_guard guard(h.mutators_lock);
  return h.mutator_count;
}

}  // namespace

cycle_trace::cycle_trace(managed_heap& h)
    : heap_(h),
      began_at_(os::now()),
      last_(began_at_),
      mark_ns_(figure(h.mark_ns)),
      assist_ns_(figure(h.assist_ns)),
      sweep_ns_(figure(h.sweep_ns)),
      plan_(h.pace.current) {
  h.longest_round_ns = 0;
  if (timeline::is_on()) count_bytes(h);
}

void cycle_trace::ended(phase p) {
  const std::uint64_t now = os::now();
  clock_[static_cast<std::size_t>(p)] = now - last_;
  timeline::span(phase_names[static_cast<std::size_t>(p)], last_, now);
  last_ = now;
  if (timeline::is_on()) count_bytes(heap_);
}

void cycle_trace::print() {
  timeline::span("cycle", began_at_, last_, "cycle", figure(heap_.cycles));
  timeline::flush();
  if (current_settings().trace_cycles) print_cycle();
  if (current_settings().trace_pacer) print_pacer();
}

void cycle_trace::print_cycle() const {
  const managed_heap& h = heap_;
  const std::uint64_t age = last_ - h.made_at;
  const std::uint64_t collecting = figure(h.mark_ns) + figure(h.sweep_ns);
  const std::uint64_t processors = os::processor_count();
  message line;
  line << "umber: gc " << figure(h.cycles) << " @";
  add_fixed(line, began_at_ - h.made_at, 1'000'000'000, 3) << "s ";
  line << collecting * 100 / (age * processors + 1) << "%: ";
  for (std::size_t p = 0; p < phases; ++p) {
    if (p != 0) line << "+";
    add_ms(line, clock_[p]);
  }
  const std::uint64_t assists = figure(h.assist_ns) - assist_ns_;
  const std::uint64_t marking = figure(h.mark_ns) - mark_ns_;
  line << " ms clock, ";
  add_ms(line, marking > assists ? marking - assists : 0, 1) << "+";
  add_ms(line, assists, 1) << "+";
  add_ms(line, figure(h.sweep_ns) - sweep_ns_, 1) << " ms cpu, ";
  add_mib(line, h.pace.started_at) << "->";
  add_mib(line, h.pace.started_at + h.pace.last.allocated_while_marking) << "->";
  add_mib(line, h.live_bytes) << " MiB, ";
  add_mib(line, plan_.goal) << " MiB goal, ";
  line << mutator_count(heap_) << " mutators, " << processors << " processors, ";
  add_ms(line, h.longest_round_ns) << " ms handshake";
  line.print();
}

void cycle_trace::print_pacer() const {
  const pace_state& pace = heap_.pace;
  const gc_cpu_limiter& limiter = pace.limiter;
  message line;
  line << "umber: pacer " << figure(heap_.cycles) << ": trigger ";
  add_mib(line, plan_.trigger) << " MiB, began ";
  add_mib(line, pace.started_at) << ", ";
  add_mib(line, plan_.expected_work) << " expected, ";
  add_mib(line, pace.last.marked_bytes) << " marked, ";
  add_mib(line, pace.last.allocated_while_marking) << " made, assist ";
  const double ratio = heap_.assist_ratio.load(std::memory_order_relaxed);  // relaxed: a figure
  add_fixed(line, static_cast<std::uint64_t>(ratio * 1000), 1000, 2) << ", rate ";
  add_fixed(line, static_cast<std::uint64_t>(pace.last.rates.highest() * 1000), 1000, 3) << ", limiter ";
  line << limiter.fill_ns * 100 / (limiter.capacity_ns + 1) << "%, next trigger ";
  add_mib(line, pace.current.trigger) << ", goal ";
  add_mib(line, pace.current.goal);
  if (pace.current.limited_by_memory) line << " (by the memory limit)";
  line.print();
}

}  // namespace umber::gc

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
    : heap_(h), last_(os::now()), cpu_before_(cpu_used(h)), plan_(h.pace.current) {
  h.longest_round_ns = 0;
  if (timeline::is_on()) count_bytes(h);
  now_.began_ns = last_ - h.made_at;
}

void cycle_trace::ended(phase p) {
  const std::uint64_t now = os::now();
  timeline::span(phase_names[static_cast<std::size_t>(p)], last_, now);
  now_.phase_ns[static_cast<std::size_t>(p)] = now - last_;
  last_ = now;
  if (timeline::is_on()) count_bytes(heap_);
}

void cycle_trace::tell() {
  const managed_heap& h = heap_;
  now_.number = figure(h.cycles);
  now_.longest_round_ns = h.longest_round_ns;
  now_.cpu = cpu_used(heap_) - cpu_before_;
  now_.began_bytes = h.pace.started_at;
  now_.peak_bytes = h.pace.started_at + h.pace.last.allocated_while_marking;
  now_.live_bytes = h.live_bytes;
  now_.goal_bytes = plan_.goal;
  now_.marked_objects = figure(h.marked_objects);
  now_.mutators = mutator_count(heap_);
  heap_.log.add(now_);
  // It begins before its first phase: of two that begin together, viewers take the one recorded first for the outer.
  timeline::span("cycle", h.made_at + now_.began_ns - 1, last_, "cycle", now_.number);
  timeline::flush();
  if (current_settings().trace_cycles) print_cycle();
  if (current_settings().trace_pacer) print_pacer();
}

void cycle_trace::print_cycle() const {
  const std::uint64_t age = last_ - heap_.made_at;
  const cpu_times all = cpu_used(heap_);
  const std::uint64_t collecting = all.mark_ns + all.assist_ns + all.sweep_ns + all.mutator_sweep_ns + all.barrier_ns;
  const std::uint64_t processors = os::processor_count();
  message line;
  line << "umber: gc " << now_.number << " @";
  add_fixed(line, now_.began_ns, 1'000'000'000, 3) << "s ";
  line << collecting * 100 / (age * processors + 1) << "%: ";
  for (std::size_t p = 0; p < cycle_phases; ++p) {
    if (p != 0) line << "+";
    add_ms(line, now_.phase_ns[p]);
  }
  line << " ms clock, ";
  add_ms(line, now_.cpu.mark_ns, 1) << "+";
  add_ms(line, now_.cpu.assist_ns, 1) << "+";
  add_ms(line, now_.cpu.sweep_ns, 1) << " ms cpu, ";
  add_mib(line, now_.began_bytes) << "->";
  add_mib(line, now_.peak_bytes) << "->";
  add_mib(line, now_.live_bytes) << " MiB, ";
  add_mib(line, now_.goal_bytes) << " MiB goal, ";
  line << now_.mutators << " mutators, " << processors << " processors, ";
  add_ms(line, now_.longest_round_ns) << " ms handshake, ";
  add_ms(line, now_.cpu.mutator_sweep_ns, 1) << "+";
  add_ms(line, now_.cpu.barrier_ns, 1) << "+";
  add_ms(line, now_.cpu.mutator_ns, 1) << " ms mutators";
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

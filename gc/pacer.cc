#include "pacer.h"

#include "alloc/planted.h"

namespace umber::gc {

namespace {

using alloc::kib;
using alloc::mib;

constexpr double most_cons_mark = 1000;
constexpr double earliest_trigger = 0.5;  // of the way from live to goal
constexpr double least_runway = 0.1;      // of the way from there to the goal
constexpr std::size_t enough_runway = 4 * mib;
constexpr std::size_t least_growth = 256 * kib;
constexpr std::size_t least_work = kib;
constexpr double overshoot = 1.1;
constexpr double limit_headroom = 0.03;
constexpr std::size_t least_headroom = mib;
constexpr std::uint64_t silent_periods = 15;

constexpr std::size_t lower(std::size_t a, std::size_t b) { return a < b ? a : b; }
constexpr std::size_t higher(std::size_t a, std::size_t b) { return a < b ? b : a; }
constexpr std::size_t sum(std::size_t a, std::size_t b) { return a > SIZE_MAX - b ? SIZE_MAX : a + b; }
constexpr std::size_t difference(std::size_t a, std::size_t b) { return a > b ? a - b : 0; }
constexpr double clamp(double x, double low, double high) { return !(x > low) ? low : x > high ? high : x; }

// factor * bytes. Bytes are reckoned in floating point, exact up to 2^53, and saturate only here.
std::size_t scaled(std::size_t bytes, double factor) {
  const double x = factor * static_cast<double>(bytes);
  if (!(x > 0)) return 0;
  return x >= static_cast<double>(SIZE_MAX) ? SIZE_MAX : static_cast<std::size_t>(x);
}

// The least distance from a heap to its goal: a cycle has a fixed cost, so it must serve some allocation.
std::size_t small_runway(std::size_t heap) { return higher(least_growth, heap / 64); }

double growth_factor(const pacer_options& options) { return static_cast<double>(options.percent) / 100; }

std::size_t goal_by_percent(const pacer_options& options, const cycle_record& last, std::size_t live) {
  if (options.percent == pacer_options::off) return SIZE_MAX;
  const std::size_t settled = difference(live, last.allocated_while_marking);
  const std::size_t grown = sum(live, scaled(sum(settled, last.root_bytes), growth_factor(options)));
  return higher(grown, sum(options.minimum_heap, options.minimum_heap / 4));
}

// What is over the limit already is taken off a second time: nobody knows what made it so, and the heap has to make
// room.
std::size_t goal_by_limit(const pacer_options& options, const memory_state& memory) {
  const std::size_t limit = lower(options.soft_limit, options.hard_limit);
  if (limit == pacer_options::off) return SIZE_MAX;
  const std::size_t total = sum(sum(memory.heap_bytes, memory.overhead_bytes), memory.free_bytes);
  const std::size_t room = difference(difference(limit, memory.overhead_bytes), difference(total, limit));
  return room - lower(higher(least_headroom, scaled(room, limit_headroom)), room / 2);
}

std::size_t expected_runway(const pacer_options& options, const cycle_record& last, std::size_t work) {
  const double share = clamp(options.background_share, 0.01, 0.99);
  return scaled(work, last.rates.highest() * (1 - share) / share);
}

// Where marking starts so as to end at the goal. Before the first measurement: in the middle of what is allowed.
std::size_t trigger_for(std::size_t goal, std::size_t earliest, std::size_t runway, bool known) {
  const std::size_t widest = goal - earliest;
  if (!known) return goal - widest / 2;
  const std::size_t narrowest = lower(higher(scaled(widest, least_runway), 1), enough_runway);
  return goal - lower(widest, higher(narrowest, runway));
}

}  // namespace

double cons_mark_history::highest() const {
  double result = 0;
  for (const double measured : recent) result = measured > result ? measured : result;
  return result;
}

cons_mark_history observe(const cycle_record& last) {
  cons_mark_history rates = last.rates;
  if (last.allocated_while_marking == 0 || last.marked_bytes == 0) return rates;
  if (last.mutator_cpu_ns == 0 || last.mark_cpu_ns == 0) return rates;
  const double cons = static_cast<double>(last.allocated_while_marking) / static_cast<double>(last.mutator_cpu_ns);
  const double mark = static_cast<double>(last.marked_bytes) / static_cast<double>(last.mark_cpu_ns);
  const double cons_mark = clamp(cons / mark, 0, most_cons_mark);
  rates.recent[rates.cycles++ % (sizeof rates.recent / sizeof rates.recent[0])] = cons_mark;
  return rates;
}

memory_state counted(const memory_use& use, bool limit_is_shared) {
  const std::size_t free_slots = difference(use.in_spans, use.live);
  const std::size_t others = difference(use.pages_in_use, use.in_spans);
  const double all = static_cast<double>(higher(higher(use.pages_in_use, use.in_spans), 1));
  const double part = limit_is_shared ? 1 : static_cast<double>(use.in_spans) / all;
  memory_state state;
  state.heap_bytes = sum(use.live, use.external);
  state.overhead_bytes = sum(sum(free_slots, limit_is_shared ? others : 0), scaled(use.metadata, part));
  state.free_bytes = scaled(use.pages_free, part);
  return state;
}

plan plan_cycle(const pacer_options& options, const cycle_record& last, const memory_state& memory) {
  const std::size_t live = sum(last.live_bytes, last.external_bytes);
  const std::size_t least = sum(live, small_runway(live));
  const std::size_t by_percent = goal_by_percent(options, last, live);
  const std::size_t by_limit = goal_by_limit(options, memory);
  plan p;
  p.limited_by_memory = by_limit < by_percent;
  p.goal = higher(least, lower(by_percent, by_limit));
  p.expected_work = sum(last.marked_bytes, last.root_bytes);
  if (p.goal == SIZE_MAX) return p;

  p.hard_goal = higher(p.goal, lower(by_limit, scaled(p.goal, 1 + growth_factor(options))));
  std::size_t earliest = sum(live, higher(scaled(p.goal - live, earliest_trigger), 1));
  if (!p.limited_by_memory) earliest = higher(earliest, lower(options.minimum_heap, p.goal - 1));
  const std::size_t runway = expected_runway(options, last, p.expected_work);
  p.trigger = trigger_for(p.goal, earliest, runway, last.rates.cycles != 0);
  p.assist_ratio = assist_ratio(p.expected_work, p.goal - p.trigger);
  return p;
}

plan held_back(const pacer_options& options, const cycle_record& last, const memory_state& memory) {
  pacer_options without = options;
  without.soft_limit = without.hard_limit = pacer_options::off;
  plan p = plan_cycle(without, last, memory);
  p.is_held_back = true;
  return p;
}

double assist_ratio(std::size_t work_left, std::size_t heap_left) {
  const double work = static_cast<double>(higher(work_left, least_work));
  return clamp(work / static_cast<double>(higher(heap_left, 1)), 0, most_assist_ratio);
}

double revised_assist_ratio(const plan& p, const mark_progress& now) {
  std::size_t goal = p.goal;
  std::size_t work = p.expected_work == 0 ? now.most_work : p.expected_work;
  if (now.work_done > work) {
    const double growth = static_cast<double>(now.most_work) / static_cast<double>(work);
    const std::size_t stretched = sum(p.trigger, scaled(difference(p.goal, p.trigger), growth));
    goal = higher(goal, lower(stretched, p.hard_goal));
    work = now.most_work;
  }
  if (now.heap_bytes > goal) work = now.most_work;
  // What a limit allows is only stretched by its headroom: there the cap of the ratio and the limiter are what gives.
  if (now.heap_bytes > goal) goal = scaled(goal, p.limited_by_memory ? 1 + limit_headroom : overshoot);
  if (!p.limited_by_memory) goal = higher(goal, sum(now.started_at, small_runway(now.started_at)));
  return assist_ratio(difference(work, now.work_done), difference(goal, now.heap_bytes));
}

bool should_collect_idle(const pacer_options& options, std::uint64_t now_ns, std::uint64_t last_cycle_end_ns,
                         std::size_t allocated_since) {
  if (options.percent == pacer_options::off || options.idle_ns == 0 || now_ns < last_cycle_end_ns) return false;
  const bool is_silent = allocated_since == 0 && !is_planted(alloc::fault::silent_heap_collected);
  return (now_ns - last_cycle_end_ns) / (is_silent ? silent_periods : 1) >= options.idle_ns;
}

bool gc_cpu_limiter::update(std::uint64_t gc_ns, std::uint64_t total_ns) {
  const std::uint64_t collecting = gc_ns < total_ns ? gc_ns : total_ns;
  const std::uint64_t running = total_ns - collecting;
  if (collecting < running) {
    const std::uint64_t drained = running - collecting;
    fill_ns -= drained < fill_ns ? drained : fill_ns;
    return limiting();
  }
  const std::uint64_t brim = sum(capacity_ns, capacity_ns);
  const std::uint64_t room = brim > fill_ns ? brim - fill_ns : 0;
  const std::uint64_t more = collecting - running;
  fill_ns += more < room ? more : room;
  overflow_ns = sum(overflow_ns, more < room ? 0 : more - room);
  return limiting();
}

}  // namespace umber::gc

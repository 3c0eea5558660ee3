// When to collect, and how much of it the mutators do themselves: arithmetic only.
//
// A cycle runs beside the mutators, so the heap grows while it marks. The *goal* is how large the heap may be when
// marking ends, the *trigger* how large it is when marking starts; between them lies the *runway*. All three count
// bytes of heap: what the last cycle left, what was allocated since, and malloc memory that managed objects own.
//
//   goal    = live + (settled + roots) * percent / 100      settled = live, less what was allocated while it marked
//   runway  = cons_mark * (1 - u) / u * work                u = the workers' share of the processors: 25 % of four
//   trigger = goal - runway, and at least live + (goal - live) / 2
//   assist  = work left / (goal - heap)                     bytes to mark for each byte allocated while marking runs
//
// `cons_mark` is the mutators' rate of allocation over the collector's rate of marking, each in bytes per nanosecond of
// processor: measured in each cycle, and taken as the highest of the last four. With it right the workers alone end at
// the goal and nobody assists. It is not the mean because the two errors differ: a trigger too early costs a little
// memory, one too late makes mutators wait. Assists close the gap whatever the estimate: each mutator marks in
// proportion to what it allocates, out of the workers' credit first, so the cycle ends at the goal also when the
// program changes. A cycle that finds more to mark than the last one did is in a heap that grows: it stretches its
// goal, at most to where the next goal would be anyway, and the ratio stays flat. Beyond the goal it aims at a tenth
// more, for all that could be live; the ratio is capped, because an allocation that waits for a whole cycle is a pause.
//
// All of this is Go's since 1.18 and 1.19 (Knyszek, "GC pacer redesign", 2021; "Soft memory limit", 2022) but for one
// term. What is allocated while marking is black: it survives whether anybody needs it or not. Go lets it earn runway,
// so floating garbage begets more of it, and Go must not trigger below 70 % of the way. Here it earns none in its first
// cycle: the loop is cut, and the trigger may go down to half of the way, where a program that allocates fast assists
// less. Simulated with allocation as fast as marking the heap peaks at 2.5 x live; with Go's goal and this trigger at
// 4.0, with both of Go's at 2.9. The price is the usual one: 50 % of the time in the collector instead of 41 %.
//
// A memory limit is a goal too: the limit, less what is not heap, less 3 % for what the estimate misses; the lower goal
// counts. Below the live heap it can not be met. Then cycles follow each other closely, and the `gc_cpu_limiter` sees
// that the program still runs: a bucket that fills with the collector's processor time and drains with the mutators'.
// While it is full, mutators do not assist, and cycles do not begin for the limit's sake: the plan is as if there were
// none (`held_back`), until the program has had its half. So the collector has half of the time at most, after a spike
// of one second a processor, however many processors its threads take: a limit too low makes a program slower and
// larger, never stuck. What one update brings beyond the
// capacity is kept, up to as much again; Go forgets it, and with coarse updates its half was 55 % in the simulation.
//
// External memory is only known to be dead when its owner is swept. So `external_bytes` is what the last sweep left,
// and a plan is made twice: when marking ends, and again when the sweep has ended, before a trigger counts. Were
// garbage taken for live, the goal would allow as much garbage again on top of it, and grow with every cycle.
//
// Invariants
//   [pacer.1] live < trigger < goal <= hard_goal, below SIZE_MAX, whatever the numbers; never is goal == SIZE_MAX.
//   [pacer.2] an assist ratio is finite, above zero and at most most_assist_ratio.
//   [pacer.3] goal and overhead together are at most the limit, if the live heap and a small runway leave room.
//   [pacer.4] processor time of the collector minus that of the mutators never exceeds the limiter's capacity by more
//             than one cycle's, if nobody assists while it is limiting and plans are `held_back`, as far as only the
//             limit makes collect.
//   [pacer.5] without a limit that presses no trigger is below minimum_heap; with percent off there is none.
// Concurrency
//   Pure functions of values. Whoever owns a value guards it.
// Uses / used by
//   Uses base. Used by assist (the ratio), cycle (plans), heap (the limiter, the idle collection).
#pragma once

#include "alloc/base.h"

namespace umber::gc {

struct pacer_options {
  static constexpr std::size_t off = SIZE_MAX;

  std::size_t percent = 100;                  // growth between collections; off: only a limit makes collect
  std::size_t minimum_heap = 4 * alloc::mib;  // growth below it does not collect
  std::size_t soft_limit = off;               // bytes, of all that memory_state counts
  std::size_t hard_limit = off;               // the lower of the two counts
  double background_share = 0.25;             // of the processors, that the workers take while they mark
  std::uint64_t idle_ns = 120'000'000'000;    // without a cycle, after which there is one; 0: never
  bool limit_is_shared = false;               // the soft one is the process's: what others use counts, too
};

// The highest of the last measurements of allocation against marking.
struct cons_mark_history {
  double recent[4] = {};
  std::size_t cycles = 0;  // measured so far; 0: nothing is known

  double highest() const;
};

// What is known when a cycle ends.
struct cycle_record {
  // The heap now.
  std::size_t live_bytes = 0;      // of objects that the cycle marked, and that were allocated while it ran
  std::size_t external_bytes = 0;  // malloc memory of managed objects, as the last sweep that ended left it
  std::size_t root_bytes = 0;      // of handles, to be scanned by the next cycle
  // The cycle that ended.
  std::size_t marked_bytes = 0;             // scanned: without noscan objects, new ones, roots
  std::size_t allocated_while_marking = 0;  // with external memory
  // Processor time from the trigger to the end. The mutators' is what was left for them, used or not: processors times
  // duration, less workers and assists. Marking is workers, assists and idle processors.
  std::uint64_t mutator_cpu_ns = 0;
  std::uint64_t mark_cpu_ns = 0;
  // All cycles.
  cons_mark_history rates;
};

// What a heap uses now, and the process it is in; bytes.
struct memory_use {
  std::size_t live = 0;      // objects, and garbage that is not swept yet
  std::size_t in_spans = 0;  // these, and free slots
  std::size_t external = 0;  // malloc memory that objects own
  // Of the process: pages that are in use by heaps, by malloc if it is umber's and by threads that have them at hand;
  // free ones that the system does not have back; what the engine keeps to know all that.
  std::size_t pages_in_use = 0;
  std::size_t pages_free = 0;
  std::size_t metadata = 0;
};

// What a memory limit counts, now. Dead objects not swept yet are heap, not overhead.
struct memory_state {
  std::size_t heap_bytes = 0;      // objects, and malloc memory they own
  std::size_t overhead_bytes = 0;  // all else that is in use: free slots, metadata, stacks, other malloc memory
  std::size_t free_bytes = 0;      // free pages that the system does not have back yet
};

struct plan {
  std::size_t goal = SIZE_MAX;       // heap bytes when marking should end; SIZE_MAX: no collection
  std::size_t trigger = SIZE_MAX;    // heap bytes when it should start
  std::size_t hard_goal = SIZE_MAX;  // how far a growing heap may stretch the goal
  std::size_t expected_work = 0;     // bytes to mark; 0: not known
  double assist_ratio = 0;           // bytes to mark for each byte allocated, at the start
  bool limited_by_memory = false;
  bool is_held_back = false;  // a limit presses, and the collector has had its half of the time
};

// A cycle under way.
struct mark_progress {
  std::size_t started_at = 0;  // heap bytes when marking began
  std::size_t heap_bytes = 0;  // now
  std::size_t work_done = 0;   // bytes, roots included
  std::size_t most_work = 0;   // bytes to mark if all that could be scanned at the start is live, roots included
};

inline constexpr double most_assist_ratio = 64;

// last.rates with what `last` measured. A cycle in which nothing was allocated or marked measured nothing.
[[nodiscard]] cons_mark_history observe(const cycle_record& last);

// What counts against a limit. A heap's own: what the heap uses, and of metadata and free pages the part that is like
// its part of the pages in use. One that is shared: all that the process uses, so heaps leave room for each other, and
// who has much to drop is the one to drop it, whoever has grown.
[[nodiscard]] memory_state counted(const memory_use& use, bool limit_is_shared);

// Made when marking ends, and again when the sweep has ended, or when options or a limit change.
[[nodiscard]] plan plan_cycle(const pacer_options& options, const cycle_record& last, const memory_state& memory);

// The proportion that ends both together, within [pacer.2] for any arguments.
[[nodiscard]] double assist_ratio(std::size_t work_left, std::size_t heap_left);

// The ratio for the rest of a cycle. To be asked now and then while marking runs.
[[nodiscard]] double revised_assist_ratio(const plan& p, const mark_progress& now);

// The same while the limiter is limiting and the plan is limited by memory: as if there were no limit.
[[nodiscard]] plan held_back(const pacer_options& options, const cycle_record& last, const memory_state& memory);

// Whether a heap that has not reached its trigger should be collected all the same, so that what it has dropped is
// given back: after `idle_ns`; after fifteen times as long if nothing was allocated since, and so probably nothing
// dropped.
[[nodiscard]] bool should_collect_idle(const pacer_options& options, std::uint64_t now_ns,
                                       std::uint64_t last_cycle_end_ns, std::size_t allocated_since);

struct gc_cpu_limiter {
  static constexpr std::uint64_t capacity_per_processor_ns = 1000000000;

  std::uint64_t capacity_ns = capacity_per_processor_ns;  // times the processors
  std::uint64_t fill_ns = 0;
  std::uint64_t overflow_ns = 0;  // what did not fit, in all

  // Processor time since the last update: of workers and assists, and of all processors less what they were idle or
  // marked while idle, which takes nothing from the program. At least every 10 ms while marking runs, and when it
  // begins and ends, and while cycles are held back. Whether it is limiting from now on: then nobody assists, limit or
  // no limit.
  bool update(std::uint64_t gc_ns, std::uint64_t total_ns);
  bool limiting() const { return fill_ns >= capacity_ns; }
};

}  // namespace umber::gc

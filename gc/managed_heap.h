// A managed heap: everything that its mutators and its collector share.
//
// Invariants
//   [managed_heap.1] `stage` is the last question of this cycle; a mutator that attaches is as if it had answered it.
// Concurrency
//   As said at each member.
// Uses / used by
//   Uses mutator, roots, finalizer, work, space, cycle_log, ephemerons. Used by all above.
#pragma once

#include "cycle_log.h"
#include "ephemerons.h"
#include "finalizer.h"
#include "mutator.h"
#include "pacer.h"
#include "roots.h"
#include "samples.h"
#include "snapshot_tables.h"
#include "turns.h"

#include <algorithm>

namespace umber::gc {

// What becomes of a weak reference to an object without a mark.
enum class verdict : std::uint32_t { open, closing, decided, cleared };

// What the collector's thread knows of the heap's pace.
struct pace_state {
  pacer_options options;
  plan current;
  cycle_record last;
  std::size_t started_at = 0;         // heap bytes when the cycle began
  std::size_t external_at_start = 0;  // of these
  std::uint64_t mark_ns_before = 0;   // when the last cycle ended, as the next
  std::uint64_t assist_ns_before = 0;
  gc_cpu_limiter limiter;
  std::uint64_t limiter_updated_at = 0;  // os::now, with the next two: when and what the limiter was last told
  std::uint64_t limiter_gc_ns = 0;
  std::uint64_t limiter_process_ns = 0;
};

// What can be changed while a heap is in use, as it is wanted. The collector's thread looks between cycles.
struct wishes {
  // relaxed, all: what is wanted is published by `changed`, but for the hard limit, a number on its own.
  std::atomic<std::size_t> percent{0}, minimum{0}, limit{0}, hard_limit{0};
  std::atomic<bool> limit_is_shared{false};
  std::atomic<umber::barrier> kind{umber::barrier::hybrid};
  std::atomic<bool> changed{false};
};

class slot_shadow;

// What a heap leaves to the next one that is made: its tables, empty.
struct heap_tables {
  mutex<rank::mutators> mutators_lock;
  std::atomic<std::atomic<space*>*> spaces[most_types / 256] = {};  // by id, in blocks of 256
  std::atomic<space*> all_spaces{nullptr};
  mutex<rank::spaces> spaces_lock;
  std::uint32_t epoch = 0;  // sweeps begun; guarded by mutators_lock and spaces_lock: held both to change it
  root_table roots;
  finalizer_table finalizers;
  work_list work;
  cycle_log log;
  ephemeron_table ephemerons;
  sample_table samples;
};

// What begins afresh with each heap.
struct heap_run {
  // Constant after construction.
  heap_options options;           // as it was made; of what can be changed see `wanted_options`
  std::uint64_t number = 0;       // of the heaps that this process has made, from 1
  slot_shadow* shadow = nullptr;  // of a heap whose barriers are checked

  // The mutators.
  mutator* mutators = nullptr;  // guarded by mutators_lock, as the next two
  std::size_t mutator_count = 0;
  question stage = question::finish;
  umber::barrier kind = umber::barrier::hybrid;  // of this cycle; changed by the collector's thread between cycles
  std::atomic<std::size_t> most_uncounted{0};    // bytes that a mutator may have taken and not added to `allocated`
  std::atomic<std::uint32_t> unanswered{0};      // questions of this round; a futex
  std::atomic<bool> asker_rests{false};          // and is to be woken by the last answer
  std::atomic<std::uint32_t> parked{0};          // 1: no mutator runs; a futex
  std::atomic<bool> found_grey{false};           // in this round of flushes
  std::atomic<verdict> weak_verdict{verdict::open};

  // The snapshot that somebody waits for, and that which the cycle takes; null: none. The latter the cycle writes
  // before it asks anything.
  std::atomic<snapshot_tables*> snapshot_wanted{nullptr};
  snapshot_tables* snapshot = nullptr;

  // The objects.
  std::atomic<bool> rescan{false};  // objects were marked without being queued: there was no memory
  std::atomic<std::size_t> heap_bytes{0};
  // Bytes since the last cycle ended, black ones too. All mutators add to it, so nothing that they read lies beside it.
  alignas(64) std::atomic<std::size_t> allocated{0};
  alignas(64) std::atomic<std::size_t> allocated_earlier{0};  // bytes until then
  std::atomic<std::int64_t> external{0};                      // bytes of malloc memory that objects own
  std::atomic<std::size_t> marked_bytes{0};
  std::atomic<std::size_t> marked_objects{0};

  // Pacing: written by the collector's thread between cycles.
  std::atomic<bool> marking{false};
  std::atomic<std::size_t> trigger{SIZE_MAX};  // `allocated` that starts a cycle
  std::atomic<std::size_t> goal{SIZE_MAX};
  std::atomic<double> assist_ratio{0};  // bytes of marking owed for each byte allocated
  std::atomic<std::int64_t> background_credit{0};
  bool has_neighbours = false;           // there were other heaps when the cycle began
  std::atomic<bool> looks_twice{false};  // markers look at more than marks: has_neighbours, or ephemerons are watched
  bool told_of_limit = false;
  std::size_t live_bytes = 0;                     // when the last cycle ended
  std::atomic<std::size_t> last_marked_bytes{0};  // of these, marked
  std::atomic<std::size_t> external_planned{0};   // external bytes when the plan was made
  pace_state pace;

  // The collector's thread, and those that help it.
  std::atomic<std::uint32_t> calls{0};  // of the collector's thread; a futex
  std::atomic<unsigned> called_on{0};   // the processor of who called last
  wishes wanted_options;
  std::atomic<bool> pages_wanted{false};   // it is to have pages backed (ahead.h)
  std::atomic<std::size_t> ahead{0};       // as many pages as this
  std::atomic<std::uint32_t> wanted{0};    // cycles asked for
  std::atomic<std::uint32_t> started{0};   // cycles begun
  turn_taking turns;                       // of the collector's thread
  std::atomic<std::uint32_t> finished{0};  // cycles ended, swept; a futex
  std::atomic<bool> ending{false};
  std::atomic<std::uint32_t> running{0};         // threads of the heap; a futex
  std::atomic<std::uint32_t> helpers_called{0};  // a futex
  std::atomic<std::uint32_t> helpers_marking{0};
  std::atomic<std::uint32_t> helper_turns{0};       // begun so far
  std::atomic<std::uint32_t> finalizer_threads{0};  // 0 or 1; a futex
  std::atomic<bool> finalizers_ending{false};
  std::atomic<bool> shut{false};  // nothing can be made any more

  // Statistics.
  std::atomic<std::uint64_t> mark_ns{0};  // by the heap's threads
  std::atomic<std::uint64_t> assist_ns{0};
  std::atomic<std::uint64_t> sweep_ns{0};
  stall_record stalls;  // of mutators that have left; guarded by mutators_lock, as the next
  std::uint64_t slots_taken = 0;
  std::atomic<std::uint64_t> cycles{0};
  std::uint64_t made_at = 0;                        // os::now
  std::uint64_t process_cpu_before = 0;             // processor time that the process had used then
  std::uint64_t longest_round_ns = 0;               // of handshakes, in this cycle; the collector's thread, as the next
  std::size_t entries_waiting = 0;                  // of weak maps, at the last walk
  std::atomic<std::uint64_t> entries_looked_at{0};  // in all cycles
};

struct managed_heap : heap_tables, heap_run {
  managed_heap* next = nullptr;  // among those that wait to be used again

  // The space of a type, made if need be; null: no memory.
  [[nodiscard]] space* space_for(std::uint32_t id, const type_layout* layout);
  [[nodiscard]] space* find_space(std::uint32_t id) const;
  // How many heaps the process has.
  static inline constinit std::atomic<std::size_t> count{0};

  // All that is listed is unswept from now on. mutators_lock is held.
  void begin_sweep();
  std::size_t external_now() const {
    const std::int64_t bytes = external.load(std::memory_order_relaxed);  // relaxed: a figure
    return bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
  }
  std::size_t external_since_plan() const {
    const std::size_t now = external_now();
    const std::size_t then = external_planned.load(std::memory_order_relaxed);  // relaxed: a figure
    return now > then ? now - then : 0;
  }
  // After how many bytes a mutator adds what it took to `allocated`: soon while that is paid for, and in a small heap.
  std::size_t worth_counting() const {
    constexpr std::size_t least = 8 * kib, part_of_trigger = 64;
    // relaxed, all: numbers on their own.
    const std::size_t most = most_uncounted.load(std::memory_order_relaxed);
    if (marking.load(std::memory_order_relaxed)) return std::min(most, least);
    return std::min(most, std::max(least, trigger.load(std::memory_order_relaxed) / part_of_trigger));
  }
  bool owns(const mspan* s) const { return s->space != nullptr && space_of(s).heap == this; }
};

// Tells the heap what came to hand of the mutator; all that has been allocated since the last cycle ended, in bytes.
inline std::size_t count_allocated(mutator& m) {
  const std::size_t bytes = m.uncounted;
  m.uncounted = 0;
  // relaxed: a number that nothing else hangs on.
  return m.heap->allocated.fetch_add(bytes, std::memory_order_relaxed) + bytes;
}

}  // namespace umber::gc

#include "cycle.h"

#include "ahead.h"
#include "handshake.h"
#include "shadow.h"
#include "snapshot.h"
#include "sweep.h"
#include "verify.h"
#include "weak.h"
#include "weak_map.h"

#include "alloc/os.h"

#include <algorithm>
#include <utility>

namespace umber::gc {

namespace {

// Objects between two looks at the clock and the books: some 100 us.
constexpr std::size_t objects_per_batch = 4096;

// Tells the limiter of the processor time since it was last told, at most every 10 ms: `uncounted_ns` are the
// collector's thread's own. While it is limiting nobody assists.
bool is_limited(managed_heap& h, std::uint64_t uncounted_ns) {
  constexpr std::uint64_t often_enough = 10'000'000;
  pace_state& pace = h.pace;
  const std::uint64_t now = os::now();
  if (now - pace.limiter_updated_at < often_enough) return pace.limiter.limiting();
  // relaxed, all: figures.
  const std::uint64_t gc_ns = h.mark_ns.load(std::memory_order_relaxed) + uncounted_ns +
                              h.assist_ns.load(std::memory_order_relaxed) + h.sweep_ns.load(std::memory_order_relaxed);
  const std::uint64_t process_ns = os::process_cpu_time();
  const std::uint64_t gc_before = std::exchange(pace.limiter_gc_ns, gc_ns);
  const std::uint64_t process_before = std::exchange(pace.limiter_process_ns, process_ns);
  pace.limiter_updated_at = now;
  return pace.limiter.update(gc_ns > gc_before ? gc_ns - gc_before : 0, process_ns - process_before);
}

void revise(managed_heap& h, const marker& mark, const stopwatch& watch) {
  mark_progress now;
  now.started_at = h.pace.started_at;
  // relaxed, all: figures.
  now.heap_bytes = h.live_bytes + h.allocated.load(std::memory_order_relaxed) + h.external_now();
  now.work_done = h.marked_bytes.load(std::memory_order_relaxed) + mark.bytes();
  now.most_work = h.pace.started_at - h.pace.external_at_start;
  const double ratio = is_limited(h, watch.cpu()) ? 0 : revised_assist_ratio(h.pace.current, now);
  h.assist_ratio.store(ratio, std::memory_order_relaxed);
}

// Whether there was a moment without work: none is listed, and no helper has had a turn meanwhile. One that begins
// just then could have taken what it, or another, has published at the end of its last turn.
bool nobody_has_work(const managed_heap& h) {
  // acquire, both: pair with mark_along; what a helper published before its turn ended is seen by empty.
  const std::uint32_t turns = h.helper_turns.load(std::memory_order_acquire);
  if (h.helpers_marking.load(std::memory_order_acquire) != 0 || !h.work.empty()) return false;
  // relaxed: after the acquire of empty; who has taken a chunk had counted its turn before.
  return h.helper_turns.load(std::memory_order_relaxed) == turns;
}

// Until there is nothing left to take and no helper has anything.
void mark_all(managed_heap& h, marker& mark, const stopwatch& watch) {
  h.turns.begin();
  for (;;) {
    do {
      const std::size_t bytes = mark.drain(objects_per_batch);
      h.background_credit.fetch_add(static_cast<std::int64_t>(bytes),
                                    std::memory_order_relaxed);  // relaxed: an account
      mark.share();
      revise(h, mark, watch);
      timeline::flush_if_wanted();
      static_cast<void>(bring_pages(h));
      h.turns.pause();
    } while (mark.has_work() || !h.work.empty());
    mark.publish();
    if (nobody_has_work(h)) {
      if (!h.rescan.exchange(false, std::memory_order_relaxed)) return;  // relaxed: see mark.h
      mark.rescan();
      continue;
    }
    os::yield();
  }
}

void call_helpers(managed_heap& h) {
  h.work.open();
  h.marking.store(true, std::memory_order_relaxed);          // relaxed: who sees it late assists late
  h.helpers_called.fetch_add(1, std::memory_order_release);  // pairs with the acquire in driver.cc
  os::wake_all(reinterpret_cast<const volatile std::uint32_t*>(&h.helpers_called));
}

void mark_roots(managed_heap& h, marker& mark) {
  if (is_planted(fault::root_missed)) return;
  h.roots.for_each([&](void* object) { mark.add(address_of(object)); });
  h.finalizers.for_each_kept([&](void* object) { mark.add(address_of(object)); });
}

// Also the values of weak maps whose keys are alive. It ends with a look at all of them that finds nothing
// (weak_map.h).
void mark_all_and_values(managed_heap& h, marker& mark, const stopwatch& watch) {
  mark_all(h, mark, watch);
  if (is_planted(fault::weak_values_not_walked)) return;
  for (values how = values::gathered; mark_weak_maps(h, mark, how); how = values::watched) {
    mark_all(h, mark, watch);
    if (is_planted(fault::ephemerons_walked_once)) break;
  }
  stop_watching(h);
}

// Asks for what the barriers have recorded. Whether that was nothing, since found_grey was reset, and nobody has
// published anything meanwhile: what two have recorded, of whom one has answered, that one may publish, and once a
// helper has marked it the other has nothing grey to answer for; but the helper holds what it refers to.
bool nothing_is_left(managed_heap& h) {
  const std::size_t published = h.work.published();
  ask_all(h, question::flush);
  if (h.found_grey.load(std::memory_order_relaxed) || !h.work.empty()) return false;  // relaxed: answered
  return h.work.published() == published || is_planted(fault::round_ignores_published);
}

// From here on weak references say what is so.
void clear_all_weak(managed_heap& h) {
  clear_weak(h);
  clear_weak_maps(h);
  h.weak_verdict.store(verdict::cleared, std::memory_order_release);  // pairs with the acquire in lock_reference
}

// Marks what the finalizers of dead objects will need, and queues them. Until they run no mutator can reach any of it.
void queue_finalizers(managed_heap& h, marker& mark, const stopwatch& watch) {
  bool any = false;
  h.finalizers.for_each_dying([&](std::uintptr_t) { any = true; });
  if (any) {
    // No weak load is under way that read a reference before it was cleared; it might find a mark made from here on.
    ask_all(h, question::flush);
    h.finalizers.for_each_dying([&](std::uintptr_t object) { mark.add_children(object); });
    do {
      h.found_grey.store(false, std::memory_order_relaxed);  // relaxed: published by the question
      mark_all_and_values(h, mark, watch);
    } while (!nothing_is_left(h));
    h.finalizers.queue_finalizers([&](std::uintptr_t object) {
      const mspan* s = span_of(object);
      // relaxed, both: figures.
      h.marked_bytes.fetch_add(s->slot_size != 0 ? s->slot_size : s->run.count.bytes(), std::memory_order_relaxed);
      h.marked_objects.fetch_add(1, std::memory_order_relaxed);
    });
  }
  h.finalizers.queue_cleanups();
  if (h.finalizers.due() != 0) h.finalizers.wake();
}

// The historical collectors: a snapshot needs all handles at one time, and Dijkstra's barrier, which does not record
// what is overwritten, needs them again at the end.
bool begins_stopped(const managed_heap& h) { return h.kind == barrier::deletion || h.kind == barrier::stop_the_world; }
bool ends_stopped(const managed_heap& h) { return h.kind == barrier::insertion || h.kind == barrier::stop_the_world; }

// Ends marking with the world stopped: what handles hold by now is marked, too.
void mark_stopped(managed_heap& h, marker& mark, const stopwatch& watch) {
  if (!begins_stopped(h)) {
    mark_all(h, mark, watch);
    stop_world(h);
    if (h.snapshot != nullptr) h.snapshot->root_count = 0;  // all handles come once more
    ask_all(h, question::scan);
    mark_roots(h, mark);
  }
  mark_all(h, mark, watch);
}

// No barrier is on between cycles. Who is attached learns of it with the first question, who attaches as it does.
void choose_kind(managed_heap& h) {
  const lock_guard guard(h.mutators_lock);
  h.kind = h.wanted_options.kind.load(std::memory_order_relaxed);  // relaxed: see `wishes`
}

void begin(managed_heap& h) {
  choose_kind(h);
  // acquire: pairs with the release of who wants it.
  h.snapshot = h.snapshot_wanted.exchange(nullptr, std::memory_order_acquire);
  // relaxed, all: published by the first question.
  h.marked_bytes.store(0, std::memory_order_relaxed);
  h.marked_objects.store(0, std::memory_order_relaxed);
  h.background_credit.store(0, std::memory_order_relaxed);
  h.trigger.store(SIZE_MAX, std::memory_order_relaxed);
  h.pace.external_at_start = h.external_now();
  h.pace.started_at = h.live_bytes + h.allocated.load(std::memory_order_relaxed) + h.pace.external_at_start;
  h.weak_verdict.store(verdict::open, std::memory_order_relaxed);
  h.has_neighbours = managed_heap::count.load(std::memory_order_relaxed) > 1;
  h.looks_twice.store(h.has_neighbours, std::memory_order_relaxed);
  h.assist_ratio.store(h.pace.current.assist_ratio, std::memory_order_relaxed);
  detail::barriers_on.fetch_add(1, std::memory_order_relaxed);
}

// What the cycle has found, and when the next is due.
void settle_accounts(managed_heap& h, const stopwatch& watch, std::size_t allocated_before) {
  // relaxed, all: figures that no mark can change any more.
  const std::size_t marked = h.marked_bytes.load(std::memory_order_relaxed);
  const std::size_t since_last = h.allocated.exchange(0, std::memory_order_relaxed);
  h.allocated_earlier.fetch_add(since_last, std::memory_order_relaxed);
  const std::size_t allocated = since_last - allocated_before;
  h.mark_ns.fetch_add(watch.cpu(), std::memory_order_relaxed);
  const std::uint64_t marking = h.mark_ns.load(std::memory_order_relaxed);
  const std::uint64_t assists = h.assist_ns.load(std::memory_order_relaxed);
  cycle_record& last = h.pace.last;
  last.marked_bytes = marked;
  const std::size_t external = h.external_now();
  const std::size_t before = h.pace.external_at_start;
  last.allocated_while_marking = allocated + (external > before ? external - before : 0);
  last.mark_cpu_ns = marking - h.pace.mark_ns_before + assists - h.pace.assist_ns_before;
  h.pace.mark_ns_before = marking;
  h.pace.assist_ns_before = assists;
  const std::uint64_t all_cpu = watch.passed() * os::processor_count();
  last.mutator_cpu_ns = all_cpu > last.mark_cpu_ns ? all_cpu - last.mark_cpu_ns : 0;
  last.rates = observe(last);
  last.live_bytes = h.live_bytes = marked + allocated;
  h.last_marked_bytes.store(marked, std::memory_order_relaxed);
}

}  // namespace

namespace {

// A limit below what is live cannot be kept: said once.
void tell_of_limit(managed_heap& h) {
  const pacer_options& options = h.pace.options;
  const std::size_t limit = std::min(options.soft_limit, options.hard_limit);
  const std::size_t live = h.last_marked_bytes.load(std::memory_order_relaxed);  // relaxed: written by this thread
  if (h.told_of_limit || live <= limit) return;
  h.told_of_limit = true;
  message line;
  line << "umber: the memory limit of " << limit << " bytes is below the " << live
       << " that are live: collecting for up to half of the processor time; raise it";
  line.print();
}

}  // namespace

void make_plan(managed_heap& h) {
  const std::size_t external = h.external_now();
  h.pace.last.external_bytes = external;
  h.external_planned.store(external, std::memory_order_relaxed);  // relaxed: a figure
  revise_plan(h);
}

void revise_plan(managed_heap& h) {
  tell_of_limit(h);
  const std::size_t external = h.pace.last.external_bytes;
  const std::size_t in_spans = h.heap_bytes.load(std::memory_order_relaxed);  // relaxed: a figure
  const page_figures pages = alloc::heap.figures();
  const memory_state memory = counted({.live = h.live_bytes,
                                       .in_spans = in_spans,
                                       .external = external,
                                       .pages_in_use = (pages.known - pages.free).bytes(),
                                       .pages_free = pages.unscavenged.bytes(),
                                       .metadata = pages.metadata_bytes + object_map::bytes()},
                                      h.pace.options.limit_is_shared);
  plan_ahead(h, in_spans);
  h.pace.current = plan_cycle(h.pace.options, h.pace.last, memory);
  if (h.pace.current.limited_by_memory && is_limited(h, 0))
    h.pace.current = held_back(h.pace.options, h.pace.last, memory);
  const std::size_t trigger = h.pace.current.trigger;
  // relaxed, both: mutators may see them late.
  h.trigger.store(trigger == SIZE_MAX ? SIZE_MAX : trigger - h.live_bytes - external, std::memory_order_relaxed);
  h.goal.store(h.pace.current.goal, std::memory_order_relaxed);
}

bool let_go(managed_heap& h) {
  if (!h.pace.current.is_held_back || is_limited(h, 0)) return false;
  revise_plan(h);
  return true;
}

bool take_wishes(managed_heap& h) {
  // acquire: pairs with the release of `set` in embed.cc.
  if (!h.wanted_options.changed.exchange(false, std::memory_order_acquire)) return false;
  const pacer_options before = h.pace.options;
  pacer_options& options = h.pace.options;
  // relaxed, all: see `wishes`.
  options.percent = h.wanted_options.percent.load(std::memory_order_relaxed);
  options.minimum_heap = h.wanted_options.minimum.load(std::memory_order_relaxed);
  options.soft_limit = h.wanted_options.limit.load(std::memory_order_relaxed);
  options.limit_is_shared = h.wanted_options.limit_is_shared.load(std::memory_order_relaxed);
  options.hard_limit = h.wanted_options.hard_limit.load(std::memory_order_relaxed);
  if (options.soft_limit != before.soft_limit || options.hard_limit != before.hard_limit) h.told_of_limit = false;
  revise_plan(h);
  return true;
}

std::uint64_t stopwatch::passed() const { return os::now() - started; }
std::uint64_t stopwatch::cpu() const { return os::thread_cpu_time() - cpu_started; }

collection::collection(managed_heap& h, span_stock& stock)
    : h_(h), stock_(stock), watch_{os::now(), os::thread_cpu_time()}, trace_(h), mark_(h) {}

void collection::start() {
  begin(h_);
  allocated_before_ = h_.allocated.load(std::memory_order_relaxed);  // relaxed: a figure
  if (begins_stopped(h_)) stop_world(h_);
  ask_all(h_, question::barrier_on);
  trace_.ended(phase::barrier_on);
  if (!is_planted(fault::settle_skipped)) ask_all(h_, question::settle);
  trace_.ended(phase::settle);
  if (UMBER_UNLIKELY(h_.shadow != nullptr)) begin_shadow(h_);
  call_helpers(h_);
  ask_all(h_, question::scan);
  trace_.ended(phase::scan);
  if (begins_stopped(h_) && !ends_stopped(h_)) start_world(h_);
  mark_roots(h_, mark_);
  if (ends_stopped(h_)) mark_stopped(h_, mark_, watch_);
}

bool collection::mark(std::size_t most) {
  mark_.drain(most);
  mark_.show_marks();
  return mark_.has_work() || !h_.work.empty();
}

bool collection::flush_round() {
  // Before marking: who leaves with grey objects after it is not overlooked. relaxed: published by the question.
  h_.found_grey.store(false, std::memory_order_relaxed);
  mark_all_and_values(h_, mark_, watch_);
  h_.weak_verdict.store(verdict::closing, std::memory_order_release);  // release, both: pair with lock_reference
  const bool is_last = nothing_is_left(h_) || is_planted(fault::one_flush_round);
  h_.weak_verdict.store(is_last ? verdict::decided : verdict::open, std::memory_order_release);
  return is_last;
}

void collection::decide() {
  trace_.ended(phase::mark);
  if (!is_planted(fault::weak_cleared_late)) clear_all_weak(h_);
  queue_finalizers(h_, mark_, watch_);
  if (is_planted(fault::weak_cleared_late)) clear_all_weak(h_);
  h_.samples.drop_dead();
  mark_.publish();
  if (UMBER_UNLIKELY(h_.options.check_marks)) check_marks(h_);
  if (UMBER_UNLIKELY(h_.shadow != nullptr)) check_shadow(h_);
}

void collection::finish() {
  h_.marking.store(false, std::memory_order_relaxed);  // relaxed: who sees it late finds the list closed
  if (!is_planted(fault::list_stays_open)) h_.work.close();
  settle_accounts(h_, watch_, allocated_before_);
  if (UMBER_UNLIKELY(h_.snapshot != nullptr)) take_snapshot(h_, *h_.snapshot);
  trace_.ended(phase::weak);
  ask_all(h_, question::finish);
  h_.work.forget();  // what a barrier has recorded since marking ended: with the sweep begun marks say nothing
  h_.ephemerons.give_back();
  trace_.ended(phase::finish);
  if (ends_stopped(h_)) start_world(h_);
  detail::barriers_on.fetch_sub(1, std::memory_order_relaxed);  // relaxed: barriers are off one by one
  make_plan(h_);
  h_.cycles.fetch_add(1, std::memory_order_relaxed);  // relaxed: a statistic
}

bool collection::sweep(std::size_t most) {
  if (sweep_some(h_, stock_, most)) return true;
  make_plan(h_);  // again: by now what the dead owned outside has been given back
  trace_.ended(phase::sweep);
  trace_.tell();
  return false;
}

void run_cycle(managed_heap& h, span_stock& stock) {
  sweep_rest(h, stock);
  collection cycle(h, stock);
  cycle.start();
  while (!cycle.flush_round()) continue;
  cycle.decide();
  cycle.finish();
  while (cycle.sweep(SIZE_MAX)) continue;
}

void mark_along(managed_heap& h) {
  const std::uint64_t began = os::now();
  std::size_t all_bytes = 0;
  std::uint64_t counted = os::thread_cpu_time();
  while (h.marking.load(std::memory_order_relaxed)) {           // relaxed: seen soon enough
    h.helpers_marking.fetch_add(1, std::memory_order_acq_rel);  // pairs with nobody_has_work
    h.helper_turns.fetch_add(1, std::memory_order_acq_rel);     // pairs with nobody_has_work
    bool worked;
    {
      marker mark(h);
      const std::size_t bytes = mark.drain(objects_per_batch);
      h.background_credit.fetch_add(static_cast<std::int64_t>(bytes),
                                    std::memory_order_relaxed);  // relaxed: an account
      all_bytes += bytes;
      worked = mark.took_work();
    }
    // A turn, and the waiting before it. relaxed: a figure, seen by who sees the end of the turn.
    const std::uint64_t now = os::thread_cpu_time();
    if (!is_planted(fault::helpers_uncounted)) h.mark_ns.fetch_add(now - counted, std::memory_order_relaxed);
    counted = now;
    h.helpers_marking.fetch_sub(1, std::memory_order_acq_rel);  // pairs with nobody_has_work
    if (!worked) os::yield();
  }
  if (all_bytes != 0) timeline::span("help", began, os::now(), "bytes", all_bytes);
}

}  // namespace umber::gc

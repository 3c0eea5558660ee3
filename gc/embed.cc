// What the public headers call: handles, heaps and threads of a program, checked for misuse.
#include "accounts.h"
#include "attach.h"
#include "barrier.h"
#include "cycle.h"
#include "driver.h"
#include "external.h"
#include "finalizer_thread.h"
#include "handshake.h"
#include "metrics.h"
#include "refill.h"
#include "request.h"
#include "retrace.h"
#include "settings.h"
#include "shadow.h"
#include "snapshot_file.h"
#include "sweep.h"
#include "weak.h"
#include "weak_map.h"

#include "alloc/metadata.h"
#include "alloc/os.h"

#include <errno.h>

#include <new>

namespace umber::detail {

struct heap_state : gc::managed_heap {
  using gc::managed_heap::managed_heap;
};

using namespace gc;
using mutator = gc::mutator;

constinit std::atomic<std::uint32_t> barriers_on{0};

namespace {

constinit mutex<rank::managed_heaps> lock;
constinit storage<heap_state> heap_states;  // guarded by lock, as the next
constinit heap_state* spare_heaps = nullptr;
// A heap's tables, too.
heap_state* new_heap() {
  const lock_guard guard(lock);
  heap_state* h = spare_heaps;
  if (h == nullptr) {
    void* memory = heap_states.allocate();
    return memory == nullptr ? nullptr : new (memory) heap_state;
  }
  spare_heaps = static_cast<heap_state*>(h->next);
  new (static_cast<heap_run*>(h)) heap_run;
  return h;
}

void release_heap(heap_state* h) {
  const lock_guard guard(lock);
  h->next = spare_heaps;
  spare_heaps = h;
}

double worker_share(const heap_options& options) {
  const unsigned processors = os::processor_count();
  const unsigned workers = worker_count(options);
  return workers < processors ? static_cast<double>(workers) / processors : 1;
}

// relaxed, all: see `wishes`.
bool is_shared(std::size_t chosen_limit) { return chosen_limit == heap_options::by_environment; }

void take_up(const heap_options& chosen, const heap_options& options, wishes& into) {
  into.percent.store(options.percent, std::memory_order_relaxed);
  into.minimum.store(options.minimum, std::memory_order_relaxed);
  into.limit.store(options.limit, std::memory_order_relaxed);
  into.limit_is_shared.store(is_shared(chosen.limit), std::memory_order_relaxed);
  into.hard_limit.store(options.hard_limit, std::memory_order_relaxed);
  into.kind.store(options.kind, std::memory_order_relaxed);
}

std::uint64_t idle_ns(const heap_options& options) {
  return options.idle_ms == heap_options::off ? 0 : options.idle_ms * 1'000'000;
}

// What is overwritten, alone: most of a cycle passes so, after the thread's handles were scanned.
UMBER_FAST void record_overwritten(mutator& m, const std::atomic<void*>* slot) {
  if (is_planted(fault::deletion_half_missing)) return;
  // relaxed: the old value is only recorded.
  if (void* old = slot->load(std::memory_order_relaxed); old != nullptr) m.record(address_of(old));
}

void record_store_to(mutator& m, const std::atomic<void*>* slot, void* value) {
  if (is_planted(fault::barrier_off)) return;
  // relaxed: as above.
  const void* old = is_planted(fault::deletion_half_missing) ? nullptr : slot->load(std::memory_order_relaxed);
  record_store(m, old, is_planted(fault::insertion_half_missing) ? nullptr : value);
}

// By a thread that is attached to nothing, or in a heap with a barrier checker.
UMBER_SLOW void checked_barrier(const std::atomic<void*>* slot, void* value) {
  mutator* m = attached();
  if (m == nullptr) {
    expect_no_destructor("store");
    die_misuse("store", "needs a thread that is attached: make an umber::mutator first");
  }
  note_store(*m, slot, value);
  record_store_to(*m, slot, value);
}

// Also before the thread's handles were scanned, in a heap that does not mark, and with an insertion barrier.
UMBER_WARM void unusual_barrier(const std::atomic<void*>* slot, void* value) {
  if (UMBER_UNLIKELY((current_mutator->store_mode & mutator::store_is_checked) != 0))
    return checked_barrier(slot, value);
  record_store_to(this_mutator(), slot, value);
}

constexpr char not_here[] = "is no object of the heap that this thread is attached to";

// What a handle is to hold: nothing, or an object of the heap that this thread is attached to.
void expect_here(const char* call, const mutator& m, const void* object) {
  if (object == nullptr) return;
  const std::uintptr_t around = object_around(address_of(object));  // a base class may lie within its object
  if (around == 0 || !m.heap->owns(span_of(around))) die_misuse(call, object, not_here);
}

// The same of what a handle is made of, where a look costs more than the rest: in a process with one heap it is of it.
UMBER_FAST void expect_handle_here(const char* call, const mutator& m, const void* handle) {
  // relaxed: a heap that is made just now has no handles yet.
  if (UMBER_UNLIKELY(managed_heap::count.load(std::memory_order_relaxed) > 1)) expect_here(call, m, handle);
}

// An object of the heap that this thread is attached to, which lives on.
void expect_own(const char* call, const mutator& m, const void* object) {
  if (object == nullptr) die_misuse(call, "there is no object");
  const auto address = address_of(object);
  if (object_around(address) != address || !m.heap->owns(span_of(address))) die_misuse(call, object, not_here);
  // relaxed: set by this thread.
  if (m.heap->shut.load(std::memory_order_relaxed)) die_misuse(call, "the heap is being destroyed");
}

}  // namespace

void barrier(const std::atomic<void*>* slot, void* value) noexcept {
  mutator& m = this_mutator();
  if (UMBER_UNLIKELY(m.store_mode != mutator::record_old)) return unusual_barrier(slot, value);
  if (!is_planted(fault::barrier_off)) record_overwritten(m, slot);
}

void insertion_barrier(const std::atomic<void*>* slot, void* value) noexcept {
  mutator* m = attached();
  if (m == nullptr) return;
  if (UMBER_UNLIKELY(m->checks_stores)) note_construction(*m, slot, value);
  if (m->records_new() && value != nullptr) m->record(address_of(value));
}

void answer() noexcept { answer_pending(attached_or_die("safepoint")); }

root_slot* make_root(const void* object) noexcept {
  const mutator& m = attached_or_die("persistent");
  expect_here("persistent", m, object);
  managed_heap& h = *m.heap;
  return h.roots.make(h.options.track_handles ? __builtin_return_address(0) : nullptr);
}

void drop_root(root_slot* root) noexcept {
  if (is_forked()) return;
  void* old = root->object.load(std::memory_order_relaxed);  // relaxed: the handle's own thread
  mutator* m = attached();
  if (m != nullptr && &m->heap->roots != &root_table::of(root))
    die_misuse("~persistent", "is a handle of another heap than that which this thread is attached to");
  if (old != nullptr && m != nullptr && m->records_old() && !is_planted(fault::root_drop_unrecorded))
    m->record(address_of(old));
  root_table::of(root).drop(root);
}

weak_box* make_weak_box(void* target) noexcept {
  mutator& m = attached_or_die("weak");
  expect_here("weak", m, target);
  return make_box(m, target);
}

void* lock_weak(weak_box* box) noexcept {
  mutator& m = attached_or_die("lock");
  expect_handle_here("lock", m, box);
  return lock_reference(m, box->target);
}

weak_entry* make_weak_entry(void* key, void* value) noexcept {
  mutator& m = attached_or_die("weak_map");
  if (key == nullptr) die_misuse("weak_map", "null cannot be a key");
  expect_here("weak_map", m, key);
  expect_here("weak_map", m, value);
  return make_entry(m, key, value);
}

void set_weak_value(weak_entry* entry, void* value) noexcept {
  mutator& m = attached_or_die("weak_map");
  expect_here("weak_map", m, value);
  expect_handle_here("weak_map", m, entry);
  set_value(m, *entry, value);
}

void* lock_weak_key(weak_entry* entry) noexcept {
  mutator& m = attached_or_die("weak_map");
  expect_handle_here("weak_map", m, entry);
  return lock_reference(m, entry->key);
}

void keep_weak_value(void* value) noexcept { keep_value(attached_or_die("weak_map"), value); }

bool set_finalizer(void* object, const deferred_call* call) noexcept {
  mutator& m = attached_or_die("set_finalizer");
  expect_own("set_finalizer", m, object);
  if (call == nullptr) {
    m.heap->finalizers.clear(object);
    return true;
  }
  want_finalizer_thread(*m.heap);
  return m.heap->finalizers.set(object, *call);
}

bool add_cleanup(void* object, const deferred_call& call, void* kept, cleanup_id& id) noexcept {
  mutator& m = attached_or_die("add_cleanup");
  expect_own("add_cleanup", m, object);
  if (kept == object) die_misuse("add_cleanup", object, "would be kept by its own cleanup, and never die");
  if (kept != nullptr) expect_own("add_cleanup", m, kept);
  want_finalizer_thread(*m.heap);
  record_store(m, nullptr, kept);
  return m.heap->finalizers.add_cleanup(object, call, kept, id);
}

bool cancel_cleanup(const cleanup_id& id) noexcept {
  mutator& m = attached_or_die("cancel");
  void* kept = nullptr;
  if (!finalizer_table::cancel(id, kept)) return false;
  record_store(m, kept, nullptr);
  return true;
}

std::size_t run_finalizers(heap_state* h) noexcept {
  mutator& m = attached_or_die("run_finalizers");
  if (m.heap != h) die_misuse("run_finalizers", "this thread is attached to another heap");
  return run_due(m);
}

void add_external(heap_state* h, std::ptrdiff_t bytes) noexcept {
  mutator* m = h == nullptr ? &attached_or_die("add_external_bytes") : attached();
  gc::add_external(h == nullptr ? *m->heap : *h, m, bytes);
}

void add_external_of(const void* object, std::ptrdiff_t bytes) noexcept {
  const std::uintptr_t around = object_around(address_of(object));  // a base class may lie within its object
  if (around == 0) die_misuse("account_external", object, "is no managed object");
  gc::add_external(*space_of(span_of(around)).heap, attached(), bytes);
}

void* allocate_slow(type_description& type) noexcept {
  mutator& m = attached_or_die("make");
  const type_layout* layout = layout_for(type);
  return layout == nullptr ? nullptr : allocate_object(m, *layout);
}

fresh_object make_slowly(type_description& type) noexcept {
  void* const memory = allocate_slow(type);
  if (memory == nullptr) return {nullptr, nullptr};
  void** const slot = take_local_slowly(memory);
  return {slot == nullptr ? nullptr : memory, slot};
}

void* allocate_array(type_description& element, std::size_t count, std::size_t header_bytes) noexcept {
  mutator& m = attached_or_die("make_array");
  const type_layout* layout = layout_for(element);
  return layout == nullptr ? nullptr : gc::allocate_array(m, *layout, count, header_bytes);
}

void constructed(void* object) noexcept {
  mspan* s = span_of(address_of(object));
  slot_id slot;
  if (s->slots > 1) s->find_slot(address_of(object), slot);
  s->remote[slot.word()].fetch_or(slot.bit(), std::memory_order_release);  // pairs with the acquire of the sweep
}

namespace {

// In a heap that is tortured barriers are never off, so that misuse of a store is seen whether or not something marks.
void hold_barriers(const heap_options& options) {
  if (options.torture != 0) barriers_on.fetch_add(1, std::memory_order_relaxed);  // relaxed, both: no thread uses it
}
void let_go_of_barriers(const heap_options& options) {
  if (options.torture != 0) barriers_on.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace

heap_state* create_heap(const heap_options& chosen) noexcept {
  if (is_forked()) die_forked("heap");
  if (!watch_forks()) return nullptr;
  heap_state* h = new_heap();
  if (h == nullptr) return nullptr;
  const heap_options options = with_environment(chosen);
  h->options = options;
  take_up(chosen, options, h->wanted_options);
  h->kind = options.kind;
  static constinit std::atomic<std::uint64_t> made{0};
  h->number = made.fetch_add(1, std::memory_order_relaxed) + 1;  // relaxed: a number
  const settings& said = current_settings();
  if (said.timeline != nullptr) timeline::open(said.timeline, said.timeline_length);
  h->made_at = os::now();
  h->process_cpu_before = os::process_cpu_time();
  h->pace.options = {.percent = options.percent,
                     .minimum_heap = options.minimum,
                     .soft_limit = options.limit,
                     .hard_limit = options.hard_limit,
                     .background_share = worker_share(options),
                     .idle_ns = idle_ns(options),
                     .limit_is_shared = is_shared(chosen.limit)};
  h->pace.limiter.capacity_ns = gc_cpu_limiter::capacity_per_processor_ns * os::processor_count();
  h->pace.limiter_updated_at = os::now();
  h->pace.limiter_process_ns = h->process_cpu_before;
  make_plan(*h);
  managed_heap::count.fetch_add(1, std::memory_order_relaxed);  // relaxed: a hint, see mark.cc
  hold_barriers(options);
  const bool wants_threads = options.attach_threads || said.attach_threads;
  const bool attaching = !wants_threads || attach_by_itself(*h, options.attach_threads);
  if (attaching && h->log.start() && (!options.check_barriers || make_shadow(*h)) && start_threads(*h)) return h;
  end_attaching(*h);
  drop_shadow(*h);
  let_go_of_barriers(options);
  managed_heap::count.fetch_sub(1, std::memory_order_relaxed);  // relaxed: as above
  release_heap(h);
  return nullptr;
}

void destroy_heap(heap_state* h) noexcept {
  if (is_forked()) return;
  end_attaching(*h);
  {
    const lock_guard guard(h->mutators_lock);
    for (const mutator* m = h->mutators; m != nullptr; m = m->next)
      if (!m->of_heap) die_misuse("~heap", "still has mutators attached");
  }
  finish_finalizers(*h);
  if (h->roots.in_use() != 0) {
    h->roots.report_leaks();
    die_misuse("~heap",
               h->options.track_handles
                   ? "still has persistent or weak handles"
                   : "still has persistent or weak handles; UMBER_GC_CHECK=handles tells where they were made");
  }
  stop_threads(*h);
  drop_shadow(*h);
  span_stock stock;
  sweep_rest(*h, stock);
  sweep_everything(*h, stock);
  alloc::heap.empty_stock(stock);
  let_go_of_barriers(h->options);
  h->finalizers.forget();
  h->samples.drop_all();
  h->work.open();                                               // as in a new heap
  managed_heap::count.fetch_sub(1, std::memory_order_relaxed);  // relaxed: as above
  release_heap(h);
}

// Resolves one option as for a heap that is made now, by the environment, too.
void set(heap_state* h, heap_setting what, std::size_t value) noexcept {
  heap_options chosen;
  wishes& wanted = h->wanted_options;
  // relaxed, all: see `wishes`.
  switch (what) {
    case heap_setting::percent:
      chosen.percent = value;
      wanted.percent.store(with_environment(chosen).percent, std::memory_order_relaxed);
      break;
    case heap_setting::minimum:
      chosen.minimum = value;
      wanted.minimum.store(with_environment(chosen).minimum, std::memory_order_relaxed);
      break;
    case heap_setting::limit:
      chosen.limit = value;
      wanted.limit.store(with_environment(chosen).limit, std::memory_order_relaxed);
      wanted.limit_is_shared.store(is_shared(value), std::memory_order_relaxed);
      break;
    case heap_setting::hard_limit:
      chosen.hard_limit = value;
      wanted.hard_limit.store(with_environment(chosen).hard_limit, std::memory_order_relaxed);
      break;
    case heap_setting::kind:
      chosen.kind = static_cast<umber::barrier>(value);
      wanted.kind.store(with_environment(chosen).kind, std::memory_order_relaxed);
      break;
  }
  wanted.changed.store(true, std::memory_order_release);  // pairs with the acquire in take_wishes
  call_collector(*h);
}

void collect(heap_state* h) noexcept {
  if (is_forked()) die_forked("collect");
  expect_no_destructor("collect");
  mutator* m = attached();
  // A thread of another heap waits as well, and must not hold up that one: it may be who we wait for.
  if (m != nullptr) gc::enter_blocking(*m);
  gc::collect(*h);
  if (m != nullptr) gc::leave_blocking(*m);
}

// One at a time: their tables are large.
bool write_snapshot(heap_state* h, const char* file) noexcept {
  if (is_forked()) die_forked("write_snapshot");
  expect_no_destructor("write_snapshot");
  static constinit mutex<rank::snapshots> one_at_a_time;
  mutator* m = attached();
  if (m != nullptr) gc::enter_blocking(*m);
  int failure;
  {
    const lock_guard guard(one_at_a_time);
    snapshot_tables tables;
    h->snapshot_wanted.store(&tables, std::memory_order_release);  // pairs with the acquire of the cycle
    gc::collect(*h);
    failure = write_snapshot_file(tables, file);
  }
  if (m != nullptr) gc::leave_blocking(*m);
  if (failure != 0) errno = failure;
  return failure == 0;
}

void read_statistics(heap_state* h, heap_statistics& into) noexcept {
  // In a `blocking` region the collector may be doing so.
  if (mutator* own = attached(); own != nullptr && own->heap == h && own->blocking_depth == 0) count_allocated(*own);
  // relaxed, all: figures.
  into.percent = h->wanted_options.percent.load(std::memory_order_relaxed);
  into.limit = h->wanted_options.limit.load(std::memory_order_relaxed);
  into.cycles = h->cycles.load(std::memory_order_relaxed);
  into.live_bytes = h->last_marked_bytes.load(std::memory_order_relaxed);
  into.heap_bytes = h->heap_bytes.load(std::memory_order_relaxed);
  into.allocated_bytes = h->allocated.load(std::memory_order_relaxed);
  into.total_allocated_bytes = h->allocated_earlier.load(std::memory_order_relaxed) + into.allocated_bytes;
  into.external_bytes = h->external_now();
  into.goal_bytes = h->goal.load(std::memory_order_relaxed);
  into.marked_objects = h->marked_objects.load(std::memory_order_relaxed);
  into.cpu = cpu_used(*h);
  into.mark_ns = into.cpu.mark_ns + into.cpu.assist_ns;
  into.assist_ns = into.cpu.assist_ns;
  into.sweep_ns = into.cpu.sweep_ns + into.cpu.mutator_sweep_ns;
  const lock_guard guard(h->mutators_lock);
  into.mutators = h->mutator_count;
  h->stalls.add_to(into.stalls);
  into.total_allocated_objects = h->slots_taken;
  for (const mutator* m = h->mutators; m != nullptr; m = m->next) {
    m->stalls.add_to(into.stalls);
    into.total_allocated_objects += m->slots_taken.load(std::memory_order_relaxed);  // relaxed: a figure
  }
  for (const stall_histogram& each : into.stalls)
    if (each.longest_ns > into.longest_stall_ns) into.longest_stall_ns = each.longest_ns;
}

std::size_t read_cycles(heap_state* h, std::uint64_t after, cycle_statistics* into, std::size_t capacity) noexcept {
  return h->log.read(after, into, capacity);
}

std::size_t write_json(const heap_statistics& statistics, char* buffer, std::size_t capacity) noexcept {
  return write_metrics(statistics, buffer, capacity);
}

mutator_state* attach(heap_state* h) noexcept { return gc::attach(*h); }
void detach(mutator_state* m) noexcept { gc::detach(*static_cast<mutator*>(m)); }

void enter_blocking() noexcept { gc::enter_blocking(attached_or_die("blocking")); }
void leave_blocking() noexcept {
  if (!is_forked()) gc::leave_blocking(this_mutator());
}

}  // namespace umber::detail

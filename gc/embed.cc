// What the public headers call: handles, heaps and threads of a program, checked for misuse.
#include "cycle.h"
#include "driver.h"
#include "handshake.h"
#include "metrics.h"
#include "refill.h"
#include "request.h"
#include "settings.h"
#include "shadow.h"
#include "sweep.h"
#include "weak.h"

#include "alloc/metadata.h"
#include "alloc/os.h"
#include "alloc/os_threads.h"

#include <pthread.h>

#include <new>

namespace umber::detail {

struct heap_state : gc::managed_heap {
  using gc::managed_heap::managed_heap;
};

using namespace gc;
using mutator = gc::mutator;

namespace {
constinit mutator_state unattached;
}

constinit thread_local mutator_state* current_mutator = &unattached;
constinit std::atomic<std::uint32_t> barriers_on{0};

namespace {

constinit mutex<rank::managed_heaps> lock;
constinit pool<mutator> mutators;  // guarded by lock, as the next
constinit mutator* spare_mutators = nullptr;
constinit pool<heap_state> heap_states;  // guarded by lock, as the next
constinit heap_state* spare_heaps = nullptr;
constinit std::atomic<bool> in_forked_child{false};

mutator* attached() {
  mutator_state* m = current_mutator;
  return m == &unattached ? nullptr : static_cast<mutator*>(m);
}

[[noreturn]] void die_forked(const char* call) {
  die_misuse(call, "is of no use in the child of a fork: its heap stayed in the parent (exec, or fork first)");
}

mutator& attached_or_die(const char* call) {
  mutator* m = attached();
  if (UMBER_LIKELY(m != nullptr)) return *m;
  if (in_forked_child.load(std::memory_order_relaxed)) die_forked(call);  // relaxed: the child has one thread
  die_misuse(call, "needs a thread that is attached: make an umber::mutator first");
}

// The child of a fork has neither the collector's threads nor the other mutators, and locks may be held for ever. It
// may read and write objects, call malloc and exec; handles end quietly; what needs a collector says so and ends it.
void forget_heaps_in_child() {
  in_forked_child.store(true, std::memory_order_relaxed);  // relaxed, both: the child has one thread
  barriers_on.store(0, std::memory_order_relaxed);
  current_mutator = &unattached;
}

bool watch_forks() {
  static constinit std::atomic<bool> watched{false};
  // relaxed: registering twice does no harm.
  if (watched.exchange(true, std::memory_order_relaxed)) return true;
  return pthread_atfork(nullptr, nullptr, forget_heaps_in_child) == 0;
}

bool is_forked() { return in_forked_child.load(std::memory_order_relaxed); }  // relaxed: as above

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

// A mutator's tables outlive it: the next one uses them.
mutator* new_mutator() {
  const lock_guard guard(lock);
  mutator* m = spare_mutators;
  if (m == nullptr) {
    void* memory = mutators.allocate();
    return memory == nullptr ? nullptr : new (memory) mutator;
  }
  spare_mutators = m->next;
  detail::allocation_entry* const entries = m->entries;
  held_span* const held = m->held;
  void* const c_handles = m->c_handles;
  const std::uint32_t capacity = m->capacity;
  new (m) mutator;
  m->entries = entries;
  m->held = held;
  m->c_handles = c_handles;
  m->capacity = m->entry_count = capacity;
  return m;
}

void release_mutator(mutator* m) {
  const lock_guard guard(lock);
  m->next = spare_mutators;
  spare_mutators = m;
}

}  // namespace

void die_unattached() noexcept {
  attached_or_die("local");
  std::abort();
}

void barrier(const std::atomic<void*>* slot, void* value) noexcept {
  mutator* m = attached();
  if (m == nullptr) die_misuse("store", "needs a thread that is attached: make an umber::mutator first");
  if (UMBER_UNLIKELY(m->heap->shadow != nullptr)) note_store(*m, slot, value);
  if (!m->barrier || is_planted(fault::barrier_off)) return;
  const umber::barrier kind = m->heap->options.kind;
  // relaxed: the old value is only recorded.
  void* old = slot->load(std::memory_order_relaxed);
  if (old != nullptr && kind != umber::barrier::insertion && !is_planted(fault::deletion_half_missing))
    m->record(address_of(old));
  if (is_planted(fault::insertion_half_missing)) return;
  if (value != nullptr && (kind == umber::barrier::insertion || (kind == umber::barrier::hybrid && !m->black)))
    m->record(address_of(value));
}

void insertion_barrier(const std::atomic<void*>* slot, void* value) noexcept {
  mutator* m = attached();
  if (m != nullptr && UMBER_UNLIKELY(m->heap->shadow != nullptr)) note_construction(*m, slot, value);
  if (m == nullptr || !m->barrier || value == nullptr) return;
  const umber::barrier kind = m->heap->options.kind;
  if (kind == umber::barrier::insertion || (kind == umber::barrier::hybrid && !m->black)) m->record(address_of(value));
}

void answer() noexcept { answer_pending(attached_or_die("safepoint")); }

root_slot* make_root() noexcept {
  managed_heap& h = *attached_or_die("persistent").heap;
  return h.roots.make(h.options.track_handles ? __builtin_return_address(0) : nullptr);
}

void drop_root(root_slot* root) noexcept {
  if (is_forked()) return;
  void* old = root->object.load(std::memory_order_relaxed);  // relaxed: the handle's own thread
  mutator* m = attached();
  if (old != nullptr && m != nullptr && m->barrier && m->heap->options.kind != umber::barrier::insertion &&
      !is_planted(fault::root_drop_unrecorded))
    m->record(address_of(old));
  root_table::of(root).drop(root);
}

weak_box* make_weak_box(void* target) noexcept { return make_box(attached_or_die("weak"), target); }
void* lock_weak(weak_box* box) noexcept { return lock_target(attached_or_die("lock"), *box); }

void* allocate_slow(type_description& type) noexcept {
  mutator& m = attached_or_die("make");
  const type_layout* layout = layout_for(type);
  return layout == nullptr ? nullptr : allocate_object(m, *layout);
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

heap_state* create_heap(const heap_options& chosen) noexcept {
  if (is_forked()) die_forked("heap");
  if (!watch_forks()) return nullptr;
  heap_state* h = new_heap();
  if (h == nullptr) return nullptr;
  const heap_options options = with_environment(chosen);
  h->options = options;
  h->made_at = os::now();
  h->pace.options = {.percent = options.percent,
                     .minimum_heap = options.minimum,
                     .soft_limit = options.limit,
                     .hard_limit = options.hard_limit,
                     .background_share = worker_share(options)};
  h->pace.limiter.capacity_ns = gc_cpu_limiter::capacity_per_processor_ns * os::processor_count();
  h->pace.limiter_updated_at = os::now();
  make_plan(*h);
  managed_heap::count.fetch_add(1, std::memory_order_relaxed);  // relaxed: a hint, see mark.cc
  if ((!options.check_barriers || make_shadow(*h)) && start_threads(*h)) return h;
  drop_shadow(*h);
  managed_heap::count.fetch_sub(1, std::memory_order_relaxed);  // relaxed: as above
  release_heap(h);
  return nullptr;
}

void destroy_heap(heap_state* h) noexcept {
  if (is_forked()) return;
  {
    const lock_guard guard(h->mutators_lock);
    if (h->mutator_count != 0) die_misuse("~heap", "still has mutators attached");
  }
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
  managed_heap::count.fetch_sub(1, std::memory_order_relaxed);  // relaxed: as above
  release_heap(h);
}

void collect(heap_state* h) noexcept {
  if (is_forked()) die_forked("collect");
  mutator* m = attached();
  // A thread of another heap waits as well, and must not hold up that one: it may be who we wait for.
  if (m != nullptr) gc::enter_blocking(*m);
  gc::collect(*h);
  if (m != nullptr) gc::leave_blocking(*m);
}

void read_statistics(heap_state* h, heap_statistics& into) noexcept {
  // relaxed, all: figures.
  into.percent = h->options.percent;
  into.limit = h->options.limit;
  into.cycles = h->cycles.load(std::memory_order_relaxed);
  into.live_bytes = h->last_marked_bytes;
  into.heap_bytes = h->heap_bytes.load(std::memory_order_relaxed);
  into.allocated_bytes = h->allocated.load(std::memory_order_relaxed);
  into.goal_bytes = h->goal.load(std::memory_order_relaxed);
  into.marked_objects = h->marked_objects.load(std::memory_order_relaxed);
  into.mark_ns = h->mark_ns.load(std::memory_order_relaxed);
  into.assist_ns = h->assist_ns.load(std::memory_order_relaxed);
  into.sweep_ns = h->sweep_ns.load(std::memory_order_relaxed);
  const lock_guard guard(h->mutators_lock);
  into.mutators = h->mutator_count;
  h->stalls.add_to(into.stalls);
  for (const mutator* m = h->mutators; m != nullptr; m = m->next) m->stalls.add_to(into.stalls);
  for (const stall_histogram& each : into.stalls)
    if (each.longest_ns > into.longest_stall_ns) into.longest_stall_ns = each.longest_ns;
}

std::size_t write_json(const heap_statistics& statistics, char* buffer, std::size_t capacity) noexcept {
  return write_metrics(statistics, buffer, capacity);
}

mutator_state* attach(heap_state* h) noexcept {
  if (is_forked()) die_forked("mutator");
  if (attached() != nullptr) die_misuse("mutator", "this thread is attached already");
  mutator* m = new_mutator();
  if (m == nullptr) return nullptr;
  m->handles.next = m->handles.previous = &m->handles;
  m->thread_id = os::thread_id();
  join(*h, *m);
  current_mutator = m;
  return m;
}

void detach(mutator_state* state) noexcept {
  if (is_forked()) return;
  auto* m = static_cast<mutator*>(state);
  if (attached() != m) die_misuse("~mutator", "belongs to another thread");
  if (m->handles.next != &m->handles) die_misuse("~mutator", "still has locals");
  leave(*m);
  alloc::heap.empty_stock(m->stock);
  current_mutator = &unattached;
  release_mutator(m);
}

void enter_blocking() noexcept { gc::enter_blocking(attached_or_die("blocking")); }
void leave_blocking() noexcept {
  if (!is_forked()) gc::leave_blocking(this_mutator());
}

}  // namespace umber::detail

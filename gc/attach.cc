#include "attach.h"

#include "handshake.h"

#include "alloc/metadata.h"
#include "alloc/os_threads.h"

#include <pthread.h>

#include <new>

namespace umber::gc {

namespace {

constinit mutex<rank::managed_heaps> lock;
constinit storage<mutator> mutators;  // guarded by lock, as the next
constinit mutator* spare_mutators = nullptr;
constinit std::atomic<bool> in_forked_child{false};

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
  const local_slots locals = m->locals;
  void* const c_handles = m->c_handles;
  const std::uint32_t capacity = m->capacity;
  new (m) mutator;
  m->entries = entries;
  m->held = held;
  m->locals = locals;
  m->c_handles = c_handles;
  m->capacity = m->entry_count = capacity;
  return m;
}

void release_mutator(mutator* m) {
  const lock_guard guard(lock);
  m->next = spare_mutators;
  spare_mutators = m;
}

void forget_heaps_in_child() {
  in_forked_child.store(true, std::memory_order_relaxed);  // relaxed, both: the child has one thread
  detail::barriers_on.store(0, std::memory_order_relaxed);
  detail::current_mutator = &unattached;
  timeline::forget_in_child();
}

// The heap to which threads attach by themselves, and what detaches them.
constinit std::atomic<managed_heap*> heap_of_all{nullptr};
constinit pthread_key_t thread_end = 0;
constinit std::atomic<bool> thread_end_made{false};

void detach_at_end(void* m) {
  if (attached() == m) detach(*static_cast<mutator*>(m));
}

}  // namespace

bool attach_by_itself(managed_heap& h, bool insists) {
  // relaxed: heaps with this option are made one at a time.
  if (!thread_end_made.load(std::memory_order_relaxed) && pthread_key_create(&thread_end, detach_at_end) != 0)
    return false;
  thread_end_made.store(true, std::memory_order_relaxed);  // relaxed: as above
  managed_heap* none = nullptr;
  // release: pairs with the acquire in attached_or_die.
  if (!heap_of_all.compare_exchange_strong(none, &h, std::memory_order_release, std::memory_order_relaxed) && insists)
    die_misuse("heap", "another heap attaches threads by itself already");
  return true;
}

void end_attaching(managed_heap& h) {
  managed_heap* expected = &h;
  // relaxed: its threads are gone, but for the calling one.
  if (!heap_of_all.compare_exchange_strong(expected, nullptr, std::memory_order_relaxed)) return;
  if (mutator* m = attached(); m != nullptr && m->heap == &h) {
    pthread_setspecific(thread_end, nullptr);
    detach(*m);
  }
}

bool watch_forks() {
  static constinit std::atomic<bool> watched{false};
  // relaxed: registering twice does no harm.
  if (watched.exchange(true, std::memory_order_relaxed)) return true;
  return pthread_atfork(nullptr, nullptr, forget_heaps_in_child) == 0;
}

bool is_forked() { return in_forked_child.load(std::memory_order_relaxed); }  // relaxed: as above

void die_forked(const char* call) {
  die_misuse(call, "is of no use in the child of a fork: its heap stayed in the parent (exec, or fork first)");
}

mutator& attached_or_die(const char* call, const char* otherwise) {
  mutator* m = attached();
  if (UMBER_LIKELY(m != nullptr)) return *m;
  if (is_forked()) die_forked(call);
  expect_no_destructor(call);
  // acquire: pairs with the release in attach_by_itself.
  managed_heap* const h = heap_of_all.load(std::memory_order_acquire);
  if (h != nullptr && (m = attach(*h)) != nullptr && pthread_setspecific(thread_end, m) == 0) return *m;
  die_misuse(call, otherwise);
}

mutator* attach(managed_heap& h, bool of_heap) {
  if (is_forked()) die_forked("mutator");
  expect_no_destructor("mutator");
  if (attached() != nullptr) die_misuse("mutator", "this thread is attached already");
  mutator* m = new_mutator();
  if (m == nullptr) return nullptr;
  if (!m->locals.open(*m)) {
    release_mutator(m);
    return nullptr;
  }
  m->thread_id = os::thread_id();
  m->of_heap = of_heap;
  timeline::enter(h.number);
  join(h, *m);
  detail::current_mutator = m;
  return m;
}

void detach(mutator& m) {
  if (is_forked()) return;
  if (attached() != &m) die_misuse("~mutator", "belongs to another thread");
  if (!m.locals.are_empty()) die_misuse("~mutator", "still has locals");
  leave(m);
  timeline::leave();
  alloc::heap.empty_stock(m.stock);
  detail::current_mutator = &unattached;
  release_mutator(&m);
}

guest::guest(managed_heap& h) : before_(attached()) {
  if (before_ != nullptr) enter_blocking(*before_);
  detail::current_mutator = &unattached;
  guest_ = attach(h, true);
}

guest::~guest() {
  if (guest_ != nullptr) detach(*guest_);
  if (before_ == nullptr) return;
  detail::current_mutator = before_;
  leave_blocking(*before_);
}

}  // namespace umber::gc

namespace umber::detail {

void** take_local_slowly(void* object) noexcept {
  gc::mutator& m = gc::attached_or_die("local");
  return has_local(&m) ? next_local(&m, object) : m.locals.take_more(m, object);
}

void drop_late() noexcept {
  gc::expect_no_destructor("~local");
  if (!gc::is_forked()) gc::die_misuse("~local", "belongs to another thread, or its thread is no longer attached");
}

}  // namespace umber::detail

#include "processors.h"

#include "os.h"
#include "os_threads.h"
#include "planted.h"

#include <pthread.h>
#include <new>

namespace umber::alloc {

thread_local constinit thread_state this_thread;

namespace processors {

namespace {

constexpr std::uint32_t visits_before_attaching = 16;
constexpr std::size_t warm_idle = 8;  // processors that stay idle with their caches full
constexpr std::size_t shared_count = 4;
constexpr std::uint64_t already_empty = UINT64_MAX;  // an idle_since: nothing to flush

constinit mutex<rank::idle_list> lock;
constinit processor* idle = nullptr;  // guarded by lock, as all below
constinit std::size_t idle_count = 0;
constinit std::size_t held_now = 0;
constinit processor* all = nullptr;
constinit std::size_t all_count = 0;
constinit bool key_exists = false;
constinit pthread_key_t key = 0;

struct alignas(cache_line) shared_processor {
  mutex<rank::processor> lock;
  processor* p = nullptr;
};
constinit shared_processor shared[shared_count];

processor* create() {
  void* storage = metadata::allocate(sizeof(processor), alignof(processor));
  return storage == nullptr ? nullptr : new (storage) processor;
}

processor* create_for_threads() {
  processor* p = create();
  if (p == nullptr) return nullptr;
  p->next_of_all = all;
  all = p;
  ++all_count;
  return p;
}

void hold(processor* p) {
  thread_state& t = this_thread;
  p->held = true;
  p->holder = &t;
  p->holder_id = os::thread_id();
  p->seen_switches = UINT64_MAX;
  p->inside = true;
  ++held_now;
  t.p.store(p, std::memory_order_relaxed);  // relaxed: others read it under the lock
}

void let_go(processor* p) {
  p->held = false;
  p->holder = nullptr;
  --held_now;
}

bool has_key_locked(void (*at_thread_exit)(void*)) {
  if (!key_exists) key_exists = pthread_key_create(&key, at_thread_exit) == 0;
  return key_exists;
}

bool has_key(void (*at_thread_exit)(void*)) {
  const lock_guard guard(lock);
  return has_key_locked(at_thread_exit);
}

// Under the lock, because a processor that was being taken from this thread may just have been given back to it.
processor* take_idle_or_create(void (*at_thread_exit)(void*)) {
  const lock_guard guard(lock);
  if (this_thread.mine() != &no_processor) return this_thread.mine();
  if (!has_key_locked(at_thread_exit)) return nullptr;
  processor* p = idle;
  if (p == nullptr) {
    p = create_for_threads();
  } else {
    idle = p->next;
    p->next = nullptr;
    --idle_count;
  }
  if (p != nullptr) hold(p);
  return p;
}

// This thread's processor, no longer its own; null if it has none.
processor* give_up() {
  const lock_guard guard(lock);
  processor* p = this_thread.mine();
  if (p == &no_processor) return nullptr;
  this_thread.p.store(&no_processor, std::memory_order_relaxed);  // relaxed: others read it under the lock
  let_go(p);
  return p;
}

void put_idle_locked(processor* p) {
  p->next = idle;
  idle = p;
  ++idle_count;
}

void put_idle(processor* p) {
  const lock_guard guard(lock);
  put_idle_locked(p);
}

bool is_first() {
  const lock_guard guard(lock);
  return all_count == 0;
}

}  // namespace

processor* attach(void (*at_thread_exit)(void*)) {
  thread_state& t = this_thread;
  if (t.exiting) return nullptr;
  if (t.visits < visits_before_attaching && !(t.visits == 0 && is_first())) {
    // From the first visit on: a thread whose exit went unseen could attach after all destructors have run.
    if (++t.visits == 1 && has_key(at_thread_exit)) pthread_setspecific(key, &t);
    return nullptr;
  }
  processor* p = take_idle_or_create(at_thread_exit);
  if (p == nullptr) return nullptr;
  if (p->disturbed) p->flush();
  p->inside = true;
  // It may allocate, which works by now. Without a destructor at thread exit the processor would be lost.
  const bool remembered = pthread_setspecific(key, p) == 0;
  p->inside = true;
  if (remembered) return p;
  p = give_up();
  if (p != nullptr) put_idle(p);
  return nullptr;
}

void detach() {
  this_thread.exiting = true;
  processor* p = give_up();
  if (p == nullptr) return;
  p->inside = true;
  p->remote.send_all();
  p->attend();
  p->inside = false;
  bool many = false;
  {
    const lock_guard guard(lock);
    many = idle_count >= warm_idle;
  }
  if (many) p->flush();
  p->idle_since = os::now();
  put_idle(p);
}

processor* next_of_all(processor* p) {
  const lock_guard guard(lock);
  return p == nullptr ? all : p->next_of_all;
}

bool is_held_by_other(const processor& p) {
  const lock_guard guard(lock);
  return p.held && p.holder != &this_thread;
}

bool take_from_holder(processor& p, bool (*before)(const processor&), bool (*after)(const processor&)) {
  const lock_guard guard(lock);
  if (!p.held || p.inside || !before(p)) return false;
  // seq_cst: the sleeper, once woken, sees this, or it is seen awake below. See [retake.1] (litmus: retake).
  p.holder->p.store(&no_processor, std::memory_order_seq_cst);
  std::atomic_thread_fence(std::memory_order_seq_cst);  // before the kernel is asked
  if (!after(p)) {
    p.holder->p.store(&p, std::memory_order_seq_cst);  // it may be inside with it, or wait for the lock to get another
    return false;
  }
  let_go(&p);
  p.idle_since = os::now();
  put_idle_locked(&p);
  return true;
}

std::size_t held_count() {
  const lock_guard guard(lock);
  return held_now;
}

visit::visit() UMBER_UNCHECKED : place_((address_of(&this_thread) >> 12) % shared_count) {
  shared[place_].lock.lock();
  if (shared[place_].p == nullptr) shared[place_].p = create();
  p_ = shared[place_].p;
}

visit::~visit() UMBER_UNCHECKED { shared[place_].lock.unlock(); }

namespace {

// Takes a processor that has been idle since before `time` and is not empty yet out of the list.
processor* take_old_idle(std::uint64_t time) {
  const lock_guard guard(lock);
  for (processor** link = &idle; *link != nullptr; link = &(*link)->next) {
    processor* p = *link;
    if (p->idle_since >= time || p->idle_since == already_empty) continue;
    *link = p->next;
    p->next = nullptr;
    --idle_count;
    p->moving = true;
    return p;
  }
  return nullptr;
}

void put_empty_idle(processor* p) {
  const lock_guard guard(lock);
  p->moving = false;
  p->idle_since = already_empty;
  // At the end: the warm ones are wanted first.
  processor** link = &idle;
  while (*link != nullptr) link = &(*link)->next;
  p->next = nullptr;
  *link = p;
  ++idle_count;
}

}  // namespace

std::size_t flush_idle(std::uint64_t time) {
  std::size_t flushed = 0;
  while (processor* p = take_old_idle(time)) {
    p->flush();
    put_empty_idle(p);
    ++flushed;
  }
  return flushed;
}

void flush_shared() {
  for (shared_processor& s : shared) {
    const lock_guard guard(s.lock);
    if (s.p != nullptr) s.p->flush();
  }
}

census count() {
  const lock_guard guard(lock);
  return {all_count, idle_count};
}

void lock_for_fork() UMBER_UNCHECKED {
  for (shared_processor& s : shared) s.lock.lock();
  lock.lock();
}

void unlock_after_fork() UMBER_UNCHECKED {
  lock.unlock();
  for (shared_processor& s : shared) s.lock.unlock();
}

void reset_in_child() {
  lock.reset_in_child();
  for (shared_processor& s : shared) s.lock.reset_in_child();
  for (processor* p = all; p != nullptr; p = p->next_of_all) {
    if (p->held && p->holder == &this_thread) p->holder_id = os::thread_id();
    if (p->held ? p->holder == &this_thread : !p->moving) continue;
    if (p->held) let_go(p);
    p->moving = false;
    if (p->inside) continue;
    p->disturbed = true;
    p->idle_since = os::now();
    put_idle_locked(p);
  }
}

}  // namespace processors

}  // namespace umber::alloc

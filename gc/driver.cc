#include "driver.h"

#include "ahead.h"
#include "cycle.h"
#include "request.h"

#include "alloc/os.h"
#include "alloc/scavenger.h"

#include <algorithm>

#include <pthread.h>
#include <signal.h>

#include <algorithm>

namespace umber::gc {

namespace {

constexpr std::uint64_t longest_rest = 10'000'000'000;  // ns
constexpr std::size_t stack_bytes = 512 * kib;

const volatile std::uint32_t* futex_word(const std::atomic<std::uint32_t>& word) {
  return reinterpret_cast<const volatile std::uint32_t*>(&word);
}

// How often to look whether the heap idles: often enough for its period, and seldom. Whether cycles are still to be
// held back: soon, and ever later.
std::uint64_t look_every(const pace_state& pace, unsigned looks) {
  constexpr std::uint64_t soon = 10'000'000, most_doublings = 6, idle_looks = 12;
  if (pace.current.is_held_back) return soon << std::min<std::uint64_t>(looks, most_doublings);
  const pacer_options& options = pace.options;
  if (options.idle_ns == 0 || options.percent == pacer_options::off) return longest_rest;
  return std::clamp<std::uint64_t>(options.idle_ns / idle_looks, 1'000'000, longest_rest);
}

// What the heap will have taken when it is as large as its goal; nothing where it grows without one.
std::size_t room_to_grow(const managed_heap& h) {
  const std::size_t goal = h.goal.load(std::memory_order_relaxed);  // relaxed: written by this thread
  const std::size_t used = h.live_bytes + h.pace.last.external_bytes;
  return goal < SIZE_MAX / 2 && goal > used ? goal - used : 0;
}

// Pages that this heap has given up go back to the system, but for those that it will want again.
void tell_scavenger(std::size_t& told, std::size_t room) {
  alloc::scavenger::expect_growth(told, room);
  told = room;
  alloc::scavenger::note_growth();
  alloc::scavenger::note_free();
}

void* collect_when_asked(void* heap) {
  managed_heap& h = *static_cast<managed_heap*>(heap);
  pthread_setname_np(pthread_self(), "umber collector");
  timeline::enter(h.number);
  span_stock stock;
  std::uint64_t last_end = os::now();
  std::size_t told = 0;
  unsigned looks = 0;  // since then, that nobody called for
  for (;;) {
    // acquire, all: pair with the releases in request.cc and stop_threads.
    const std::uint32_t calls = h.calls.load(std::memory_order_acquire);
    const std::uint32_t wanted = h.wanted.load(std::memory_order_acquire);
    if (h.ending.load(std::memory_order_acquire)) break;
    const bool is_changed = take_wishes(h);
    if (h.started.load(std::memory_order_relaxed) == wanted) {  // relaxed: written here only
      const bool is_new = is_changed || let_go(h);
      if (is_new && is_due(h)) start_cycle(h);
      while (bring_pages(h)) {
        if (h.wanted.load(std::memory_order_relaxed) != wanted) break;  // relaxed: looked at again
      }
      os::wait(futex_word(h.calls), calls, look_every(h.pace, looks));
      if (h.calls.load(std::memory_order_relaxed) == calls) ++looks;  // relaxed: a count
      // Not beside who asked (turns.h). relaxed: a hint.
      if (os::current_processor() == h.called_on.load(std::memory_order_relaxed)) os::leave_processor();
      const std::size_t allocated = h.allocated.load(std::memory_order_relaxed);  // relaxed: a figure
      if (is_planted(fault::idle_heap_forgotten)) continue;
      if (should_collect_idle(h.pace.options, os::now(), last_end, allocated)) start_cycle(h);
      continue;
    }
    const std::uint32_t cycle = h.started.load(std::memory_order_relaxed) + 1;  // relaxed: as above
    h.started.store(cycle, std::memory_order_release);                          // release, both: pair with request.cc
    run_cycle(h, stock);
    tell_scavenger(told, room_to_grow(h));
    looks = 0;
    last_end = os::now();
    h.finished.store(cycle, std::memory_order_release);
    os::wake_all(futex_word(h.finished));
  }
  alloc::heap.empty_stock(stock);
  tell_scavenger(told, 0);
  timeline::leave();
  end_thread(h);
  return nullptr;
}

void* help(void* heap) {
  managed_heap& h = *static_cast<managed_heap*>(heap);
  pthread_setname_np(pthread_self(), "umber marker");
  timeline::enter(h.number);
  while (!h.ending.load(std::memory_order_acquire)) {  // pairs with the release in stop_threads
    const std::uint32_t called = h.helpers_called.load(std::memory_order_acquire);  // pairs with call_helpers
    mark_along(h);
    os::wait(futex_word(h.helpers_called), called, longest_rest);
  }
  timeline::leave();
  end_thread(h);
  return nullptr;
}

}  // namespace

void end_thread(managed_heap& h) {
  // release: pairs with the acquire in stop_threads.
  h.running.fetch_sub(1, std::memory_order_release);
  os::wake_all(futex_word(h.running));
}

bool start_thread(managed_heap& h, void* (*body)(void*)) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return false;
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, stack_bytes);
  h.running.fetch_add(1, std::memory_order_relaxed);  // relaxed: a count
  pthread_sigmask(SIG_SETMASK, &all, &before);        // signals belong to the program's threads
  pthread_t thread;
  const bool started = pthread_create(&thread, &attributes, body, &h) == 0;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  if (!started) h.running.fetch_sub(1, std::memory_order_relaxed);  // relaxed: a count
  return started;
}

unsigned worker_count(const heap_options& options) {
  if (options.workers != 0) return options.workers;
  const unsigned quarter = os::processor_count() / 4;
  return quarter != 0 ? quarter : 1;
}

bool start_threads(managed_heap& h) {
  const unsigned workers = worker_count(h.options);
  bool started = start_thread(h, collect_when_asked);
  for (unsigned i = 1; i < workers && started; ++i) started = start_thread(h, help);
  if (!started) stop_threads(h);
  return started;
}

void stop_threads(managed_heap& h) {
  h.ending.store(true, std::memory_order_release);  // pairs with the acquires of the threads
  for (;;) {
    const std::uint32_t running = h.running.load(std::memory_order_acquire);  // pairs with the release in end_thread
    if (running == 0) return;
    call_collector(h);
    os::wake_all(futex_word(h.helpers_called));
    os::wait(futex_word(h.running), running, 1'000'000);
  }
}

}  // namespace umber::gc

#include "scavenger.h"

#include "mcentral.h"
#include "mheap.h"
#include "options.h"
#include "os.h"
#include "os_threads.h"
#include "processors.h"
#include "retake.h"
#include "scavenge_pace.h"
#include "trim.h"

#include <pthread.h>
#include <signal.h>
#include <cerrno>

namespace umber::alloc::scavenger {

namespace {

constexpr std::uint64_t ms = 1000000;
constexpr std::size_t most_trimmed_a_round = gib;
constexpr page_count worth_starting = page_count::covering(12 * mib);
// From this many threads with processors on it is worth looking which of them sleep, and how often.
constexpr std::size_t many_holders = 32;
constexpr std::uint64_t look_again = 5000 * ms;
constexpr std::uint64_t look_whether_alone = 1000 * ms;
constexpr std::uint64_t most_cpu_retaking = 20 * ms;

enum state : std::uint32_t { not_started, asleep, awake, cannot_start };

constinit mutex<rank::scavenger> lock;  // taken around fork; guards nothing else
constinit std::atomic<std::uint32_t> current{not_started};
constinit std::atomic<std::size_t> released_total{0};
constinit std::atomic<std::uint64_t> cpu_total{0};
constinit std::atomic<std::size_t> expected_bytes{0};  // by all who have told
constinit std::atomic<std::size_t> expected_use{0};    // pages: what will be in use when they have it

const volatile std::uint32_t* futex_word() { return reinterpret_cast<const volatile std::uint32_t*>(&current); }

std::uint64_t decay_ns() { return static_cast<std::uint64_t>(current_options().decay_ms) * ms; }

void count_released(std::size_t bytes) {
  released_total.fetch_add(bytes, std::memory_order_relaxed);  // relaxed: a statistic
}

// Gives back up to `due` pages, within this tick's share of CPU.
page_count release_due(page_count due, std::uint64_t started) {
  page_count done{0};
  while (done < due && may_go_on(os::thread_cpu_time() - started)) {
    const page_count left = due - done;
    const page_count step = heap.release(left < page_alloc::chunk_pages ? left : page_alloc::chunk_pages);
    if (step.value == 0) break;
    done += step;
  }
  count_released(done.bytes());
  return done;
}

// One round. True while there is something left to wait for.
bool round(demand& wanted, std::size_t number) {
  const std::uint64_t started = os::thread_cpu_time();
  const std::uint64_t now = os::now();
  const std::uint64_t decay = decay_ns();
  bool worked = processors::flush_idle(now > decay ? now - decay : 0) > 0;
  if (number % 10 == 9) {
    worked = retake_processors(most_cpu_retaking) > 0 || worked;
    processors::flush_shared();
    const std::size_t trimmed = trim_centrals(most_trimmed_a_round);
    count_released(trimmed);
    worked = trimmed > 0 || worked;
  }
  const page_figures f = heap.figures();
  const page_count in_use = f.known - f.free;
  const page_count use{expected_use.load(std::memory_order_relaxed)};  // relaxed: a size
  const page_count standing = use > in_use ? use - in_use : page_count{0};
  const page_count ahead = now - f.populated_at < decay ? f.ahead : page_count{0};
  const page_count expected = std::max(ahead, standing);
  release_due(due(in_use, wanted.highest(in_use), f.unscavenged, expected), started);
  const page_count left = heap.figures().unscavenged;
  return worked || (left > standing && is_worth_another_tick(left - standing));
}

// Sleeps until a free or a thread calls for work. False if the process has ended but for this thread.
bool sleep_until_called() {
  std::uint32_t expected = awake;
  for (;;) {
    // acq_rel, here and below: pairs with the change in make_awake.
    if (!current.compare_exchange_strong(expected, asleep, std::memory_order_acq_rel, std::memory_order_relaxed) &&
        expected != asleep)
      return true;
    // Nobody holds a processor when the main thread has ended, or is asleep for long.
    const std::size_t holders = processors::held_count();
    os::wait(futex_word(), asleep, holders == 0 ? look_whether_alone : holders >= many_holders ? look_again : 0);
    if (current.load(std::memory_order_acquire) == awake) return true;  // pairs with the change in make_awake
    if (os::is_last_thread()) return false;
    if (holders >= many_holders) retake_processors(most_cpu_retaking);
    expected = awake;
  }
}

void* run(void* /*unused*/) {
  pthread_setname_np(pthread_self(), "umber scavenger");  // else that of the thread that started it
  demand wanted(decay_ns());
  std::size_t number = 0;
  std::size_t quiet = 0;
  for (;;) {
    const std::uint64_t before = os::thread_cpu_time();
    quiet = round(wanted, number++) ? 0 : quiet + 1;
    const std::uint64_t used = os::thread_cpu_time() - before;
    cpu_total.fetch_add(used, std::memory_order_relaxed);  // relaxed: a statistic
    if (os::is_last_thread()) return nullptr;              // libc ends the process when its last thread does
    if (quiet > wanted.quiet_ticks()) {
      quiet = 0;
      if (!sleep_until_called()) return nullptr;
      continue;
    }
    os::wait(futex_word(), awake, pause_after(used));
  }
}

// Signals belong to the program's threads.
bool create_thread(std::size_t stack_bytes) {
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return false;
  pthread_t thread;
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  const bool created = pthread_attr_setstacksize(&attributes, stack_bytes) == 0 &&
                       pthread_create(&thread, &attributes, run, nullptr) == 0;
  pthread_attr_destroy(&attributes);
  return created;
}

bool start_thread() {
  const int saved = errno;
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  bool started = false;
  if (pthread_sigmask(SIG_SETMASK, &all, &before) == 0) {
    // Where libraries have much TLS a small stack does not hold it.
    started = create_thread(128 * kib) || create_thread(2 * mib);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  errno = saved;
  return started;
}

}  // namespace

namespace {

bool is_wanted() {
  const options& wished = current_options();
  return wished.scavenger && wished.decay_ms >= 0;
}

// acq_rel: pairs with the changes in run.
bool change(std::uint32_t from, std::uint32_t to) {
  return current.compare_exchange_strong(from, to, std::memory_order_acq_rel, std::memory_order_relaxed);
}

void start() {
  if (!is_wanted() || !change(not_started, awake)) return;
  if (!start_thread()) change(awake, cannot_start);
}

}  // namespace

void note_free() {
  // relaxed: a hint; the exchange decides.
  if (UMBER_LIKELY(current.load(std::memory_order_relaxed) != asleep || heap.unscavenged_hint() < worth_waking)) return;
  if (change(asleep, awake)) os::wake_one(futex_word());
}

void note_growth() {
  if (UMBER_UNLIKELY(current.load(std::memory_order_relaxed) == not_started &&              // relaxed: a hint, as above
                     window.pages.load(std::memory_order_relaxed) > worth_starting.value))  // relaxed: a size
    start();
}

void expect_growth(std::size_t before, std::size_t bytes) {
  // relaxed, all: sizes; of two who tell at once the later may be overlooked until it tells again.
  const std::size_t all = expected_bytes.fetch_add(bytes - before, std::memory_order_relaxed) + bytes - before;
  const page_figures f = heap.figures();
  const page_count in_use = f.known - f.free;
  expected_use.store((in_use + page_count::covering(all)).value, std::memory_order_relaxed);
}

void note_processor() {
  if (UMBER_LIKELY(processors::held_count() < many_holders)) return;
  if (change(asleep, awake)) os::wake_one(futex_word());
  start();
}

std::size_t release_all() {
  heap.press();
  if (this_thread.mine() != &no_processor) this_thread.mine()->flush();
  processors::flush_idle(UINT64_MAX);
  processors::flush_shared();
  std::size_t bytes = trim_centrals(SIZE_MAX);
  for (;;) {
    const page_count step = heap.release(page_alloc::chunk_pages);
    if (step.value == 0) break;
    bytes += step.bytes();
  }
  count_released(bytes);
  return bytes;
}

figures so_far() {
  // relaxed: statistics.
  return {released_total.load(std::memory_order_relaxed), cpu_total.load(std::memory_order_relaxed)};
}

void lock_for_fork() UMBER_UNCHECKED { lock.lock(); }
void unlock_after_fork() UMBER_UNCHECKED { lock.unlock(); }
void reset_in_child() {
  lock.reset_in_child();
  // relaxed: the child is alone. It has no background thread until it frees enough.
  if (current.load(std::memory_order_relaxed) != cannot_start) current.store(not_started, std::memory_order_relaxed);
}

}  // namespace umber::alloc::scavenger

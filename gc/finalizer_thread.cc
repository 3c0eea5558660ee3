#include "finalizer_thread.h"

#include "attach.h"
#include "barrier.h"
#include "driver.h"
#include "handshake.h"

#include "alloc/os.h"

#include <pthread.h>

namespace umber::gc {

namespace {

const volatile std::uint32_t* futex_word(const std::atomic<std::uint32_t>& word) {
  return reinterpret_cast<const volatile std::uint32_t*>(&word);
}

// Until the heap is destroyed; what is queued then is left to who does that.
void serve(managed_heap& h, mutator& m) {
  for (;;) {
    // acquire, both: pair with wake and end_thread_of.
    const std::uint32_t arrivals = h.finalizers.arrivals().load(std::memory_order_acquire);
    if (h.finalizers_ending.load(std::memory_order_acquire)) return;
    if (run_due(m, 1) != 0) continue;
    enter_blocking(m);
    os::wait(futex_word(h.finalizers.arrivals()), arrivals);
    leave_blocking(m);
  }
}

void* serve_until_the_end(void* heap) {
  managed_heap& h = *static_cast<managed_heap*>(heap);
  pthread_setname_np(pthread_self(), "umber finalizer");
  mutator* m = attach(h, true);
  if (m != nullptr) {
    serve(h, *m);
    detach(*m);
  }
  h.finalizer_threads.store(0, std::memory_order_release);  // pairs with the acquire in end_thread_of
  os::wake_all(futex_word(h.finalizer_threads));
  end_thread(h);
  return nullptr;
}

void end_thread_of(managed_heap& h) {
  h.finalizers_ending.store(true, std::memory_order_release);  // pairs with the acquire in serve
  h.finalizers.wake();
  // acquire: pairs with the release of the thread.
  while (h.finalizer_threads.load(std::memory_order_acquire) != 0) os::wait(futex_word(h.finalizer_threads), 1);
}

}  // namespace

void want_finalizer_thread(managed_heap& h) {
  // relaxed, all: whoever changes it from 0 starts the thread.
  if (!h.options.finalizer_thread || h.finalizers_ending.load(std::memory_order_relaxed)) return;
  if (h.finalizer_threads.load(std::memory_order_relaxed) != 0) return;
  if (h.finalizer_threads.exchange(1, std::memory_order_relaxed) != 0) return;
  if (!start_thread(h, serve_until_the_end)) h.finalizer_threads.store(0, std::memory_order_relaxed);
}

std::size_t run_due(mutator& m, std::size_t most) {
  finalizer_table& table = m.heap->finalizers;
  std::size_t ran = 0;
  for (; ran < most; ++ran) {
    answer_pending(m);
    finalizer_table::call call;
    local<std::byte> kept;
    if (!table.take(call, kept)) break;
    record_store(m, kept.get(), nullptr);  // it was a root, and is a local now, of a thread that may be black
    call.run(call.closure, kept.get());
    if (is_planted(fault::finalizer_runs_twice)) call.run(call.closure, kept.get());
  }
  return ran;
}

void finish_finalizers(managed_heap& h) {
  end_thread_of(h);
  if (h.finalizers.is_unused()) return;
  guest here(h);
  if (!here.possible()) return;
  run_due(*here, h.finalizers.due());
  h.shut.store(true, std::memory_order_relaxed);  // relaxed: this thread is the last
  here->entry_count = 0;                          // whatever it makes now is refused
  h.finalizers.queue_all_cleanups();
  run_due(*here);
}

}  // namespace umber::gc

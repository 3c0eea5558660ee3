// Locks that do not allocate, know their rank, and can be reset in the child of a fork.
//
// A `mutex` is one 32-bit word: 0 free, 1 held, 2 held with sleepers (Drepper, "Futexes are tricky"). It spins for
// about the length of a critical section of this engine, then sleeps. Uncontended it costs one atomic exchange.
//
// Invariants
//   [sync.1] in debug builds a thread that takes a lock out of rank dies with the two ranks named.
// Concurrency
//   This is it.
// Uses / used by
//   Uses os (sleep and wake), rank, check. Used by every owner of a lock.
#pragma once

#include "base.h"
#include "check.h"
#include "os.h"
#include "rank.h"

#include <atomic>

#if defined(__clang__)
#define UMBER_THREAD_SAFETY(attribute) __attribute__((attribute))
#else
#define UMBER_THREAD_SAFETY(attribute)
#endif
#define UMBER_GUARDED_BY(lock) UMBER_THREAD_SAFETY(guarded_by(lock))
#define UMBER_REQUIRES(lock) UMBER_THREAD_SAFETY(requires_capability(lock))
// For the functions around fork, which take locks here and release them elsewhere.
#define UMBER_UNCHECKED UMBER_THREAD_SAFETY(no_thread_safety_analysis)

namespace umber::alloc {

// The ranks this thread holds. A release carries no TLS for it.
#ifdef NDEBUG
inline void rank_acquired(rank /*r*/) {}
inline void rank_released(rank /*r*/) {}
inline void ranks_forgotten() {}
#else
void rank_acquired(rank r);
void rank_released(rank r);
// The child of a fork resets locks instead of releasing them.
void ranks_forgotten();
#endif

template <rank Rank>
class UMBER_THREAD_SAFETY(capability("mutex")) mutex {
 public:
  void lock() UMBER_THREAD_SAFETY(acquire_capability()) {
    rank_acquired(Rank);
    std::uint32_t expected = 0;
    // acquire: pairs with the release in unlock.
    if (UMBER_LIKELY(word_.compare_exchange_strong(expected, 1, std::memory_order_acquire, std::memory_order_relaxed)))
      return;
    lock_contended();
  }
  bool try_lock() UMBER_THREAD_SAFETY(try_acquire_capability(true)) {
    std::uint32_t expected = 0;
    // acquire: pairs with the release in unlock.
    const bool taken = word_.compare_exchange_strong(expected, 1, std::memory_order_acquire, std::memory_order_relaxed);
    if (taken) rank_acquired(Rank);
    return taken;
  }
  void unlock() UMBER_THREAD_SAFETY(release_capability()) {
    rank_released(Rank);
    // release: pairs with the acquire in lock, try_lock and lock_contended.
    if (UMBER_UNLIKELY(word_.exchange(0, std::memory_order_release) == 2)) os::wake_one(futex_word());
  }
  // The child of a fork is alone: whoever held the lock is gone with its thread. relaxed: there is no other thread.
  void reset_in_child() { word_.store(0, std::memory_order_relaxed); }

 private:
  UMBER_SLOW void lock_contended() {
    for (int spin = 0; spin < 100; ++spin) {
      std::uint32_t expected = 0;
      // relaxed: a hint only. acquire below: pairs with the release in unlock.
      if (word_.load(std::memory_order_relaxed) == 0 &&
          word_.compare_exchange_weak(expected, 1, std::memory_order_acquire, std::memory_order_relaxed))
        return;
      spin_pause();
    }
    // acquire: pairs with the release in unlock; 2 says that somebody may sleep.
    while (word_.exchange(2, std::memory_order_acquire) != 0) os::wait(futex_word(), 2);
  }
  const volatile std::uint32_t* futex_word() const { return reinterpret_cast<const volatile std::uint32_t*>(&word_); }

  std::atomic<std::uint32_t> word_{0};
};

template <rank Rank>
class UMBER_THREAD_SAFETY(scoped_lockable) lock_guard {
 public:
  explicit lock_guard(mutex<Rank>& m) UMBER_THREAD_SAFETY(acquire_capability(m)) : mutex_(m) { mutex_.lock(); }
  ~lock_guard() UMBER_THREAD_SAFETY(release_capability()) { mutex_.unlock(); }
  lock_guard(const lock_guard&) = delete;
  lock_guard& operator=(const lock_guard&) = delete;

 private:
  mutex<Rank>& mutex_;
};

}  // namespace umber::alloc

// Objects to use again: what was put is got back, by any thread, as long as it is wanted.
//
//   umber::persistent<umber::pool<buffer>> buffers = umber::make<umber::pool<buffer>>();
//   umber::local<buffer> b = buffers->get();   // one that was put, as it was then, or make<buffer>()
//   ...
//   buffers->put(b);                           // from here on it is the pool's
//
// As Go's sync.Pool: a cache in front of `make`, for objects that are dear to make or large. It never promises to
// remember: what nobody got for two collections is dropped. What was put since the last collection is *recent*; with
// each collection the recent ones become the *victims*, which are still given out, but last, and the victims before
// them are dropped. The pool learns of a collection at its next use, by any thread; `trim` is such a use and no more,
// for a pool that may never be used again.
//
// Threads: any, at once. Each works in a shard of its own, and takes from the others' when that is empty. A thread
// never waits: a shard that is in use is passed by, and where all are in use an object is made, or dropped.
// Complexity: O(1) while there is something in the own shard, otherwise O(processors). `get` and `put` are safepoints.
#pragma once

#include <umber/container.h>

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <thread>

namespace umber {

namespace detail {

// Collections that this thread's heap has finished.
UMBER_API std::uint64_t cycle_number() noexcept;

}  // namespace detail

template <class T>
class pool {
 public:
  pool() : shards_(make_array<shard>(shard_count())) {}
  pool(const pool&) = delete;
  pool& operator=(const pool&) = delete;

  // Throws as make<T>() does.
  [[nodiscard]] local<T> get() {
    local<T> taken = take();
    return taken != nullptr ? taken : make<T>();
  }
  // One that was put, or null.
  [[nodiscard]] local<T> take() noexcept {
    trim();
    for (const bool victims : {false, true})
      for (std::size_t i = 0; i < shards_->size(); ++i)
        if (local<T> taken = own_shard(i).pop(victims); taken != nullptr) return taken;
    return nullptr;
  }
  void put(T* object) {
    if (object == nullptr) return;
    trim();
    const local<T> kept(object);
    for (std::size_t i = 0; i < shards_->size(); ++i) {
      switch (own_shard(i).push(object, nullptr)) {
        case pushed::yes:
          return;
        case pushed::in_use:
          break;
        case pushed::full: {
          const local<stack> empty = make<stack>();
          if (own_shard(i).push(object, empty) == pushed::yes) return;
        }
      }
    }
  }

  // Drops what has not been used for two collections.
  void trim() noexcept {
    const std::uint64_t now = detail::cycle_number();
    // relaxed, both: each shard looks again under its lock.
    if (cycle_.load(std::memory_order_relaxed) == now) return;
    bool all = true;
    for (shard& s : *shards_) all = s.age(now) && all;
    if (all) cycle_.store(now, std::memory_order_relaxed);
  }

 private:
  enum class pushed { yes, full, in_use };

  // A few objects, and more below.
  struct stack {
    field<stack> below;
    std::size_t count = 0;
    std::array<field<T>, 30> objects;
  };

  // What one thread puts and gets; all of it is under its lock, which nobody waits for, and holds over a safepoint.
  class shard {
   public:
    T* pop(bool victims) noexcept {
      if (!try_lock()) return nullptr;
      T* popped = pop_from(victims ? victims_ : recent_);
      unlock();
      return popped;
    }
    // `empty` is where to put it if the stack is full, or null.
    pushed push(T* object, stack* empty) noexcept {
      if (!try_lock()) return pushed::in_use;
      stack* top = recent_;
      if (top == nullptr || top->count == top->objects.size()) {
        if (empty == nullptr) {
          unlock();
          return pushed::full;
        }
        empty->below = top;
        recent_ = top = empty;
      }
      top->objects[top->count++] = object;
      unlock();
      return pushed::yes;
    }
    // False if it is in use.
    bool age(std::uint64_t now) noexcept {
      if (!try_lock()) return false;
      if (cycle_ != now) {
        victims_ = now - cycle_ == 1 ? recent_.get() : nullptr;
        recent_ = nullptr;
        cycle_ = now;
      }
      unlock();
      return true;
    }

   private:
    static T* pop_from(field<stack>& from) noexcept {
      stack* top = from;
      if (top == nullptr) return nullptr;
      T* object = top->objects[--top->count].exchange(nullptr);
      if (top->count == 0) from = top->below;
      return object;
    }
    bool try_lock() noexcept {
      // acquire: pairs with the release in unlock.
      return locked_.load(std::memory_order_relaxed) == 0 && locked_.exchange(1, std::memory_order_acquire) == 0;
    }
    void unlock() noexcept { locked_.store(0, std::memory_order_release); }

    field<stack> recent_;
    field<stack> victims_;
    std::uint64_t cycle_;  // when it last aged
    std::atomic<std::uint32_t> locked_;
    std::byte apart_[96];  // the next shard's words are of other cache lines

   public:
    static constexpr auto pointers = umber::pointers(&shard::recent_, &shard::victims_);
  };
  static_assert(sizeof(shard) == 128);

  static std::size_t shard_count() noexcept {
    const unsigned processors = std::thread::hardware_concurrency();
    return std::bit_ceil(std::size_t{processors == 0 ? 1 : processors});
  }
  // This thread's, and from it on the others'.
  shard& own_shard(std::size_t i) const noexcept {
    const auto own = reinterpret_cast<std::uintptr_t>(detail::current_mutator) * 0x9e3779b97f4a7c15 >> 40;
    return (*shards_)[(own + i) & (shards_->size() - 1)];
  }

  field<array<shard>> shards_;
  std::atomic<std::uint64_t> cycle_{0};  // when all shards last aged

 public:
  static constexpr auto pointers = umber::pointers(&pool::shards_);
};

}  // namespace umber

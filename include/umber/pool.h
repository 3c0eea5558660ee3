// Objects to use again: what was put is got back, by any thread, as long as it is wanted.
//
//   umber::persistent<umber::pool<buffer>> buffers = umber::make<umber::pool<buffer>>();
//   umber::local<buffer> b = buffers->get();   // one that was put, as it was then, or make<buffer>()
//   ...
//   buffers->put(b);                           // from here on it is the pool's
//
// As Go's sync.Pool: a cache in front of `make`, for objects that are dear to make or large. It never promises to
// remember: what nobody got for two collections is dropped, and freed by the next. What was put since the last
// collection is *recent*; with each collection the recent ones become the *victims*, which are still given out, but
// last, and the victims before them are dropped. A shard learns of a collection at its next use, and by a cleanup
// (finalizer.h): so the pool is emptied, too, if nobody uses it any more.
//
// Threads: any, at once. Each works in a shard of its own, and takes from the others' when that is empty. A thread
// never waits: a shard that is in use is passed by, and where all are in use an object is made, or dropped.
// Complexity: O(1) while there is something in the own shard, otherwise O(processors). `get` and `put` are safepoints,
// and throw std::bad_alloc.
#pragma once

#include <umber/container.h>
#include <umber/finalizer.h>

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

  // Throws what make<T>() throws, too.
  [[nodiscard]] local<T> get() {
    local<T> taken = take();
    return taken != nullptr ? taken : make<T>();
  }
  // One that was put, or null.
  [[nodiscard]] local<T> take() noexcept {
    const std::uint64_t now = detail::cycle_number();
    for (const bool victims : {false, true})
      for (std::size_t i = 0; i < shards_->size(); ++i)
        if (local<T> taken = own_shard(i).pop(now, victims); taken != nullptr) return taken;
    return nullptr;
  }
  void put(T* object) {
    if (object == nullptr) return;
    const local<T> kept(object);
    if (keep(object)) watch_collections(detail::cycle_number());
  }

 private:
  enum class pushed { yes, full, in_use };

  // A few objects, and more below.
  struct stack {
    field<stack> below;
    std::size_t count = 0;
    std::array<field<T>, 30> objects;
  };

  // What one thread puts and gets. Nobody waits for its lock, and nobody holds it over a safepoint.
  class shard {
   public:
    T* pop(std::uint64_t now, bool victims) noexcept {
      if (!try_lock(now)) return nullptr;
      T* popped = pop_from(victims ? victims_ : recent_);
      unlock();
      return popped;
    }
    // `empty` is where to put it if the stack is full, or null.
    pushed push(std::uint64_t now, T* object, stack* empty) noexcept {
      if (!try_lock(now)) return pushed::in_use;
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
    void age(std::uint64_t now) noexcept {
      if (try_lock(now)) unlock();
    }

   private:
    static T* pop_from(field<stack>& from) noexcept {
      stack* top = from;
      if (top == nullptr) return nullptr;
      T* object = top->objects[--top->count].exchange(nullptr);
      if (top->count == 0) from = top->below;
      return object;
    }
    // What is older than it should be is dropped first.
    bool try_lock(std::uint64_t now) noexcept {
      // acquire: pairs with the release in unlock.
      if (locked_.load(std::memory_order_relaxed) != 0 || locked_.exchange(1, std::memory_order_acquire) != 0)
        return false;
      if (cycle_ >= now) return true;
      victims_ = now - cycle_ == 1 ? recent_.get() : nullptr;
      recent_ = nullptr;
      cycle_ = now;
      return true;
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

  // False: all shards are in use.
  bool keep(T* object) {
    const std::uint64_t now = detail::cycle_number();
    for (std::size_t i = 0; i < shards_->size(); ++i) {
      pushed done = own_shard(i).push(now, object, nullptr);
      if (done == pushed::full) {
        const local<stack> empty = make<stack>();
        done = own_shard(i).push(now, object, empty);
      }
      if (done == pushed::yes) return true;
    }
    return false;
  }

  // What dies at once, to tell that there was a collection.
  struct sentinel {
    std::uint64_t unused = 0;
  };
  struct watch {
    weak_field<array<shard>> shards;
    field<sentinel> second;  // lives until the first has told
  };
  static void tell(local<watch> w) {
    w->second = nullptr;
    const local<array<shard>> shards = w->shards.lock();
    if (shards == nullptr) return;
    for (shard& s : *shards) s.age(detail::cycle_number());
  }
  // Has the pool told of the next two collections.
  void watch_collections(std::uint64_t now) {
    // relaxed, both: to watch twice does no harm.
    if (watched_.load(std::memory_order_relaxed) == now + 1) return;
    watched_.store(now + 1, std::memory_order_relaxed);
    const local<watch> w = make<watch>();
    w->shards = shards_.get();
    const local<sentinel> first = make<sentinel>(), second = make<sentinel>();
    w->second = second;
    add_cleanup(second, tell, w);
    add_cleanup(first, tell, w);
  }

  // This thread's, and from it on the others'.
  shard& own_shard(std::size_t i) const noexcept {
    const auto own = reinterpret_cast<std::uintptr_t>(detail::current_mutator) * 0x9e3779b97f4a7c15 >> 40;
    return (*shards_)[(own + i) & (shards_->size() - 1)];
  }

  field<array<shard>> shards_;
  std::atomic<std::uint64_t> watched_{0};  // 1 + the last cycle in which something was put

 public:
  static constexpr auto pointers = umber::pointers(&pool::shards_);
};

}  // namespace umber

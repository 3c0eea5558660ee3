// What points to managed objects: `field` from inside an object, handles from everywhere else.
//
//   field<T>       a member of a managed object. Its store is the write barrier.
//   local<T>       a root on the stack of the thread that made it; any order of destruction.
//   persistent<T>  a root that may live anywhere, and be used by any attached thread.
//   weak<T>        may live anywhere and does not keep its object alive; `lock` gives a local, or a null one.
//   weak_field<T>  the same, as a member of a managed object.
//
// A plain T* is fine between two safepoints. Safepoints are: every make, `safepoint()`, entering or leaving `blocking`,
// `collect`, and locking or storing a weak reference. A load or store of a field is none.
//
// Misuse ends the process with one line. What is seen in every build, and what only by checks, which cost something:
//
//   needing a mutator without one, or in a destructor           always: make, local, lock, new persistent and weak ones
//   a persistent, weak or weak map's handle made of an object   always
//     of another heap; one locked, set or dropped there
//   a persistent that is assigned an object of another heap,    at the next cycle that gets there; at once with
//     a field or local that is                                  `check_barriers` (but a local)
//   a store by an unattached thread or a destructor             while any heap of the process marks, or has the option
//                                                               `check_barriers` or `torture`; else it is not seen
//   a destructor that reads a field                             compiled with UMBER_DEBUG, in the whole program
#pragma once

#include <umber/layout.h>
#include <umber/umber_c.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

namespace umber {

template <class T>
class local;

namespace detail {

struct maker;

// Free slots of one type, at hand for the next objects.
struct alignas(32) allocation_entry {
  std::uint64_t next = 0;       // a bit for each slot
  std::uintptr_t base = 0;      // of bit 0
  std::uint64_t slot_size = 0;  // bytes
};

// The part of a mutator that inlined code touches.
struct mutator_state {
  allocation_entry* entries = nullptr;  // by the id of a type
  std::uint32_t entry_count = 0;
  std::atomic<std::uint32_t> question{0};  // of the collector; 0: none
  std::uint32_t store_mode = 4;  // what the barrier does (gc/mutator.h); of a thread without a mutator: refuse
  // The first free slot for a local, plus 1, as each holds the next; no_local: none; 0: of a thread without a mutator.
  std::uintptr_t free_local = 0;
};

// The mutator of this thread; a fixed one without entries where there is none.
UMBER_API extern thread_local constinit mutator_state* current_mutator __attribute__((tls_model("initial-exec")));
// Not 0 while any heap marks. Set before the first mutator's barrier, and cleared after the last one's.
UMBER_API extern std::atomic<std::uint32_t> barriers_on;

// Before *slot = value, and before a value goes where there was none.
UMBER_API void barrier(const std::atomic<void*>* slot, void* value) noexcept;
UMBER_API void insertion_barrier(const std::atomic<void*>* slot, void* value) noexcept;
UMBER_API void answer() noexcept;
// Of a program that is compiled with UMBER_DEBUG: a field is read, which no destructor may.
UMBER_API void expect_readable() noexcept;

// A slot for a local where there is none, or the thread is not attached; null: no memory.
UMBER_API void** take_local_slowly(void* object) noexcept;
// A local goes whose thread is no longer attached.
UMBER_API void drop_late() noexcept;

// The slots of persistent handles, and the boxes of weak ones.
struct root_slot {
  std::atomic<void*> object{nullptr};
  void* link = nullptr;  // the next free slot; while it is used, where it was made, if that is tracked
};
UMBER_API root_slot* make_root(const void* object) noexcept;  // that is to hold it; null: no memory
UMBER_API void drop_root(root_slot* root) noexcept;

struct weak_box {
  std::atomic<void*> target{nullptr};
  std::uint64_t unused = 0;
};
UMBER_API weak_box* make_weak_box(void* target) noexcept;  // null: no memory
UMBER_API void* lock_weak(weak_box* box) noexcept;
[[noreturn]] inline void throw_bad_alloc() {
#ifdef __cpp_exceptions
  throw std::bad_alloc();
#else
  __builtin_abort();
#endif
}

inline constexpr std::uintptr_t no_local = 1;

// A slot for a local that holds `object`; next_local only where there is one.
inline bool has_local(const mutator_state* owner) noexcept { return owner->free_local > no_local; }
inline void** next_local(mutator_state* owner, void* object) noexcept {
  void** const slot = reinterpret_cast<void**>(owner->free_local - 1);
  owner->free_local = reinterpret_cast<std::uintptr_t>(*slot);
  *slot = object;
  return slot;
}
inline void drop_local(mutator_state* owner, void** slot) noexcept {
  if (__builtin_expect(owner->free_local == 0, false)) return drop_late();
  *slot = reinterpret_cast<void*>(owner->free_local);
  owner->free_local = reinterpret_cast<std::uintptr_t>(slot) + 1;
}
inline void** take_local(mutator_state* owner, void* object) {
  if (__builtin_expect(has_local(owner), true)) return next_local(owner, object);
  void** const slot = take_local_slowly(object);
  if (slot == nullptr) throw_bad_alloc();
  return slot;
}

// What handles and fields of const objects hold, too.
template <class T>
void* untyped(T* object) noexcept {
  return const_cast<void*>(static_cast<const volatile void*>(object));
}

inline bool barrier_needed() noexcept {
  // relaxed: a mutator that has answered the handshake sees it set; until then either answer will do.
  return __builtin_expect(barriers_on.load(std::memory_order_relaxed) != 0, false);
}

// One pointer from inside the heap; fields of all types share its code.
class slot {
 public:
  constexpr slot() noexcept = default;
  explicit slot(void* value) noexcept : object_(value) {
    if (barrier_needed()) insertion_barrier(&object_, value);
  }
  void* load() const noexcept {
#ifdef UMBER_DEBUG
    expect_readable();
#endif
    return object_.load(std::memory_order_acquire);
  }
  void store(void* value) noexcept {
    if (barrier_needed()) barrier(&object_, value);
    object_.store(value, std::memory_order_release);
  }
  void* exchange(void* value) noexcept {
    void* old = load();
    while (!compare_exchange(old, value)) continue;
    return old;
  }
  bool compare_exchange(void*& expected, void* value) noexcept {
    if (barrier_needed()) barrier(&object_, value);
    return object_.compare_exchange_strong(expected, value, std::memory_order_acq_rel, std::memory_order_acquire);
  }

 private:
  std::atomic<void*> object_{nullptr};
};
static_assert(sizeof(slot) == sizeof(void*));

}  // namespace detail

// A pointer in a managed object to a managed object, or null. Loads and stores are atomic: a race on a field is a bug
// of the program, but not one that harms the heap. A field outside of a managed object is not traced.
template <class T>
class field {
 public:
  constexpr field() noexcept = default;
  constexpr field(std::nullptr_t) noexcept {}
  field(T* value) noexcept : slot_(detail::untyped(value)) {}
  field(const local<T>& value) noexcept : field(value.get()) {}
  field(const field& other) noexcept : field(other.get()) {}
  field& operator=(const field& other) noexcept { return *this = other.get(); }
  field& operator=(T* value) noexcept {
    slot_.store(detail::untyped(value));
    return *this;
  }
  field& operator=(const local<T>& value) noexcept { return *this = value.get(); }

  T* get() const noexcept { return static_cast<T*>(slot_.load()); }
  void store(T* value) noexcept { slot_.store(detail::untyped(value)); }
  T* exchange(T* value) noexcept { return static_cast<T*>(slot_.exchange(detail::untyped(value))); }
  bool compare_exchange(T*& expected, T* value) noexcept {
    void* old = detail::untyped(expected);
    const bool done = slot_.compare_exchange(old, detail::untyped(value));
    expected = static_cast<T*>(old);
    return done;
  }
  operator T*() const noexcept { return get(); }
  T* operator->() const noexcept { return get(); }
  T& operator*() const noexcept { return *get(); }

 private:
  detail::slot slot_;
};

// A root on this thread's stack. Never share one with another thread, nor put it where its thread's end finds it.
// Throws std::bad_alloc only where a great many live at once.
template <class T>
class local {
 public:
  local(T* object = nullptr) : local(object, detail::take_local(detail::current_mutator, detail::untyped(object))) {}
  local(const local& other) : local(other.get()) {}
  local(const field<T>& value) : local(value.get()) {}
  ~local() { detail::drop_local(detail::current_mutator, slot_); }
  local& operator=(const local& other) noexcept { return *this = other.get(); }
  local& operator=(const field<T>& value) noexcept { return *this = value.get(); }
  local& operator=(T* object) noexcept {
    object_ = object;
    *slot_ = detail::untyped(object);
    return *this;
  }

  T* get() const noexcept { return object_; }
  operator T*() const noexcept { return get(); }
  T* operator->() const noexcept { return get(); }
  T& operator*() const noexcept { return *get(); }

 private:
  friend struct detail::maker;

  local(T* object, void** slot) noexcept : object_(object), slot_(slot) {}

  T* object_;
  void** slot_;  // what the collector sees of it
};

// A root that may live anywhere. Make, assign and destroy it on threads attached to the heap of its object.
template <class T>
class persistent {
 public:
  persistent() noexcept = default;
  // Inlined always, so that a handle is known to be made where the program makes it (heap_options::track_handles).
  [[gnu::always_inline]] persistent(T* object) { *this = object; }
  [[gnu::always_inline]] persistent(const local<T>& object) : persistent(object.get()) {}
  [[gnu::always_inline]] persistent(const field<T>& value) : persistent(value.get()) {}
  [[gnu::always_inline]] persistent(const persistent& other) : persistent(other.get()) {}
  persistent(persistent&& other) noexcept : root_(std::exchange(other.root_, nullptr)) {}
  ~persistent() {
    if (root_ != nullptr) detail::drop_root(root_);
  }
  [[gnu::always_inline]] persistent& operator=(const persistent& other) { return *this = other.get(); }
  persistent& operator=(persistent&& other) noexcept {
    std::swap(root_, other.root_);
    return *this;
  }
  [[gnu::always_inline]] persistent& operator=(const local<T>& object) { return *this = object.get(); }
  [[gnu::always_inline]] persistent& operator=(const field<T>& value) { return *this = value.get(); }
  [[gnu::always_inline]] persistent& operator=(T* object) {
    if (root_ == nullptr && object == nullptr) return *this;
    if (root_ == nullptr && (root_ = detail::make_root(detail::untyped(object))) == nullptr) detail::throw_bad_alloc();
    void* const value = detail::untyped(object);
    if (detail::barrier_needed()) detail::barrier(&root_->object, value);
    root_->object.store(value, std::memory_order_release);
    return *this;
  }

  T* get() const noexcept {
    return root_ == nullptr ? nullptr : static_cast<T*>(root_->object.load(std::memory_order_acquire));
  }
  operator T*() const noexcept { return get(); }
  T* operator->() const noexcept { return get(); }
  T& operator*() const noexcept { return *get(); }

 private:
  detail::root_slot* root_ = nullptr;
};

// A reference that does not keep its object alive, as a member of a managed object. Storing one allocates.
template <class T>
class weak_field {
 public:
  constexpr weak_field() noexcept = default;
  weak_field& operator=(T* object) {
    if (object == nullptr) {
      slot_.store(nullptr);
      return *this;
    }
    const local<T> kept(object);
    detail::weak_box* box = detail::make_weak_box(detail::untyped(object));
    if (box == nullptr) detail::throw_bad_alloc();
    slot_.store(box);
    return *this;
  }
  // The object, or null if it is gone.
  [[nodiscard]] local<T> lock() const {
    auto* box = static_cast<detail::weak_box*>(slot_.load());
    return box == nullptr ? nullptr : static_cast<T*>(detail::lock_weak(box));
  }

 private:
  detail::slot slot_;
};

// The same, for everywhere else.
template <class T>
class weak {
 public:
  weak() noexcept = default;
  weak(T* object) { *this = object; }
  weak(const local<T>& object) : weak(object.get()) {}
  weak(const field<T>& value) : weak(value.get()) {}
  weak& operator=(const local<T>& object) { return *this = object.get(); }
  weak& operator=(const field<T>& value) { return *this = value.get(); }
  weak& operator=(T* object) {
    if (object == nullptr) {
      box_ = nullptr;
      return *this;
    }
    const local<T> kept(object);
    const local<detail::weak_box> box(detail::make_weak_box(detail::untyped(object)));
    if (box == nullptr) detail::throw_bad_alloc();
    box_ = box.get();
    return *this;
  }
  [[nodiscard]] local<T> lock() const {
    detail::weak_box* box = box_.get();
    return box == nullptr ? nullptr : static_cast<T*>(detail::lock_weak(box));
  }

 private:
  persistent<detail::weak_box> box_;
};

}  // namespace umber

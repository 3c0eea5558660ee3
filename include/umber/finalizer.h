// What is done when nobody can reach an object any more: with the object, or with what it owned outside of the heap.
//
//   umber::set_finalizer(file, [](umber::local<file_object> f) { close(f->descriptor); });
//   umber::cleanup c = umber::add_cleanup(image, std::free, pixels);
//
// A **cleanup** is the better choice: it is given an argument and not the object, so the object's memory is free at
// once, and cycles do not matter. An object may have many; they run in no order. The argument is memory of the program,
// or a managed object, which the cleanup keeps alive: one from which its object can be reached would keep that alive,
// too.
//
// A **finalizer** is given the object, which lives again, with all that it reaches. There is one for each object:
// another one replaces it, null takes it away. It runs once; it may make its object reachable again, and set a
// finalizer again. If one object refers to another and both have finalizers, only the first one's runs, and the other's
// in a later cycle, when the first object is gone. So a finalizer finds all it can reach not finalized yet; but objects
// with finalizers that refer to each other, or one to itself, are never finalized, nor freed.
//
// Both run some time after a collection that found the object unreachable, on a thread of the heap; without it
// (`heap_options::finalizer_thread`), when the program calls `run_finalizers`. `collect` does not wait for them. They
// are attached, may make objects and wait (inside a `blocking`), and must not throw. They run one after the other on
// that thread; `run_finalizers` on another may run others at the same time. Destructors run after them, at the sweep.
//
// Weak references to an object and its entries in weak maps are gone before its finalizer runs, also those inside what
// the finalizer can reach.
//
// What ~heap does: everything that is queued by then runs, on the thread that destroys the heap; then all cleanups that
// are left, because what they give back would be lost. They can not make objects any more: a `make` then ends the
// process. Finalizers of objects that were not found unreachable do not run: there is no order in which each would find
// its object's world in one piece. (Go, Java and .NET do the same with finalizers; Python's weakref.finalize, as here
// with cleanups, runs at the end.)
#pragma once

#include <umber/heap.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace umber {

namespace detail {

// A call to be made later: code, and what it was given.
struct deferred_call {
  using closure_words = std::uint64_t[2];

  void (*run)(const closure_words& closure, void* kept) noexcept = nullptr;
  closure_words closure = {};
};

// Which cleanup: serials are never used again.
struct cleanup_id {
  void* entry = nullptr;
  std::uint64_t serial = 0;
};

// False: no memory. A null call takes the finalizer away.
UMBER_API bool set_finalizer(void* object, const deferred_call* call) noexcept;
UMBER_API bool add_cleanup(void* object, const deferred_call& call, void* kept, cleanup_id& id) noexcept;
UMBER_API bool cancel_cleanup(const cleanup_id& id) noexcept;
UMBER_API std::size_t run_finalizers(heap_state* h) noexcept;

// Room for an F that is copied in as bytes.
template <class F>
union copied {
  F value;
  copied() {}
  ~copied() {}
};

template <class T, class F>
deferred_call finalizer_call(const F& function) noexcept {
  static_assert(std::is_trivially_copyable_v<F> && sizeof(F) <= sizeof(deferred_call::closure),
                "umber: a finalizer is a function, or a callable of at most 16 plain bytes");
  deferred_call call;
  __builtin_memcpy(call.closure, &function, sizeof(F));
  call.run = [](const deferred_call::closure_words& closure, void* kept) noexcept {
    copied<F> f;
    __builtin_memcpy(static_cast<void*>(&f), closure, sizeof(F));
    f.value(local<T>(static_cast<T*>(kept)));
  };
  return call;
}

}  // namespace detail

// The function is a void(local<T>), or a callable of at most 16 plain bytes. What it captures is not looked into: no
// managed objects. Replaces the finalizer that the object had. Any attached thread. Throws std::bad_alloc.
template <class T, class F>
void set_finalizer(const local<T>& object, F function) {
  if constexpr (std::is_null_pointer_v<F>) {
    static_cast<void>(detail::set_finalizer(object.get(), nullptr));
  } else {
    if constexpr (std::is_pointer_v<F>)
      if (function == nullptr) return set_finalizer(object, nullptr);
    const detail::deferred_call call = detail::finalizer_call<T>(function);
    if (!detail::set_finalizer(object.get(), &call)) detail::throw_bad_alloc();
  }
}

// A cleanup that was added. Copies name the same one; it runs whether or not anybody keeps this.
class cleanup {
 public:
  // Takes it back. False: too late, it was found due, has run, or was cancelled. While the heap lives, on a thread
  // attached to it.
  bool cancel() noexcept { return detail::cancel_cleanup(id_); }

 private:
  template <class T>
  friend cleanup add_cleanup(const local<T>& object, void (*function)(void*), void* argument);
  template <class T, class A>
  friend cleanup add_cleanup(const local<T>& object, std::type_identity_t<void (*)(local<A>)> function,
                             const local<A>& argument);

  detail::cleanup_id id_;
};

// Calls function(argument) when the object is gone. The argument is no managed object. Throws std::bad_alloc.
template <class T>
cleanup add_cleanup(const local<T>& object, void (*function)(void*), void* argument) {
  detail::deferred_call call;
  __builtin_memcpy(&call.closure[0], &function, sizeof(function));
  __builtin_memcpy(&call.closure[1], &argument, sizeof(argument));
  call.run = [](const detail::deferred_call::closure_words& closure, void*) noexcept {
    void (*f)(void*);
    void* a;
    __builtin_memcpy(&f, &closure[0], sizeof(f));
    __builtin_memcpy(&a, &closure[1], sizeof(a));
    f(a);
  };
  cleanup result;
  if (!detail::add_cleanup(object.get(), call, nullptr, result.id_)) detail::throw_bad_alloc();
  return result;
}

// The same with a managed argument, which the cleanup keeps alive.
template <class T, class A>
cleanup add_cleanup(const local<T>& object, std::type_identity_t<void (*)(local<A>)> function,
                    const local<A>& argument) {
  const detail::deferred_call call = detail::finalizer_call<A>(function);
  cleanup result;
  if (!detail::add_cleanup(object.get(), call, argument.get(), result.id_)) detail::throw_bad_alloc();
  return result;
}

// A managed argument would not be kept alive.
template <class T, class A>
cleanup add_cleanup(const local<T>& object, void (*function)(void*), const local<A>& argument) = delete;

// Runs the finalizers and cleanups that are due, on this thread, which is attached to the heap. How many ran.
inline std::size_t run_finalizers(heap& h) noexcept { return detail::run_finalizers(detail::heap_access::state(h)); }

}  // namespace umber

// The words of the workloads for Boehm's collector, told in `../umber/system.h`.
#pragma once

#include "bench/basics.h"
#include "bench/gc/pointers.h"
#include "bench/measure/system_view.h"

#define GC_THREADS
#include <gc.h>

#include <atomic>
#include <cstring>
#include <functional>
#include <new>
#include <optional>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>

namespace bench {

inline constexpr bool has_collector = true;

struct memory_choices {
  std::optional<std::size_t> percent, limit;
  bool never_by_itself = false;
};
[[nodiscard]] const char* take_option(std::string_view name, std::string_view value, memory_choices& chosen);
[[nodiscard]] std::vector<std::pair<const char*, std::string>> listed(const memory_choices& chosen);

class memory final : public system_view {
 public:
  explicit memory(const memory_choices& chosen);

  [[nodiscard]] std::string name() const override { return "boehm"; }
  [[nodiscard]] std::string version() const override;
  [[nodiscard]] system_reading read() override;
  [[nodiscard]] bool tells_stalls() const override { return true; }
  [[nodiscard]] std::vector<stall> stops() override;
  void collect() override { GC_gcollect(); }

  void run_finalizers() { static_cast<void>(GC_invoke_finalizers()); }
};

// A thread whose stack is scanned.
class attached {
 public:
  explicit attached(memory&);
  ~attached();
  attached(const attached&) = delete;
  attached& operator=(const attached&) = delete;

 private:
  bool registered_ = false;
};

[[nodiscard]] inline void* checked(void* block) {
  if (block == nullptr) fail("GC_MALLOC returned null");
  return block;
}

template <class T>
class array : public elements<T> {
 public:
  [[nodiscard]] static array* make(std::size_t size) {
    const std::size_t bytes = sizeof(array) + size * sizeof(T);
    void* block = checked(std::is_arithmetic_v<T> ? GC_MALLOC_ATOMIC(bytes) : GC_MALLOC(bytes));
    if constexpr (std::is_arithmetic_v<T>) std::memset(block, 0, bytes);
    array* made = new (block) array;
    made->count_ = size;
    return made;
  }
};

template <class T, class... Arguments>
[[nodiscard]] T* make(Arguments&&... arguments) {
  return new (checked(GC_MALLOC(sizeof(T)))) T{std::forward<Arguments>(arguments)...};
}
template <class T, class... Arguments>
[[nodiscard]] T* make_plain(Arguments&&... arguments) {
  return new (checked(GC_MALLOC_ATOMIC(sizeof(T)))) T{std::forward<Arguments>(arguments)...};
}
template <class T>
[[nodiscard]] array<T>* make_array(std::size_t size) {
  return array<T>::make(size);
}
[[nodiscard]] inline text* make_text(std::string_view characters) {
  text* made = new (checked(GC_MALLOC_ATOMIC(sizeof(text) + characters.size()))) text{characters.size()};
  std::memcpy(reinterpret_cast<char*>(made + 1), characters.data(), characters.size());
  return made;
}

template <class Holder>
void drop(const Holder&) {}

// For what the library allocates to hold objects.
template <class T>
struct traced_allocator {
  using value_type = T;

  traced_allocator() = default;
  template <class U>
  traced_allocator(const traced_allocator<U>&) {}
  [[nodiscard]] T* allocate(std::size_t count) { return static_cast<T*>(checked(GC_MALLOC(count * sizeof(T)))); }
  void deallocate(T* block, std::size_t) { GC_FREE(block); }
  friend bool operator==(const traced_allocator&, const traced_allocator&) { return true; }
};

template <class T>
using dictionary = std::unordered_map<std::string_view, T*, std::hash<std::string_view>, std::equal_to<>,
                                      traced_allocator<std::pair<const std::string_view, T*>>>;
template <class T>
[[nodiscard]] dictionary<T>* make_dictionary() {
  return new (checked(GC_MALLOC(sizeof(dictionary<T>)))) dictionary<T>;
}

template <class T>
using shared = T*;
template <class T>
using shared_link = T*;
template <class T>
[[nodiscard]] T* make_counted() {
  return make<T>();
}

// Hidden from the collector, which clears it with its object.
template <class T>
class weak_link {
 public:
  weak_link& operator=(T* object) {
    GC_unregister_disappearing_link(&hidden_);
    hidden_ = reinterpret_cast<void*>(GC_HIDE_POINTER(object));
    if (GC_general_register_disappearing_link(&hidden_, object) == GC_NO_MEMORY) fail("GC_MALLOC returned null");
    return *this;
  }
  [[nodiscard]] T* lock() const {
    return static_cast<T*>(GC_call_with_alloc_lock(reveal, const_cast<void**>(&hidden_)));
  }

 private:
  static void* reveal(void* link) {
    void* const hidden = *static_cast<void**>(link);
    return hidden == nullptr ? nullptr : GC_REVEAL_POINTER(hidden);
  }

  void* hidden_;
};
template <class T>
[[nodiscard]] T* lock(const weak_link<T>& of) {
  return of.lock();
}

template <class T>
void call_when_dead(T* object, void (*function)(T*)) {
  const auto call = [](void* dead, void* given) { reinterpret_cast<void (*)(T*)>(given)(static_cast<T*>(dead)); };
  GC_REGISTER_FINALIZER(object, call, reinterpret_cast<void*>(function), nullptr, nullptr);
}
template <class Holder, class Function>
void drop_and_call(const Holder&, Function) {}

}  // namespace bench

// The words of the workloads for malloc and free, told in `../umber/system.h`. Nothing here knows an allocator: the
// library that answers is chosen with LD_PRELOAD. Objects are made as a C++ program makes them, by operator new; arrays
// and texts, whose size is known when they are made, by calloc and malloc.
#pragma once

#include "bench/basics.h"
#include "bench/gc/pointers.h"
#include "bench/measure/system_view.h"

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>

namespace bench {

inline constexpr bool has_collector = false;

struct memory_choices {
  bool never_by_itself = false;
};
[[nodiscard]] const char* take_option(std::string_view name, std::string_view value, memory_choices& chosen);
[[nodiscard]] std::vector<std::pair<const char*, std::string>> listed(const memory_choices& chosen);

class memory final : public system_view {
 public:
  explicit memory(const memory_choices&) {}

  [[nodiscard]] std::string name() const override { return "malloc"; }
  [[nodiscard]] std::string version() const override;

  void run_finalizers() {}
};

class attached {
 public:
  explicit attached(memory&) {}
};

template <class T>
class array : public elements<T> {
 public:
  [[nodiscard]] static array* make(std::size_t size) {
    void* block = std::calloc(1, sizeof(array) + size * sizeof(T));
    if (block == nullptr) fail("malloc returned null");
    array* made = new (block) array;
    made->count_ = size;
    if constexpr (!std::is_trivial_v<T>) std::uninitialized_default_construct_n(made->data(), size);
    return made;
  }
  static void drop(array* dropped) {
    std::destroy_n(dropped->data(), dropped->size());
    std::free(dropped);
  }
};

template <class T, class... Arguments>
[[nodiscard]] T* make(Arguments&&... arguments) {
  T* const made = new T{std::forward<Arguments>(arguments)...};
  escape(made);
  return made;
}
template <class T, class... Arguments>
[[nodiscard]] T* make_plain(Arguments&&... arguments) {
  return make<T>(std::forward<Arguments>(arguments)...);
}
template <class T>
[[nodiscard]] array<T>* make_array(std::size_t size) {
  return array<T>::make(size);
}
[[nodiscard]] inline text* make_text(std::string_view characters) {
  void* block = std::malloc(sizeof(text) + characters.size());
  if (block == nullptr) fail("malloc returned null");
  text* made = new (block) text{characters.size()};
  std::memcpy(reinterpret_cast<char*>(made + 1), characters.data(), characters.size());
  return made;
}

template <class T>
void drop(T* object) {
  delete object;
}
template <class T>
void drop(array<T>* dropped) {
  if (dropped != nullptr) array<T>::drop(dropped);
}
inline void drop(text* dropped) { std::free(dropped); }

template <class T>
using dictionary = std::unordered_map<std::string_view, T*>;
template <class T>
[[nodiscard]] dictionary<T>* make_dictionary() {
  return new dictionary<T>;
}

// Counted, as a program without a collector does it.
template <class T>
using shared = std::shared_ptr<T>;
template <class T>
using shared_link = std::shared_ptr<T>;
template <class T>
using weak_link = std::weak_ptr<T>;
template <class T>
[[nodiscard]] shared<T> make_counted() {
  return std::make_shared<T>();
}
template <class T>
[[nodiscard]] shared<T> lock(const weak_link<T>& of) {
  return of.lock();
}

template <class T>
void call_when_dead(T*, void (*)(T*)) {}
template <class T>
void drop_and_call(T* object, void (*function)(T*)) {
  if (object == nullptr) return;
  function(object);
  drop(object);
}

}  // namespace bench

// The words of the workloads, for umber's managed heap. Those for malloc and free (`../malloc/system.h`) and for
// Boehm's collector (`../boehm/system.h`) mean the same:
//
//   ref<T>             what a thread holds an object by
//   link<T>            what an object holds another by; null at first
//   make<T>, make_plain<T>, make_array<T>, make_text       new ones; a plain one holds no links
//   drop, drop_tree    nothing refers to this object any more: where memory is freed by hand, it is freed here
//   exchange           of a link, atomically
//   dictionary<T>      from texts to objects
//   shared<T>, shared_link<T>, weak_link<T>, lock          objects that know, or count, who holds them
//   call_when_dead     a function that gets the object once nothing refers to it
//   memory             the heap of a run, and what is known of it (system_view); `attached` is a thread that uses it
#pragma once

#include "measured_heap.h"

#include <umber/finalizer.h>
#include <umber/heap.h>
#include <umber/map.h>
#include <umber/string.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bench {

inline constexpr bool has_collector = true;

struct memory_choices {
  std::optional<std::size_t> percent, limit;
  unsigned workers = 0;
  umber::barrier kind = umber::barrier::hybrid;
  bool never_by_itself = false;
};
// Takes an option that is this system's own; null, or why it cannot be.
[[nodiscard]] const char* take_option(std::string_view name, std::string_view value, memory_choices& chosen);
// What to list of them among the parameters: names and values.
[[nodiscard]] std::vector<std::pair<const char*, std::string>> listed(const memory_choices& chosen);

class memory final : public measured_heap {
 public:
  explicit memory(const memory_choices& chosen);

  // Runs what is due of the functions of `call_when_dead`.
  void run_finalizers() { static_cast<void>(umber::run_finalizers(heap())); }
};

class attached {
 public:
  explicit attached(memory& m) : mutator_(m.heap()) {}

 private:
  umber::mutator mutator_;
};

template <class T>
using ref = umber::local<T>;
template <class T>
using link = umber::field<T>;
template <class T>
using array = umber::array<T>;
using text = umber::string;

using umber::make;
template <class T, class... Arguments>
[[nodiscard]] ref<T> make_plain(Arguments&&... arguments) {
  return umber::make<T>(std::forward<Arguments>(arguments)...);
}
using umber::make_array;
[[nodiscard]] inline ref<text> make_text(std::string_view characters) { return umber::make_string(characters); }

template <class Holder>
void drop(const Holder&) {}

template <class T>
[[nodiscard]] T* exchange(link<T>& of, T* value) {
  return of.exchange(value);
}

// So that the compiler believes that the object is used.
template <class T>
void keep(const ref<T>& object) {
  umber::keep_alive(object);
}

template <class T>
using dictionary = umber::map<umber::field<umber::string>, umber::field<T>>;
template <class T>
[[nodiscard]] ref<dictionary<T>> make_dictionary() {
  return umber::make<dictionary<T>>();
}
template <class T>
[[nodiscard]] ref<T> find(dictionary<T>& in, std::string_view key) {
  return in.find(key);
}
template <class T>
void insert(dictionary<T>& into, const ref<text>& key, const ref<T>& value) {
  into.insert_or_assign(key.get(), value.get());
}
template <class T>
void erase(dictionary<T>& from, text* key) {
  from.erase(key);
}

template <class T>
using shared = umber::local<T>;
template <class T>
using shared_link = umber::field<T>;
template <class T>
using weak_link = umber::weak_field<T>;
template <class T>
[[nodiscard]] shared<T> make_counted() {
  return umber::make<T>();
}
template <class T>
[[nodiscard]] shared<T> lock(const weak_link<T>& of) {
  return of.lock();
}

template <class T>
void call_when_dead(const ref<T>& object, void (*function)(T*)) {
  umber::set_finalizer(object, [function](umber::local<T> dead) { function(dead.get()); });
}
template <class Holder, class Function>
void drop_and_call(const Holder&, Function) {}

}  // namespace bench

// The words of the workloads that are the same wherever objects are held by plain pointers: with malloc and free, and
// with Boehm's collector. They are told in `umber/system.h`.
#pragma once

#include "bench/basics.h"

#include <atomic>
#include <cstddef>
#include <string_view>

namespace bench {

template <class T>
using ref = T*;
template <class T>
using link = T*;

// What an array is to who reads it; the elements follow.
template <class T>
class elements {
 public:
  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] T* data() { return reinterpret_cast<T*>(this + 1); }
  [[nodiscard]] T& operator[](std::size_t i) { return data()[i]; }
  [[nodiscard]] T* begin() { return data(); }
  [[nodiscard]] T* end() { return data() + count_; }

 protected:
  std::size_t count_ = 0;
  std::size_t unused_ = 0;  // elements are aligned to 16 bytes
};

struct text {
  std::size_t length;

  [[nodiscard]] std::size_t size() const { return length; }
  [[nodiscard]] const char* data() const { return reinterpret_cast<const char*>(this + 1); }
  [[nodiscard]] std::string_view view() const { return {data(), length}; }
};

template <class T>
[[nodiscard]] T* exchange(T*& of, T* value) {
  return std::atomic_ref<T*>(of).exchange(value);
}

template <class T>
void keep(T* object) {
  escape(object);
}

// In a dictionary of texts.
template <class Dictionary>
[[nodiscard]] auto find(Dictionary& in, std::string_view key) -> decltype(in.find(key)->second) {
  const auto found = in.find(key);
  return found == in.end() ? nullptr : found->second;
}
template <class Dictionary, class T>
void insert(Dictionary& into, text* key, T* value) {
  into.insert_or_assign(key->view(), value);
}
template <class Dictionary>
void erase(Dictionary& from, text* key) {
  from.erase(key->view());
}

}  // namespace bench

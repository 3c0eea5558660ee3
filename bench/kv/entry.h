// What stands behind a key: a managed object that knows the key, when it ends, and the value of one of five kinds.
#pragma once

#include <umber/heap.h>
#include <umber/string.h>

#include <cstdint>

namespace kv {

enum class kind : std::uint8_t { string, list, set, hash, sorted_set };

// A type of values says `static constexpr kind stands_for`; text is umber's own.
template <class T>
inline constexpr kind kind_of = T::stands_for;
template <>
inline constexpr kind kind_of<umber::string> = kind::string;

struct entry {
  umber::field<umber::string> key;
  umber::field<std::byte> body;     // a string, list, set ... as `what` says
  std::int64_t expires_at = 0;      // milliseconds since 1970; 0: never
  std::uint32_t place_in_line = 0;  // of those that expire (expiry.h)
  kind what = kind::string;

  // The value, if it is of this kind; null if it is another.
  template <class T>
  [[nodiscard]] T* as() const noexcept {
    return what == kind_of<T> ? static_cast<T*>(static_cast<void*>(body.get())) : nullptr;
  }
  template <class T>
  void assign(T* value) noexcept {
    what = kind_of<T>;
    body = static_cast<std::byte*>(static_cast<void*>(value));
  }
};

}  // namespace kv

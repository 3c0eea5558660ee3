// What the managed containers share; not for use outside of umber.
#pragma once

#include <umber/heap.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <stdexcept>

namespace umber::detail {

[[noreturn]] inline void throw_out_of_range([[maybe_unused]] const char* what) {
#ifdef __cpp_exceptions
  throw std::out_of_range(what);
#else
  __builtin_abort();
#endif
}

// What a container takes, keeps and gives as an element: of field<U> a pointer, of anything else a value.
template <class T>
struct element {
  static constexpr bool is_field = false;
  using argument = const T&;
  using held = const T&;  // over a safepoint
  using given = T;
};
template <class U>
struct element<field<U>> {
  static constexpr bool is_field = true;
  using argument = U*;
  using held = local<U>;
  using given = local<U>;
};

// To the collector an array of elements, all zero at first. Its header has an `extra` word, its container's.
template <class Element>
class block {
 public:
  static constexpr std::size_t header_bytes = 16;
  static_assert(alignof(Element) <= 16, "managed objects are aligned to 16 bytes at most");
  static_assert(std::is_trivially_destructible_v<Element>, "elements of managed containers have no destructors");

  block(const block&) = delete;
  block& operator=(const block&) = delete;

  static local<block> make(std::size_t capacity) {
    void* memory = allocate_array(description_of<Element>(), capacity, header_bytes);
    if (memory == nullptr) throw_bad_alloc();
    return local<block>(static_cast<block*>(memory));
  }
  std::size_t capacity() const noexcept { return header_ & ((std::size_t{1} << 40) - 1); }
  Element* data() noexcept { return reinterpret_cast<Element*>(reinterpret_cast<char*>(this) + header_bytes); }
  Element& operator[](std::size_t i) noexcept { return data()[i]; }

 private:
  std::uint64_t header_;  // as that of `array`

 public:
  std::atomic<std::uint64_t> extra;
};

}  // namespace umber::detail

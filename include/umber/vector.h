// A managed array that grows: of values, or of fields.
//
//   struct person {
//     umber::vector<umber::field<person>> children;        // a member of an object, 8 bytes
//   };
//   umber::local<umber::vector<int>> numbers = umber::make<umber::vector<int>>();  // or an object of its own
//   numbers->push_back(7);
//   for (int& n : *numbers) n *= 2;
//
// The elements lie in a block that says how many of them there are. A block that is full is replaced by one of twice
// its size; who still looks at the old one keeps it. Elements have no destructors.
//
// Safepoints: adding elements and `reserve`. The object that holds the vector is held by the caller, and so is what the
// fields of a struct point to that is added; a pointer added to a vector of fields is held by the vector itself. A
// reference to an element is like a raw pointer: fine between two safepoints, and of the old block once it was
// replaced.
//
// Iteration goes over a snapshot: the block and the count of when it began, whatever becomes of the vector. Elements
// assigned meanwhile are seen old or new. `snapshot` gives the same as a local_slice.
//
// Threads: one thread changes, any read: they see a block with its own count, never one with the other's. What is
// written to a place that readers may look at (`v[i] = x`, or `pop_back` and then `push_back`) is a race unless it is
// atomic, as fields are, or goes through std::atomic_ref. Adding, growing and `clear` do no such writing.
//
// Complexity: as std::vector. Growth copies in steps with safepoints between them, so no collection waits for it.
#pragma once

#include <umber/container.h>
#include <umber/slice.h>
#include <umber/umber_c.h>

#include <algorithm>
#include <cassert>
#include <iterator>
#include <type_traits>
#include <utility>

namespace umber {

template <class T>
class vector {
  using block = detail::block<T>;  // its extra word is the count of elements
  using argument = typename detail::element<T>::argument;

 public:
  class iterator;

  constexpr vector() noexcept = default;
  vector(const vector&) = delete;
  vector& operator=(const vector&) = delete;

  std::size_t size() const noexcept { return count(block_); }
  bool empty() const noexcept { return size() == 0; }
  std::size_t capacity() const noexcept {
    const block* b = block_;
    return b == nullptr ? 0 : b->capacity();
  }

  T& operator[](std::size_t i) const noexcept {
    assert(i < size());
    return (*block_)[i];
  }
  // Throws std::out_of_range.
  T& at(std::size_t i) const {
    block* b = block_;
    if (i >= count(b)) detail::throw_out_of_range("umber::vector::at");
    return (*b)[i];
  }
  T& front() const noexcept { return (*this)[0]; }
  T& back() const noexcept { return (*this)[size() - 1]; }

  // Throws std::bad_alloc, and then nothing has changed.
  void push_back(argument value) {
    block* b = block_;
    const std::size_t n = count(b);
    if (b == nullptr || n == b->capacity()) {
      [[maybe_unused]] const typename detail::element<T>::held held(value);
      b = grow(n + 1);
    }
    add(b, n, value);
  }
  // Adds T{arguments...}, made after what there is to allocate was.
  template <class... Arguments>
  void emplace_back(Arguments&&... arguments) {
    block* b = block_;
    const std::size_t n = count(b);
    if (b == nullptr || n == b->capacity()) b = grow(n + 1);
    if constexpr (std::is_constructible_v<T, Arguments...>)
      add(b, n, T(std::forward<Arguments>(arguments)...));
    else
      add(b, n, T{std::forward<Arguments>(arguments)...});
  }
  void pop_back() noexcept {
    block* b = block_;
    const std::size_t n = count(b);
    assert(n != 0);
    b->extra.store(n - 1, std::memory_order_release);  // pairs with the acquire in count
    if constexpr (detail::has_fields<T>()) (*b)[n - 1] = T();
  }
  // Drops the block.
  void clear() noexcept { block_ = nullptr; }
  void reserve(std::size_t elements) {
    if (elements > capacity()) grow(elements);
  }

  local_slice<T> snapshot() const noexcept {
    block* b = block_;
    return b == nullptr ? local_slice<T>() : local_slice<T>(detail::object_bytes(b), b->data(), count(b));
  }
  iterator begin() const noexcept { return iterator(snapshot()); }
  std::default_sentinel_t end() const noexcept { return {}; }

  class iterator {
   public:
    using value_type = T;
    using difference_type = std::ptrdiff_t;

    explicit iterator(const local_slice<T>& seen) noexcept : seen_(seen) {}
    T& operator*() const noexcept { return seen_[at_]; }
    T* operator->() const noexcept { return &seen_[at_]; }
    iterator& operator++() noexcept {
      ++at_;
      return *this;
    }
    void operator++(int) noexcept { ++at_; }
    friend bool operator==(const iterator& i, std::default_sentinel_t) noexcept { return i.at_ == i.seen_.size(); }

   private:
    local_slice<T> seen_;
    std::size_t at_ = 0;
  };

 private:
  static std::size_t count(const block* b) noexcept {
    // acquire: pairs with the release in add; the elements are seen.
    return b == nullptr ? 0 : b->extra.load(std::memory_order_acquire);
  }

  // By assignment where there are fields: the collector may be reading them.
  template <class From>
  static void put(T& place, From&& value) {
    if constexpr (detail::has_fields<T>())
      place = std::forward<From>(value);
    else
      ::new (static_cast<void*>(&place)) T(std::forward<From>(value));
  }
  template <class From>
  static void add(block* b, std::size_t n, From&& value) {
    put((*b)[n], std::forward<From>(value));
    b->extra.store(n + 1, std::memory_order_release);  // pairs with the acquire in count
  }

  // A block for `needed` elements or more takes the place of this one.
  [[gnu::noinline]] block* grow(std::size_t needed) {
    constexpr std::size_t least = std::max<std::size_t>(1, 48 / sizeof(T)), step = 4096;
    const local<block> old(block_);
    const std::size_t n = count(old), doubled = std::max({needed, 2 * n, least});
    if (needed > PTRDIFF_MAX / 2 / sizeof(T)) detail::throw_bad_alloc();
    // What rounding up the block's size leaves is room for elements, too.
    const std::size_t bytes = umber_good_size(block::header_bytes + doubled * sizeof(T));
    const local<block> grown = block::make((bytes - block::header_bytes) / sizeof(T));
    for (std::size_t i = 0; i < n; ++i) {
      if (i % step == step - 1) safepoint();
      put((*grown)[i], std::as_const((*old)[i]));
    }
    grown->extra.store(n, std::memory_order_relaxed);  // relaxed: published by the next line
    block_ = grown;
    return grown;
  }

  field<block> block_;

 public:
  static constexpr auto pointers = umber::pointers(&vector::block_);
};

}  // namespace umber

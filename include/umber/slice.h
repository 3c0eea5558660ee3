// A run of elements of an array, or of any managed object, that keeps the whole of it alive.
//
//   struct document {
//     umber::slice<char> title;                      // in an object: slice
//   };
//   umber::local<umber::array<char>> text = umber::make_array<char>(100);
//   umber::local_slice<char> line(text);             // on the stack: local_slice
//   some_document->title = line.subslice(10, 20);    // shares text, and keeps it
//
// This is the one pointer into the middle of a managed object. Like a field, a `slice` outside of a managed object is
// not traced; like a local, a `local_slice` is a root of the thread that made it. Each converts to the other, and a
// subslice of either is a local_slice. Nothing here allocates. A part of an object that is no array is
// `umber::part_of(object, &object->member[0], count)`.
//
// `[i]` and `subslice` are unchecked but for an assert; `at(i)` throws std::out_of_range. All are O(1).
//
// Threads: the elements are shared as those of the array are. A `slice` that is assigned while another thread reads it
// is a race on its bounds; give it a lock, or put it into an object of its own and store a field to that.
#pragma once

#include <umber/container.h>

#include <cassert>
#include <type_traits>

namespace umber {

template <class T>
class local_slice;

namespace detail {

// Where a run lies; what keeps it alive is added by the two kinds of slice.
template <class T>
class run {
 public:
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  T* data() const noexcept { return data_; }
  T* begin() const noexcept { return data_; }
  T* end() const noexcept { return data_ + size_; }
  T& operator[](std::size_t i) const noexcept {
    assert(i < size_);
    return data_[i];
  }
  T& at(std::size_t i) const {
    if (i >= size_) throw_out_of_range("umber::slice::at");
    return data_[i];
  }
  T& front() const noexcept { return (*this)[0]; }
  T& back() const noexcept { return (*this)[size_ - 1]; }

 protected:
  constexpr run() noexcept = default;
  constexpr run(T* data, std::size_t size) noexcept : data_(data), size_(size) {}

  T* data_ = nullptr;
  std::size_t size_ = 0;
};

template <class T>
std::byte* object_bytes(T* object) noexcept {
  return reinterpret_cast<std::byte*>(const_cast<std::remove_cv_t<T>*>(object));
}

}  // namespace detail

// The kind for members of managed objects.
template <class T>
class slice : public detail::run<T> {
  using whole = array<std::remove_const_t<T>>;

 public:
  constexpr slice() noexcept = default;
  slice(const local<whole>& all) noexcept : slice(local_slice<T>(all)) {}
  slice(const local_slice<T>& other) noexcept : detail::run<T>(other), owner_(other.owner_) {}
  slice& operator=(const local<whole>& all) noexcept { return *this = local_slice<T>(all); }
  slice& operator=(const local_slice<T>& other) noexcept {
    detail::run<T>::operator=(other);
    owner_ = other.owner_;
    return *this;
  }

  local_slice<T> subslice(std::size_t first, std::size_t count) const noexcept {
    return local_slice<T>(*this).subslice(first, count);
  }
  local_slice<T> subslice(std::size_t first) const noexcept { return local_slice<T>(*this).subslice(first); }

 private:
  friend class local_slice<T>;

  field<std::byte> owner_;

 public:
  static constexpr auto pointers = umber::pointers(&slice::owner_);
};

// The kind for the stack.
template <class T>
class local_slice : public detail::run<T> {
  using whole = array<std::remove_const_t<T>>;

 public:
  local_slice() noexcept = default;
  local_slice(const local<whole>& all) noexcept : local_slice(all.get()) {}
  local_slice(whole* all) noexcept {
    if (all != nullptr) *this = local_slice(detail::object_bytes(all), all->data(), all->size());
  }
  local_slice(const slice<T>& other) noexcept : detail::run<T>(other), owner_(other.owner_) {}
  // What `owner` is the beginning of has `count` elements at `data`.
  local_slice(std::byte* owner, T* data, std::size_t count) noexcept : detail::run<T>(data, count), owner_(owner) {}

  local_slice subslice(std::size_t first, std::size_t count) const noexcept {
    assert(first <= this->size_ && count <= this->size_ - first);
    return local_slice(owner_.get(), this->data_ + first, count);
  }
  local_slice subslice(std::size_t first) const noexcept {
    assert(first <= this->size_);
    return subslice(first, this->size_ - first);
  }

 private:
  friend class slice<T>;

  local<std::byte> owner_;
};

// The `count` elements at `first`, which lie in the object.
template <class T, class Object>
local_slice<T> part_of(const local<Object>& object, T* first, std::size_t count) noexcept {
  return local_slice<T>(detail::object_bytes(object.get()), first, count);
}

}  // namespace umber

// Memory for a check that runs now and then: straight from the system, and back when the check is over.
//
// What looks at a heap with suspicion must not take memory from it, nor keep any for good, as metadata would. An array
// here is address space for the most that could be needed, made usable in steps as it is used.
//
// Invariants
//   None.
// Concurrency
//   One thread, or its owner's lock.
// Uses / used by
//   Uses os. Used by retrace, shadow.
#pragma once

#include "alloc/base.h"
#include "alloc/os.h"

#include <type_traits>

namespace umber::gc {

using namespace alloc;

// Up to a fixed number of Ts, all zero at first.
template <class T>
class scratch {
 public:
  static_assert(std::is_trivially_copyable_v<T>);

  scratch() = default;
  ~scratch() { give_back(); }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;

  // Address space for `most`; what was held before is given back. False: there is none.
  [[nodiscard]] bool reserve(std::size_t most) {
    give_back();
    const std::size_t bytes = round_up(most * sizeof(T), step);
    void* memory = os::reserve(bytes, step);
    if (memory == nullptr) return false;
    data_ = static_cast<T*>(memory);
    reserved_ = bytes;
    return true;
  }
  // Makes the first `count` usable. False: no memory.
  [[nodiscard]] bool have(std::size_t count) {
    const std::size_t wanted = round_up(count * sizeof(T), step);
    if (wanted <= usable_) return true;
    if (wanted > reserved_ || !os::commit(pointer_to(address_of(data_) + usable_), wanted - usable_)) return false;
    usable_ = wanted;
    return true;
  }
  void give_back() {
    if (data_ != nullptr) os::unmap(data_, reserved_);
    data_ = nullptr;
    reserved_ = usable_ = 0;
  }
  void swap(scratch& other) {
    T* const data = data_;
    const std::size_t reserved = reserved_, usable = usable_;
    data_ = other.data_;
    reserved_ = other.reserved_;
    usable_ = other.usable_;
    other.data_ = data;
    other.reserved_ = reserved;
    other.usable_ = usable;
  }
  T& operator[](std::size_t i) { return data_[i]; }
  const T& operator[](std::size_t i) const { return data_[i]; }

 private:
  static constexpr std::size_t step = mib;

  T* data_ = nullptr;
  std::size_t reserved_ = 0;  // bytes
  std::size_t usable_ = 0;    // of these
};

}  // namespace umber::gc

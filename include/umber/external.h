// Memory outside of the heap that managed objects own: malloc memory above all, which the collector does not see.
//
//   struct image {
//     explicit image(std::size_t n) : size(n), pixels(std::malloc(n)) { umber::account_external(this, long(n)); }
//     ~image() { umber::account_external(this, -long(size)); std::free(pixels); }
//     ...
//   };
//
// What is accounted for counts as heap: collections come as if it had been allocated there, and limits hold for the
// sum. Whoever frees it says so. That is known when the owner is swept, so the next cycle is planned after the sweep.
#pragma once

#include <umber/heap.h>

#include <cstddef>

namespace umber {

namespace detail {
UMBER_API void add_external(heap_state* h, std::ptrdiff_t bytes) noexcept;  // null: of the calling thread
UMBER_API void add_external_of(const void* object, std::ptrdiff_t bytes) noexcept;
}  // namespace detail

// More (or with a negative number, less) memory outside is owned by objects of a heap. Any thread, attached or not.
inline void add_external_bytes(heap& h, std::ptrdiff_t bytes) noexcept {
  detail::add_external(detail::heap_access::state(h), bytes);
}
// The same for the heap that the calling thread is attached to.
inline void add_external_bytes(std::ptrdiff_t bytes) noexcept { detail::add_external(nullptr, bytes); }
// The same for the heap of a managed object: any thread, also in the object's constructor and destructor.
template <class T>
void account_external(const T* object, std::ptrdiff_t bytes) noexcept {
  detail::add_external_of(object, bytes);
}
template <class T>
void account_external(const local<T>& object, std::ptrdiff_t bytes) noexcept {
  detail::add_external_of(object.get(), bytes);
}

}  // namespace umber

// umber's allocator for C++20: the functions of <umber/umber_c.h> in namespace umber, an allocator for containers, a
// std::pmr resource, and first-class heaps. Header-only over the C interface.
//
// Sizes are in bytes. Functions that return a plain pointer return nullptr, with errno ENOMEM, when there is no memory;
// what the standard library calls (allocator, memory_resource) throws std::bad_alloc instead. Unless said otherwise
// everything may be called from any thread at any time, and any thread may free what another allocated. Freeing what
// is not allocated, or with a wrong size, is reported on stderr and ends the program.
#pragma once

#include <umber/umber_c.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory_resource>
#include <new>
#include <string>
#include <type_traits>
#include <utility>

namespace umber {

// A block of at least n bytes, aligned to 16 (8 if n <= 8); with `alignment`, a power of two, to that.
[[nodiscard]] inline void* allocate(std::size_t n) noexcept { return umber_malloc(n); }
[[nodiscard]] inline void* allocate(std::size_t n, std::align_val_t alignment) noexcept {
  return umber_aligned_alloc(static_cast<std::size_t>(alignment), n);
}

// Frees a block, or nothing for nullptr. A caller that knows the size it asked for says so: that is faster, and a wrong
// size is caught.
inline void deallocate(void* p) noexcept { umber_free(p); }
inline void deallocate(void* p, std::size_t n) noexcept { umber_free_sized(p, n); }
inline void deallocate(void* p, std::size_t n, std::align_val_t alignment) noexcept {
  umber_free_aligned_sized(p, static_cast<std::size_t>(alignment), n);
}

// The same contents in a block of n bytes, cut or extended; nullptr leaves p as it was. n == 0 is not a free.
[[nodiscard]] inline void* reallocate(void* p, std::size_t n) noexcept { return umber_realloc(p, n); }

// Bytes that may be used at p, which is an allocated block or nullptr (0).
inline std::size_t usable_size(const void* p) noexcept { return umber_usable_size(p); }
// Bytes that a request for n bytes would be given.
inline std::size_t good_size(std::size_t n) noexcept { return umber_good_size(n); }

// A pointer and how many elements of its type there is room for, as std::allocation_result of C++23.
template <class Pointer>
struct allocation_result {
  Pointer ptr;
  std::size_t count;
};

// A block of n bytes or more, and its whole size; {nullptr, 0} when there is no memory.
[[nodiscard]] inline allocation_result<void*> allocate_at_least(std::size_t n) noexcept {
  const umber_allocation block = umber_allocate_at_least(n);
  return {block.ptr, block.size};
}

// Gives free memory back to the system now, from the caches of all threads; bytes given back.
inline std::size_t release_memory() noexcept { return umber_release(); }

inline constexpr std::size_t no_memory_limit = std::numeric_limits<std::size_t>::max();
// A soft limit in bytes for what the heap keeps resident; the previous one.
inline std::size_t set_memory_limit(std::size_t bytes) noexcept { return umber_set_memory_limit(bytes); }

// The state of the heap; its members and their units are described in <umber/umber_c.h>.
using malloc_statistics = ::umber_malloc_stats;

inline malloc_statistics statistics() noexcept {
  malloc_statistics stats;
  umber_get_malloc_stats(&stats, sizeof stats);
  return stats;
}

// The same as a JSON object. The string is itself allocated, after the figures were taken if it fits what was reserved.
inline std::string statistics_json() {
  std::string json(16 * 1024, '\0');
  std::size_t length = umber_malloc_stats_json(json.data(), json.size() + 1);
  while (length > json.size()) {
    json.resize(length + 1024);
    length = umber_malloc_stats_json(json.data(), json.size() + 1);
  }
  json.resize(length);
  return json;
}

// An allocator for standard containers. Stateless: any two are equal, and deallocation is sized.
template <class T>
class allocator {
 public:
  using value_type = T;
  using propagate_on_container_move_assignment = std::true_type;
  using is_always_equal = std::true_type;

  constexpr allocator() noexcept = default;
  template <class U>
  constexpr allocator(const allocator<U>&) noexcept {}

  // Room for `count` elements. Throws std::bad_array_new_length if their bytes overflow, std::bad_alloc if there is no
  // memory.
  [[nodiscard]] T* allocate(std::size_t count) {
    void* const p = over_aligned ? umber_aligned_alloc(alignof(T), bytes(count)) : umber_malloc(bytes(count));
    if (p == nullptr) throw std::bad_alloc();
    return static_cast<T*>(p);
  }

  // Room for `count` elements or more, and for how many; the number returned may be passed to deallocate.
  [[nodiscard]] allocation_result<T*> allocate_at_least(std::size_t count) {
    if constexpr (over_aligned) {
      return {allocate(count), count};
    } else {
      const umber_allocation block = umber_allocate_at_least(bytes(count));
      if (block.ptr == nullptr) throw std::bad_alloc();
      return {static_cast<T*>(block.ptr), block.size / sizeof(T)};
    }
  }

  void deallocate(T* p, std::size_t count) noexcept {
    if constexpr (over_aligned) {
      umber_free_aligned_sized(p, alignof(T), count * sizeof(T));
    } else {
      umber_free_sized(p, count * sizeof(T));
    }
  }

 private:
  static constexpr bool over_aligned = alignof(T) > alignof(std::max_align_t);

  static std::size_t bytes(std::size_t count) {
    if (count > std::numeric_limits<std::size_t>::max() / sizeof(T)) throw std::bad_array_new_length();
    return count * sizeof(T);
  }
};

template <class T, class U>
constexpr bool operator==(const allocator<T>&, const allocator<U>&) noexcept {
  return true;
}

// The heap as a std::pmr resource. There is one such object, default_memory_resource(), and it is never destroyed.
class memory_resource final : public std::pmr::memory_resource {
 private:
  friend memory_resource* default_memory_resource() noexcept;
  memory_resource() = default;

  void* do_allocate(std::size_t n, std::size_t alignment) override {
    void* const p = umber_aligned_alloc(alignment, n);
    if (p == nullptr) throw std::bad_alloc();
    return p;
  }
  void do_deallocate(void* p, std::size_t n, std::size_t alignment) override {
    umber_free_aligned_sized(p, alignment, n);
  }
  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override { return this == &other; }
};

inline memory_resource* default_memory_resource() noexcept {
  alignas(memory_resource) static std::byte storage[sizeof(memory_resource)];
  static memory_resource* const resource = ::new (storage) memory_resource;
  return resource;
}

// A heap whose blocks are all freed when it is destroyed. A container built in its std::pmr resource
// may simply be forgotten. Several threads may allocate from one heap; its destruction is for one thread alone.
// Its blocks may also be freed one by one with umber::deallocate.
class malloc_heap {
 public:
  // Throws std::bad_alloc.
  malloc_heap() : resource_(umber_malloc_heap_create()) {
    if (resource_.heap == nullptr) throw std::bad_alloc();
  }
  ~malloc_heap() { umber_malloc_heap_destroy(resource_.heap); }
  malloc_heap(const malloc_heap&) = delete;
  malloc_heap& operator=(const malloc_heap&) = delete;

  // A block of at least n bytes; nullptr when there is no memory.
  [[nodiscard]] void* allocate(std::size_t n) noexcept { return umber_malloc_heap_allocate(resource_.heap, n); }
  [[nodiscard]] void* allocate(std::size_t n, std::align_val_t alignment) noexcept {
    return umber_malloc_heap_allocate_aligned(resource_.heap, static_cast<std::size_t>(alignment), n);
  }

  // Lives as long as the heap.
  std::pmr::memory_resource* resource() noexcept { return &resource_; }
  umber_malloc_heap* c_heap() noexcept { return resource_.heap; }

 private:
  struct heap_resource final : std::pmr::memory_resource {
    explicit heap_resource(umber_malloc_heap* h) : heap(h) {}
    void* do_allocate(std::size_t n, std::size_t alignment) override {
      void* const p = umber_malloc_heap_allocate_aligned(heap, alignment, n);
      if (p == nullptr) throw std::bad_alloc();
      return p;
    }
    void do_deallocate(void* p, std::size_t, std::size_t) override { umber_free(p); }
    bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override { return this == &other; }

    umber_malloc_heap* heap;
  };

  heap_resource resource_;
};

}  // namespace umber

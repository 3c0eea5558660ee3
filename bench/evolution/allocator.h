// A textbook allocator: two functions of malloc's shape, and what it adds to the one before it. Blocks are aligned to
// 16 bytes; null when there is no memory. Any thread may free what another allocated.
#pragma once

#include <cstddef>
#include <span>

namespace evolution {

struct allocator {
  const char* name;
  const char* idea;
  void* (*allocate)(std::size_t size);
  void (*deallocate)(void* block);
};

// From the oldest to umber.
[[nodiscard]] std::span<const allocator> all_allocators();

// The one that the environment variable UMBER_EVOLUTION names; without it the program ends with a line that says which
// there are.
[[nodiscard]] const allocator& chosen_allocator();

extern const allocator bump;
extern const allocator first_fit;
extern const allocator next_fit;
extern const allocator best_fit;
extern const allocator segregated;
extern const allocator arenas;
extern const allocator central;
extern const allocator mcache;
extern const allocator umber_itself;

}  // namespace evolution

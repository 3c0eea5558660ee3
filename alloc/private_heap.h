// First-class heaps: blocks that can be freed one by one, or all at once with their heap.
//
// A private heap is a processor of its own under a lock. Its spans never go to the mcentrals, and are linked, so
// destroying the heap is a walk over its spans, not over its blocks. A block of it may be given to plain `deallocate`
// by any thread: the span's owner is this heap's processor, which nobody holds, so such frees travel as bits.
//
// Invariants
//   [private_heap.1] every span of the heap is in its list, and no span of the list is anybody else's.
// Concurrency
//   allocate_in may be called from several threads; destroy_private_heap only when nobody uses the heap or its blocks.
// Uses / used by
//   Uses processor, mheap. Used by api.
#pragma once

#include "base.h"

namespace umber::alloc {

struct private_heap;

// Null when there is no memory.
[[nodiscard]] private_heap* create_private_heap() noexcept;
// A block of n bytes at a multiple of `alignment` (a power of two); null when there is no memory.
[[nodiscard]] void* allocate_in(private_heap* h, std::size_t n, std::size_t alignment) noexcept;
// Every block of the heap is free afterwards.
void destroy_private_heap(private_heap* h) noexcept;

// Around fork: the lock of their list and those of all private heaps, before those of the shared processors.
void lock_private_heaps_for_fork();
void unlock_private_heaps_after_fork();
void reset_private_heaps_in_child();

struct mspan;
// A large object of some private heap was freed by itself.
void forget_large(mspan* s) noexcept;

}  // namespace umber::alloc

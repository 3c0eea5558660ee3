// The heap as its users see it: allocate and deallocate, in every form that C and C++ know.
//
// This is the top floor. The libc names (override.cc) and the public API (api.cc) are thin names for what is here.
//
//   allocate(n)
//     n <= 1 KiB: table -> mcache entry -> its word of free bits has one      the whole of the fast path
//     else, or the word is empty: allocate_slow
//       n <= 128 KiB: the next word of the entry's span with a free slot
//         none: processor::refill: a span of ours with free slots
//           none: mcentral: a span of nobody with free slots
//             none: mheap: fresh pages -> page cache -> page_alloc -> arena -> OS
//       larger: mheap::allocate_large: pages of its own
//
//   deallocate(p)
//     in the window, page -> span, span is ours, p is a slot, the slot is in use: set its bit      the fast path
//       and this was the span's last object: processor::span_emptied
//     else deallocate_slow
//       null: nothing; not a slot, a slot in use: the misuse line, abort
//       a large object: mheap::deallocate_large
//       the span was full and is at home here: adopt it, then as above
//       another's: gathered in remote.h, sent in batches of bits
//
// A slot is free or in use by one bit in its span, and by nothing else: free writes nothing into the block. So a
// double free is seen at once and exactly, memory that is only freed is never touched again, pages inside a half-used
// span can go back to the system, and a program that writes through a dangling pointer cannot break the heap.
// (Measured against a free list threaded through the blocks; figures in mspan.h.)
//
// Invariants
//   [malloc.1] every block is aligned to 16 bytes, or to what was asked.
//   [malloc.2] a block is handed out at most once between two frees of it.
//   [malloc.3] errno is ENOMEM after a nullptr, and untouched otherwise.
// Concurrency
//   Every function may be called from any thread at any time, also before constructors and after destructors, and in
//   the child of a fork.
// Uses / used by
//   Uses processor, remote, mheap. Used by override and api.
#pragma once

#include "base.h"

namespace umber::alloc {

[[nodiscard]] void* allocate(std::size_t n) noexcept;
[[nodiscard]] void* allocate_zeroed(std::size_t n) noexcept;
// `alignment` is a power of two (the caller has checked); nullptr when there is no memory.
[[nodiscard]] void* allocate_aligned(std::size_t alignment, std::size_t n) noexcept;
void deallocate(void* p) noexcept;
// As deallocate; the block must have been asked for with `n` bytes (and `alignment`), or the misuse line follows.
void deallocate_sized(void* p, std::size_t n) noexcept;
void deallocate_sized(void* p, std::size_t alignment, std::size_t n) noexcept;
// For blocks that may have gone through reallocate, which keeps a block that is up to twice too large.
void deallocate_resized(void* p, std::size_t n) noexcept;
// Keeps the contents up to the smaller size; nullptr leaves the block as it was. `p` may be null; n may be 0 (a block
// of the smallest size: never a free).
[[nodiscard]] void* reallocate(void* p, std::size_t n) noexcept;
// Bytes the program may use at `p`, which must be an allocated block (misuse line otherwise); 0 for null.
std::size_t usable_size(const void* p) noexcept;
// Bytes that a request for n bytes really gets.
std::size_t good_size(std::size_t n) noexcept;
// Whether `p` points into memory of this heap (anywhere).
bool owns(const void* p) noexcept;

// Reports a block that this thread and another have both freed, if nobody has noticed by now.
void check_at_exit() noexcept;

// Returns what can be returned to the system now, from all processors that are not in use; bytes released.
std::size_t release_memory() noexcept;
// Soft limit in bytes for what the heap keeps resident (SIZE_MAX: none); the previous one.
std::size_t set_memory_limit(std::size_t bytes) noexcept;

}  // namespace umber::alloc

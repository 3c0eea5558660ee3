// Eleven ways to break a heap, in several sizes, and beside each the same without the mistake.
//
// A case `abort CALL: ...` is expected to end the program with one line that names CALL; run_cases.py judges it. What
// runs past its mistake returns normally and so fails.
#include "cases.h"

#include <pthread.h>
#include <new>
#include <vector>

namespace {

using cases::opaque;

constexpr std::size_t mib = std::size_t{1} << 20;

char* block(std::size_t n) { return static_cast<char*>(std::memset(opaque(std::malloc(n)), 1, n)); }
void* at(const void* p, std::ptrdiff_t offset) {
  return opaque(const_cast<char*>(static_cast<const char*>(p)) + offset);
}
void* at_address(std::uintptr_t address) { return opaque(reinterpret_cast<void*>(address)); }

void on_other_thread(void* (*work)(void*), void* argument) {
  pthread_t thread;
  if (pthread_create(&thread, nullptr, work, argument) == 0) pthread_join(thread, nullptr);
}
void* free_it(void* p) {
  std::free(p);
  return nullptr;
}

// Allocations and frees of other sizes than `n`, so that the block in question is not handed out again.
void other_operations(std::size_t n) {
  std::vector<char*> others;
  for (std::size_t i = 0; i < 3000; ++i) {
    const std::size_t size = n >= 100000 ? 16 + i % 2000 : 4 * n + 500 + i;
    others.push_back(block(size));
    if (i % 3 == 0) std::free(others[i / 3]);
    if (i % 3 == 0) others[i / 3] = nullptr;
  }
  for (char* p : others) std::free(p);
}

template <std::size_t N>
void double_free_at_once() {
  void* const p = block(N);
  std::free(p);
  std::free(opaque(p));
}
template <std::size_t N>
void free_once() {
  std::free(block(N));
}

template <std::size_t N>
void double_free_late() {
  std::vector<char*> blocks;
  for (int i = 0; i < 100; ++i) blocks.push_back(block(N));
  for (char* p : blocks) std::free(p);
  other_operations(N);
  std::free(opaque(blocks[50]));
}
template <std::size_t N>
void free_once_late() {
  std::vector<char*> blocks;
  for (int i = 0; i < 100; ++i) blocks.push_back(block(N));
  for (char* p : blocks)
    if (p != blocks[50]) std::free(p);
  other_operations(N);
  std::free(opaque(blocks[50]));
}

template <std::size_t N>
void double_free_by_another_thread() {
  void* const p = block(N);
  std::free(p);
  on_other_thread(free_it, opaque(p));
}
template <std::size_t N>
void double_free_after_another_thread() {
  void* const p = block(N);
  on_other_thread(free_it, p);
  std::free(opaque(p));
}
template <std::size_t N>
void double_free_by_two_other_threads() {
  void* const p = block(N);
  on_other_thread(free_it, p);
  on_other_thread(free_it, opaque(p));
}
template <std::size_t N>
void free_by_another_thread() {
  void* const p = block(N);
  void* const q = block(N);
  on_other_thread(free_it, p);
  on_other_thread(free_it, q);
}

void free_of_the_stack() {
  char array[64];
  std::free(opaque(array));
}
void free_of_static_data() {
  alignas(16) static char array[64];
  std::free(opaque(array));
}
void free_of_a_copy_of_the_stack() {
  const char array[64] = "text";
  std::free(std::memcpy(block(64), array, 64));
}

template <std::size_t N, std::ptrdiff_t Offset>
void free_of_the_interior() {
  std::free(at(block(N), Offset));
}
template <std::size_t N, std::ptrdiff_t Offset>
void free_of_the_start() {
  std::free(at(at(block(N), Offset), -Offset));
}

// The neighbourhood of a block, far enough that no block was ever there.
void free_of_a_wild_address_in_the_heap() {
  const std::uintptr_t address = cases::address_of(block(48));
  const std::uintptr_t arena = address & ~(64 * mib - 1);
  const std::uintptr_t offset = (address - arena + 32 * mib) % (64 * mib);
  std::free(at_address(arena + offset / 64 * 64));
}
void free_of_a_wild_address_near() {
  const std::uintptr_t address = cases::address_of(block(48));
  std::free(at_address((address & ~std::uintptr_t{4095}) + 65536 * 3));
}
void free_of_an_unmapped_address() { std::free(at_address(0x123456789ab0)); }
void free_of_a_low_address() { std::free(at_address(0x10)); }
void free_of_a_non_canonical_address() { std::free(at_address(0x8000123456789ab0)); }
void free_of_the_last_address() { std::free(at_address(~std::uintptr_t{15})); }
void free_of_null() { std::free(opaque<void>(nullptr)); }

template <std::size_t N>
void realloc_of_freed_memory() {
  void* const p = block(N);
  std::free(p);
  std::free(std::realloc(opaque(p), 2 * N));
}
template <std::size_t N>
void realloc_of_live_memory() {
  std::free(std::realloc(block(N), 2 * N));
}
void realloc_of_the_interior() { std::free(std::realloc(at(block(200), 16), 400)); }
void realloc_of_the_stack() {
  char array[64];
  std::free(std::realloc(opaque(array), 400));
}

template <std::size_t N, std::size_t Wrong>
void delete_with_the_wrong_size() {
  ::operator delete(opaque(::operator new(N)), Wrong);
}
template <std::size_t N, std::size_t Wrong>
void delete_array_with_the_wrong_size() {
  ::operator delete[](opaque(::operator new[](N)), Wrong);
}
template <std::size_t N>
void delete_with_the_right_size() {
  ::operator delete(opaque(::operator new(N)), N);
  ::operator delete[](opaque(::operator new[](N)), N);
}
void delete_twice() {
  void* const p = ::operator new(48);
  ::operator delete(p);
  ::operator delete(opaque(p));
}
void sized_delete_twice() {
  void* const p = ::operator new(48);
  ::operator delete (p, std::size_t{48});
  ::operator delete (opaque(p), std::size_t{48});
}
void delete_once() { ::operator delete(opaque(::operator new(48))); }

constexpr cases::test_case all[] = {
    {"abort free: twice, at once, 48 bytes", double_free_at_once<48>},
    {"abort free: twice, at once, 1 byte", double_free_at_once<1>},
    {"abort free: twice, at once, 5000 bytes", double_free_at_once<5000>},
    {"abort free: twice, at once, 100000 bytes", double_free_at_once<100000>},
    {"abort free: twice, at once, 1 MiB", double_free_at_once<mib>},
    {"abort free: twice, at once, 80 MiB", double_free_at_once<80 * mib>},
    {"once, 48 bytes", free_once<48>},
    {"once, 80 MiB", free_once<80 * mib>},
    {"abort free: twice, late, 48 bytes", double_free_late<48>},
    {"abort free: twice, late, 1000 bytes", double_free_late<1000>},
    {"abort free: twice, late, 300000 bytes", double_free_late<300000>},
    {"once, late, 48 bytes", free_once_late<48>},
    {"once, late, 300000 bytes", free_once_late<300000>},
    {"abort free: twice, by another thread, 48 bytes", double_free_by_another_thread<48>},
    {"abort free: twice, by another thread, 5000 bytes", double_free_by_another_thread<5000>},
    {"abort free: twice, by another thread, 1 MiB", double_free_by_another_thread<mib>},
    {"abort free: twice, after another thread, 48 bytes", double_free_after_another_thread<48>},
    {"abort free: twice, after another thread, 1 MiB", double_free_after_another_thread<mib>},
    {"abort free: twice, by two other threads, 48 bytes", double_free_by_two_other_threads<48>},
    {"abort free: twice, by two other threads, 5000 bytes", double_free_by_two_other_threads<5000>},
    {"abort free: twice, by two other threads, 1 MiB", double_free_by_two_other_threads<mib>},
    {"by another thread, 48 bytes", free_by_another_thread<48>},
    {"by another thread, 1 MiB", free_by_another_thread<mib>},
    {"abort free: the stack", free_of_the_stack},
    {"abort free: static data", free_of_static_data},
    {"a copy of the stack", free_of_a_copy_of_the_stack},
    {"abort free: interior, 16 of 64 bytes", free_of_the_interior<64, 16>},
    {"abort free: interior, 4096 of 20000 bytes", free_of_the_interior<20000, 4096>},
    {"abort free: interior, 8192 of 100000 bytes", free_of_the_interior<100000, 8192>},
    {"abort free: interior, 8192 of 1 MiB", free_of_the_interior<mib, 8192>},
    {"abort free: interior, 16 of 1 MiB", free_of_the_interior<mib, 16>},
    {"abort free: interior, 64 MiB of 80 MiB", free_of_the_interior<80 * mib, 64 * mib>},
    {"the start, by a detour", free_of_the_start<64, 16>},
    {"abort free: off by one, 48 bytes", free_of_the_interior<48, 1>},
    {"abort free: one too low, 48 bytes", free_of_the_interior<48, -1>},
    {"abort free: off by one, 1 MiB", free_of_the_interior<mib, 1>},
    {"abort free: one too low, 1 MiB", free_of_the_interior<mib, -1>},
    {"the start, off by one and back", free_of_the_start<48, 1>},
    {"abort free: wild, in the heap", free_of_a_wild_address_in_the_heap},
    {"abort free: wild, near a block", free_of_a_wild_address_near},
    {"abort free: wild, unmapped", free_of_an_unmapped_address},
    {"abort free: wild, low", free_of_a_low_address},
    {"abort free: wild, non-canonical", free_of_a_non_canonical_address},
    {"abort free: wild, the last address", free_of_the_last_address},
    {"null", free_of_null},
    {"abort realloc: freed memory, 48 bytes", realloc_of_freed_memory<48>},
    {"abort realloc: freed memory, 5000 bytes", realloc_of_freed_memory<5000>},
    {"abort realloc: freed memory, 1 MiB", realloc_of_freed_memory<mib>},
    {"abort realloc: the interior", realloc_of_the_interior},
    {"abort realloc: the stack", realloc_of_the_stack},
    {"realloc of live memory", realloc_of_live_memory<48>},
    {"realloc of live memory, 1 MiB", realloc_of_live_memory<mib>},
    {"abort operator_delete: 48 bytes as 4096", delete_with_the_wrong_size<48, 4096>},
    {"abort operator_delete: 4096 bytes as 48", delete_with_the_wrong_size<4096, 48>},
    {"abort operator_delete: 1 MiB as 48", delete_with_the_wrong_size<mib, 48>},
    {"abort operator_delete: 48 bytes as 1 MiB", delete_with_the_wrong_size<48, mib>},
    {"abort operator_delete: 2 MiB as 1 MiB", delete_with_the_wrong_size<2 * mib, mib>},
    {"abort operator_delete: array of 48 bytes as 4096", delete_array_with_the_wrong_size<48, 4096>},
    {"the right size, 48 bytes", delete_with_the_right_size<48>},
    {"the right size, 1 MiB", delete_with_the_right_size<mib>},
    {"abort operator_delete: twice", delete_twice},
    {"abort operator_delete: twice, sized", sized_delete_twice},
    {"delete once", delete_once},
};

}  // namespace

int main(int argc, char** argv) { return cases::run(argc, argv, all); }

// Memory as the operating system gives it: address ranges in four states, and each function is one transition.
//
//     none --reserve--> reserved --commit--> ready <--release-- --(touch)--
//                          ^                   |
//                          +-----decommit------+      any --unmap--> none
//
//   none      not ours.
//   reserved  address space only; touching it is a fault. Costs nothing.
//   ready     may be read and written; a page is backed from its first touch on and reads as zero before it.
//   released  a ready range whose pages went back to the system (`release`): still ready, reads as zero again.
//
// Every call may fail, and a failure is a value: false or nullptr, never an abort. `inject_failure` makes the n-th
// call from now on fail, so that tests walk through every failure in turn.
//
// Invariants
//   [os.1] a call that fails leaves the range in the state in which it was.
//   [os.2] a released range reads as zero.
//   [os.3] no call changes errno: a program may look at it after a free() that worked.
// Concurrency
//   Every function may be called from any thread; two calls on overlapping ranges are the caller's to order.
// Uses / used by
//   Uses base and libc's thin wrappers of system calls (nothing that allocates). Used by metadata, arena, mheap,
//   scavenger. The Linux side is os_linux.cc: the only file that knows the system.
#pragma once

#include "base.h"

namespace umber::alloc::os {

// Bytes of a page of the machine (read at start-up, never assumed).
std::size_t machine_page_size();

// Address space of `bytes`, aligned to `alignment` (a power of two), in state reserved; nullptr when there is none.
[[nodiscard]] void* reserve(std::size_t bytes, std::size_t alignment);
// none -> ready, at this place and nowhere else: false when something lies there, or the system has not that much
// memory to promise.
[[nodiscard]] bool map_at(void* start, std::size_t bytes);
// reserved -> ready. False when the system has not that much memory to promise.
[[nodiscard]] bool commit(void* start, std::size_t bytes);
// ready -> reserved, the contents lost.
bool decommit(void* start, std::size_t bytes);
// ready -> released: the pages go back to the system at once (users read RSS). Range in whole machine pages.
bool release(void* start, std::size_t bytes);
// As release, by a mapping of its own: what `move` has left as several mappings is one again.
[[nodiscard]] bool renew(void* start, std::size_t bytes);
// The same for several ranges, in one call of the system where it can; false if one of them failed.
struct range {
  void* start;
  std::size_t bytes;
};
bool release(const range* ranges, std::size_t count);
// any -> none.
bool unmap(void* start, std::size_t bytes);
// Moves the contents of ready range `from` to ready range `to` (disjoint); `from` reads as zero afterwards. The pages
// change hands without a copy where the kernel can (since 5.7, `from` one mapping), else they are copied.
[[nodiscard]] bool move(void* from, void* to, std::size_t bytes);

// Transparent huge pages: what the system does by default, and the wish for one range.
enum class huge_pages : std::uint8_t { never, on_request, always };
huge_pages huge_page_mode();
bool want_huge_pages(void* start, std::size_t bytes, bool wanted);
// ready -> ready, and the first touch costs no page fault. False: the system cannot (Linux before 5.14), or has no
// memory; the contents are as they were.
[[nodiscard]] bool populate(void* start, std::size_t bytes);

// What the process is allowed: SIZE_MAX where there is no limit. Bytes.
std::size_t address_space_limit();
std::size_t cgroup_memory_limit();
std::size_t resident_bytes();
unsigned processor_count();
// Whether all memory is as near to any processor as to any other: the machine has one NUMA node.
bool is_memory_uniform();

// Nanoseconds: a steady clock, and the CPU time of the calling thread, and of all threads that the process ever had.
std::uint64_t now();
std::uint64_t thread_cpu_time();
std::uint64_t process_cpu_time();

// Bytes that nobody can predict; from getrandom, weaker where it is missing.
std::uint64_t entropy();

// Parks the thread while *word == expected, until woken or `timeout_ns` has passed (0: no limit).
void wait(const volatile std::uint32_t* word, std::uint32_t expected, std::uint64_t timeout_ns = 0);
void wake_one(const volatile std::uint32_t* word);
void wake_all(const volatile std::uint32_t* word);
void yield();
void sleep(std::uint64_t ns);

// The processor that the calling thread is on, and away from it, to any other that the thread may use. Nothing happens
// where there is none.
unsigned current_processor();
void leave_processor();

// Tests only: lets `calls_before` more calls of reserve, commit, release, renew and move succeed, then fails the next
// `failures` of them. `injected_calls` counts the calls since, failed or not. (0, 0) ends it, and keeps the count.
void inject_failure(std::size_t calls_before, std::size_t failures);
std::size_t injected_calls();

}  // namespace umber::alloc::os

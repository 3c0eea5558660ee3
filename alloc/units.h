// The units in which the page heap counts, as types: a page number cannot be passed where a count of pages is meant.
//
// All heap memory lies in one window of address space (arena.h), so a page is named by its distance from the window's
// start: `page_id` 0 is the window's first page. A page has 8 KiB whatever the page size of the machine is.
//
// Invariants
//   None: plain numbers.
// Concurrency
//   Values.
// Uses / used by
//   Uses base. Used by all floors from page_alloc to malloc.
#pragma once

#include "base.h"

#include <compare>

namespace umber::alloc {

inline constexpr std::size_t page_shift = 13;
inline constexpr std::size_t page_size = std::size_t{1} << page_shift;
inline constexpr std::size_t arena_shift = 26;
inline constexpr std::size_t arena_size = std::size_t{1} << arena_shift;
inline constexpr std::size_t pages_per_arena = arena_size / page_size;

// A number of pages.
struct page_count {
  std::size_t value = 0;

  constexpr std::size_t bytes() const { return value << page_shift; }
  static constexpr page_count covering(std::size_t bytes) { return {(bytes + page_size - 1) >> page_shift}; }

  constexpr auto operator<=>(const page_count&) const = default;
  constexpr page_count operator+(page_count other) const { return {value + other.value}; }
  constexpr page_count operator-(page_count other) const { return {value - other.value}; }
  constexpr page_count& operator+=(page_count other) { return *this = *this + other; }
  constexpr page_count& operator-=(page_count other) { return *this = *this - other; }
};

// The name of a page: its distance from the start of the heap's window, in pages.
struct page_id {
  std::size_t value = 0;

  constexpr auto operator<=>(const page_id&) const = default;
  constexpr page_id operator+(page_count n) const { return {value + n.value}; }
  constexpr page_count operator-(page_id other) const { return {value - other.value}; }
};

// `count` pages from `first` on. An empty run means: there is none.
struct page_run {
  page_id first;
  page_count count;

  constexpr bool empty() const { return count.value == 0; }
  constexpr page_id end() const { return first + count; }
  constexpr auto operator<=>(const page_run&) const = default;
};

}  // namespace umber::alloc

// The window of address space in which all heap memory lies, and the index that leads from an address to its span.
//
// At start-up a large range (4 TiB) is looked for, and cut into arenas of 64 MiB that are mapped one after the other,
// at fixed addresses but never over anything: where something else lies already, an arena is skipped. The range is not
// reserved, so limits of address space count what is used. Because there is one window, "is it ours?" is one
// subtraction and one comparison, a page is named by its distance from the window's start, and the index is one flat
// array: `span_of(page)` is one load. (An arena index plus a table per arena, as Go has it, was the first plan: four
// more instructions on every free.) A wild, foreign or non-canonical pointer fails the comparison and is never
// dereferenced; a page of ours that belongs to no span leads to `no_span`, which belongs to nobody.
//
// Huge pages make a large heap faster, and a sparse one larger. They are asked for only where the heap grows while what
// it has is packed, and no longer for an arena from which memory has gone back: the system would fill the holes again.
// Even so it is an option (`thp=dense`) and not the default: on a virtual machine of two cores, the first touch of
// 800 MB took 0.4 s without and 0.7 to 2.3 s with them, the system compacting memory, and hoarding 1.3 against 1.5 s.
//
// Invariants
//   [arena.1] for every page below window.pages, the index holds a span: `no_span` or a live one. Never null.
//   [arena.2] window.pages only grows, and everything that grow ever returned is in state ready.
//   [arena.3] memory of a packed arena does not go back before the arena is packed no more.
// Concurrency
//   start, grow and pack are called under the mheap's lock (start: once). Readers need none: `pages` is published after
//   the index entries it covers, and an entry is changed only by the owner of the page.
// Uses / used by
//   Uses os, units. Used by mheap (growth), mspan, remote and malloc (lookup).
#pragma once

#include "base.h"
#include "os.h"
#include "units.h"

#include <atomic>

namespace umber::alloc {

struct mspan;

// There is one, so its members are static: the fast paths address each by itself, without a pointer to the whole.
struct heap_window {
  static inline constinit std::uintptr_t base = 0;
  static inline constinit std::atomic<std::size_t> pages{0};
  static inline constinit std::atomic<mspan*>* index = nullptr;
  static inline constinit std::size_t capacity = 0;   // pages that the window has room for
  static inline constinit std::size_t committed = 0;  // one past the last page in state ready
  static inline constinit std::size_t indexed = 0;    // pages that the index has memory for

  // Finds a place for the window. False when there is no address space at all.
  [[nodiscard]] static bool start();
  // Makes the next `n` pages after the last known ones ready, as a run; empty when memory or the window is exhausted.
  [[nodiscard]] static page_run grow(page_count n, mspan* no_span);

  // Asks for huge pages for a run that was just grown. Only if the options and the system leave it to us.
  static void pack(page_run fresh);
  // Gives the memory of ranges in state ready back to the system, in whole machine pages; their arenas are packed no
  // more.
  static bool release(const os::range* ranges, std::size_t count);

  static std::uintptr_t address(page_id page) { return base + (page.value << page_shift); }
  // Meaningful below `pages` only; larger than any page for an address outside.
  static page_id page_of(std::uintptr_t address) { return {(address - base) >> page_shift}; }
  static bool contains(std::uintptr_t address) {
    // acquire: pairs with the release in grow; whoever sees the count sees the index entries below it.
    return page_of(address).value < pages.load(std::memory_order_acquire);
  }
  static mspan* span_of(page_id page) {
    // acquire: pairs with the release in set_span; whoever finds a span finds it initialised.
    return index[page.value].load(std::memory_order_acquire);
  }
  static void set_span(page_run run, mspan* span) {
    for (std::size_t i = run.first.value; i < run.end().value; ++i)
      index[i].store(span, std::memory_order_release);  // pairs with the acquire in span_of
  }

 private:
  static void settle(std::uintptr_t place, std::size_t bytes);
  static void unpack(os::range range);
  [[nodiscard]] static bool map(std::size_t first, std::size_t end);
  [[nodiscard]] static page_run find_room(page_count n);
};

inline constexpr heap_window window;

}  // namespace umber::alloc

// The one narrow door from the allocator to the collector above it.
//
// The managed heap stands on the allocator's spans, mcentrals and pages. The allocator knows nothing of collection but
// this: before it takes fresh pages for a span class of managed objects it asks whether a span can be swept instead,
// and it tells how much it took, so that the collector can pace itself. By default nobody is there.
//
// Invariants
//   [collector.1] the functions are set once, before the first managed heap exists, and never unset.
// Concurrency
//   `active` is set last, with release; who sees it late asks nobody, once.
// Uses / used by
//   Nothing below it. Used by processor's refill of scan classes; set by gc/.
#pragma once

#include "base.h"

#include <atomic>

namespace umber::alloc {

struct mspan;

struct collector_door {
  std::atomic<bool> active{false};
  // A swept span of the class with free slots, in flux, for the caller to own; or null.
  mspan* (*sweep_for)(std::uint8_t span_class) = nullptr;
  // `bytes` of fresh pages were taken for a span of managed objects.
  void (*grew)(std::size_t bytes) = nullptr;
};

inline constinit collector_door collector;

}  // namespace umber::alloc

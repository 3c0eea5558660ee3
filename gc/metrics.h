// The statistics of a managed heap as JSON, for whoever watches it.
//
// Where a figure means what one of Go's runtime/metrics means it has that name, unit and all, so that a dashboard made
// for Go reads it; what only this engine has begins with /umber. Durations in Go's names are seconds. A histogram is
// {"buckets":[bounds in seconds],"counts":[...]}, as Go's: counts[i] is of what lies between buckets[i] and the next,
// and beside these "count", "total" and "longest" (seconds).
//
// Nothing is allocated: the text goes to a buffer of the caller's, as with alloc/report.h.
//
// Invariants
//   [metrics.1] the length of the whole text is returned, whatever the capacity; at most `capacity` bytes are written,
//               of which the last is a zero (when capacity is not 0).
// Concurrency
//   A pure function of the statistics.
// Uses / used by
//   Uses text. Used by embed.
#pragma once

#include "alloc/base.h"

#include <umber/heap.h>

namespace umber::gc {

using namespace alloc;

std::size_t write_metrics(const heap_statistics& statistics, char* buffer, std::size_t capacity);

}  // namespace umber::gc

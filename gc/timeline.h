// `UMBER_TRACE=perfetto:FILE`: what the collector does and what mutators wait for, on a time line, in the Trace Event
// format (JSON) that ui.perfetto.dev and chrome://tracing open. "%p" in FILE stands for the number of the process.
// Times are in 1024ths of a microsecond: viewers calculate with doubles, in which thousandths would make neighbours
// overlap.
//
//   a track for each thread, under its name:
//     cycle > barrier on, settle, scan, mark, weak, finish, sweep > ask ...   the collector's thread: the cycle, its
//                                                           phases, and in them each round of handshakes
//     help                                                  other marking threads, once a cycle
//     handshake, assist, sweep, barrier, wait               mutators: exactly what their stalls count (stalls.h)
//   a counter for each of live, goal and heap, in bytes, of each heap
//
// A thread writes into a ring of its own, and a thread of the collector carries what is there to the file: when a
// cycle ends, and within one when some ring is half full. What finds its ring full is dropped, and how much that was is
// shown on its track. An event is recorded when it is over, with both its times: so whatever is lost, and wherever the
// file ends because its process died, what is there nests. The final bracket, which the format does not insist on, is
// written by exit().
//
// Recording costs some 10 ns, where the time was taken anyway; off, one load in places that are slow.
//
// Invariants
//   [timeline.1] of a thread that records, all events whose ring had room are in the file when the process has gone
//                through exit().
//   [timeline.2] the file consists of whole events at any time.
// Concurrency
//   enter, leave and the recording functions: any thread, without a lock. open, flush: any, with a lock of rank
//   timeline.
// Uses / used by
//   Uses output, metadata, os, sync. Used by mutator, handshake, trace, driver, attach, embed.
#pragma once

#include "alloc/base.h"

namespace umber::gc {

using namespace alloc;

namespace timeline {

namespace detail {
inline constinit std::atomic<bool> on{false};
inline constinit std::atomic<bool> flush_wanted{false};
void record(const char* name, std::uint64_t begin, std::uint64_t end, const char* value_name, std::uint64_t value);
void count(const char* name, std::uint64_t value);
void flush_now();
}  // namespace detail

// Begins the file of this process, once. On failure says so in a line, and stays off.
void open(const char* path, std::size_t length);
inline bool is_on() { return detail::on.load(std::memory_order_relaxed); }  // relaxed: a few events more or less

// The calling thread, of the heap with this number, records from here on, under the name that it has now; or ends doing
// so. They nest.
void enter(std::uint64_t heap);
void leave();

// Something that took from `begin` to `end` (os::now). Names are literals; a value is shown if it has one.
inline void span(const char* name, std::uint64_t begin, std::uint64_t end, const char* value_name = nullptr,
                 std::uint64_t value = 0) {
  if (UMBER_UNLIKELY(is_on())) detail::record(name, begin, end, value_name, value);
}
// What a figure of the heap is now.
inline void counter(const char* name, std::uint64_t value) {
  if (UMBER_UNLIKELY(is_on())) detail::count(name, value);
}

// Carries everything to the file; or if some ring is half full.
inline void flush() {
  if (UMBER_UNLIKELY(is_on())) detail::flush_now();
}
inline void flush_if_wanted() {
  // relaxed: sooner or later.
  if (UMBER_UNLIKELY(detail::flush_wanted.load(std::memory_order_relaxed))) flush();
}

// The child of a fork leaves the file to its parent.
void forget_in_child();

}  // namespace timeline

}  // namespace umber::gc

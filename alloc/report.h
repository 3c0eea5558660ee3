// The statistics in words: a table for people, JSON for programs, XML for `malloc_info`.
//
// Whoever asks may be inside a program that is out of memory, in its last destructor, or measuring the very heap it
// asks about, so nothing here allocates, locks or uses stdio: text is composed in a buffer of the caller's, as snprintf
// would, and the three forms are one walk over the same list of named figures, so that none of them can forget one.
//
// Invariants
//   [report.1] a writer returns the length of the whole text, without its final zero, whatever the capacity; it
//              writes at most `capacity` bytes and always ends them with a zero (when capacity is not 0).
// Concurrency
//   Pure functions of the statistics they are given; print_report asks collect_stats.
// Uses / used by
//   Uses stats and options (for the name of the form). Used by startup, override and api.
#pragma once

#include "base.h"
#include "options.h"
#include "stats.h"

namespace umber::alloc {

std::size_t write_table(const heap_stats& stats, char* buffer, std::size_t capacity);
std::size_t write_json(const heap_stats& stats, char* buffer, std::size_t capacity);
std::size_t write_xml(const heap_stats& stats, char* buffer, std::size_t capacity);

// Bytes that hold any of the three texts.
inline constexpr std::size_t report_capacity = 16 * kib;

// The statistics of this moment written to a file descriptor, in the form asked for; nothing for `off`.
void print_report(stats_at_exit form, int file);

}  // namespace umber::alloc

// What the environment says about managed heaps, read once, when the process makes its first.
//
//   UMBER_GC=off|PERCENT          the option `percent` of heaps that do not choose one themselves
//   UMBER_MEMORY_LIMIT=SIZE       their `limit`; without it that of the control group, if there is one
//   UMBER_GC_CHECK=marks,barriers,handles    turns checks on (heap.h), whatever the program chooses
//   UMBER_TRACE=gc,pacer          a line on stderr for each cycle (trace.h), and one for what the pacer thinks
//   UMBER_TRACE=perfetto:FILE     a time line (timeline.h); the words of UMBER_TRACE are separated by commas
//
// The environment is the default, and what the program chooses wins, as in Go: a program that sets a number has a
// reason, and who runs one that does not knows the machine. What is not understood is said in one line, and ignored.
//
// Invariants
//   None.
// Concurrency
//   Any thread; constant once read.
// Uses / used by
//   Uses options, os. Used by trace, embed.
#pragma once

#include "alloc/base.h"

#include <umber/heap.h>

namespace umber::gc {

using namespace alloc;

struct settings {
  std::size_t percent = 100;
  std::size_t limit = heap_options::off;
  bool check_marks = false;
  bool check_barriers = false;
  bool track_handles = false;
  bool trace_cycles = false;
  bool trace_pacer = false;
  const char* timeline = nullptr;  // the file of the time line, in the environment
  std::size_t timeline_length = 0;
};

// Of this process.
const settings& current_settings();
// Parses over `into`; each text may be null. Reports on stderr what it does not understand. Separate for tests.
void parse_settings(const char* gc, const char* checks, const char* trace, settings& into);

// What a heap does that is made with these options.
[[nodiscard]] heap_options with_environment(const heap_options& chosen);

}  // namespace umber::gc

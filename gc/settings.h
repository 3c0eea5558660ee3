// What the environment says about managed heaps, read once, when the process makes its first.
//
// UMBER_GC is a list of options for heaps whose program does not choose them; UMBER_GC_CHECK turns checks on, whatever
// the program chooses. Their words stand in the table of heap.h, which is the only one. UMBER_TRACE:
//
//   UMBER_TRACE=gc,pacer          a line on stderr for each cycle (trace.h), and one for what the pacer thinks
//   UMBER_TRACE=perfetto:FILE     a time line (timeline.h); the words of UMBER_TRACE are separated by commas
//
// The environment is the default, and what the program chooses wins, as in Go: a program that sets a number has a
// reason, and who runs one that does not knows the machine. What is not understood is said in one line, which names the
// variable, the value and what is allowed there, and ignored.
//
// Where several say the same, the more particular wins: UMBER_GC=limit= before UMBER_OPTIONS=limit= before
// UMBER_MEMORY_LIMIT= before the control group.
//
// Invariants
//   None.
// Concurrency
//   Any thread; constant once read.
// Uses / used by
//   Uses options, os. Used by trace, driver, embed.
#pragma once

#include "alloc/base.h"

#include <umber/heap.h>

namespace umber::gc {

using namespace alloc;

struct settings {
  std::size_t percent = 100;
  std::size_t minimum = 4 * mib;
  std::size_t limit = heap_options::off;
  std::size_t hard_limit = heap_options::off;
  unsigned workers = 0;  // 0: a quarter of the processors
  umber::barrier kind = umber::barrier::hybrid;
  bool attach_threads = false;
  unsigned torture = 0;
  std::size_t idle_ms = 120'000;
  std::size_t watchdog_ms = 100;
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

// What a heap does that is made with these options: nothing in it is left to the environment, but `attach_threads`,
// which is the program's (the environment's is for the first heap alone), and 0 workers, the default.
[[nodiscard]] heap_options with_environment(const heap_options& chosen);

}  // namespace umber::gc

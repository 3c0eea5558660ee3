// What the environment asks for: `UMBER_OPTIONS=key=value,...` and `UMBER_MEMORY_LIMIT=512MiB`, read once at start-up.
//
// Keys: `stats=exit|json` prints statistics on stderr at exit; `decay_ms=N` time after which free memory goes back to
// the system (0: at once, -1: never); `thp=system|never|dense|always`; `limit=SIZE` the soft memory limit;
// `scavenger=on|off` the background thread. Unknown keys and values are reported in one line that lists the valid ones,
// and the program runs: an allocator has no business to stop a program over a setting that it does not know yet or any
// more.
//
// `UMBER_PROFILE=FILE[,every=512KiB]` samples allocations, and writes a profile to FILE at exit (profile_file.h).
//
// Where both are given, `UMBER_OPTIONS=limit=` wins over `UMBER_MEMORY_LIMIT`, being the more particular.
//
// Invariants
//   None.
// Concurrency
//   Read once, before the process has a second thread; constant afterwards.
// Uses / used by
//   Uses check (for its message line). Used by mheap, scavenger, report, profile_file and
//   startup (statistics at exit).
#pragma once

#include "base.h"
#include "check.h"

#include <string_view>

namespace umber::alloc {

enum class stats_at_exit : std::uint8_t { off, text, json };
// `system`: huge pages as the system has them by default; `dense`: asked for where the heap is packed (arena.h).
enum class thp_policy : std::uint8_t { system, never, dense, always };

struct options {
  std::int64_t decay_ms = 1000;
  std::size_t memory_limit = SIZE_MAX;
  stats_at_exit stats = stats_at_exit::off;
  thp_policy thp = thp_policy::system;
  bool scavenger = true;
  const char* profile = nullptr;  // the file, in the environment; null: none
  std::size_t profile_length = 0;
  std::size_t profile_every = 512 * kib;
};

// The options in force. Constant-initialised to the defaults until `read_options` has run.
const options& current_options();
// Parses the environment the first time it is called, by the library's constructor or the first slow path.
// `environment` is what a constructor or main receives as its third argument; null means the C library's `environ`, and
// as long as that too is null the options stay the defaults and the next call tries again.
void read_options(char** environment = nullptr);
// Parses one option string over `into`; reports what it does not know on stderr. Separate for tests.
void parse_options(const char* text, options& into);
// The same for what UMBER_PROFILE says.
void parse_profile(const char* text, options& into);
// For parsers of lists. What follows `separator` in `text`, which is cut to what stands before it; both empty at the
// end. A number in decimal, false when it is none, or too large.
std::string_view split_off(std::string_view& text, char separator);
bool parse_number(std::string_view text, std::size_t& number);
void append_quoted(message& line, std::string_view text);  // its first 63 characters
// "512MiB", "2g", "1048576" -> bytes; false when it is none.
bool parse_size(const char* text, std::size_t length, std::size_t& bytes);

}  // namespace umber::alloc

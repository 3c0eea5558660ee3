// How the engine stops: one line on stderr, then abort. Nothing here allocates, locks or returns.
//
// Two kinds of wrong are told apart. *Misuse* is the program's: it freed what was not allocated, or twice. It is
// caught in every build, and the line names the call, the address and what is known of it:
//     umber: free(): 0x7f12 was already freed (48-byte object)
// A *broken invariant* is ours; `UMBER_DCHECK` tests those in debug builds and sanitizer builds and costs nothing
// in a release.
//
// Invariants
//   None.
// Concurrency
//   Callable from any thread in any state, locks held or not: the line is composed on the stack and written with
//   one write(2), so lines of two threads do not mix.
// Uses / used by
//   Uses base. Used by every file above it.
#pragma once

#include "base.h"

namespace umber::alloc {

// A line under construction: text and numbers appended to a fixed buffer, cut silently at its end.
class message {
 public:
  message& operator<<(const char* text);
  message& operator<<(const void* address);
  message& operator<<(std::size_t number);
  // Writes the line to stderr, with a newline, in one write(2).
  void print();

 private:
  char text_[512];
  std::size_t length_ = 0;
};

// Prints "umber: " call "(): " and the rest, and aborts.
[[noreturn]] UMBER_SLOW void die(message& line);
[[noreturn]] UMBER_SLOW void die_misuse(const char* call, const char* what);
[[noreturn]] UMBER_SLOW void die_misuse(const char* call, const void* p, const char* what, std::size_t object_size = 0);
[[noreturn]] UMBER_SLOW void die_broken(const char* condition, const char* file, int line);

}  // namespace umber::alloc

#ifdef NDEBUG
#define UMBER_DCHECK(condition) static_cast<void>(0)
#else
#define UMBER_DCHECK(condition) \
  (UMBER_LIKELY(condition) ? static_cast<void>(0) : ::umber::alloc::die_broken(#condition, __FILE__, __LINE__))
#endif

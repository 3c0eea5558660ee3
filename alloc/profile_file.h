// The profile of allocations in a file that `go tool pprof`, and what else reads its format, opens.
//
//   UMBER_PROFILE=FILE[,every=512KiB]     sampled from the start, written when the process exits
//   <umber/profile.h>                     started, stopped and written by the program
//
// Four values a sample, as in Go's heap profile: objects and bytes, allocated so far and in use now, for all that the
// samples stand for. Labels: `heap` (malloc or managed), `bytes` (of an object), `type` (of managed ones).
//
// Symbols: functions have their names in the file, from the symbol tables of the binaries, and it says so. Without
// that `go tool pprof` looks for them itself, and of C++ finds lines without names (Go 1.23). Who has the binaries and
// the pprof of github.com/google/pprof gets lines and inlined functions by -symbolize=force. The engine's own functions
// are not on the stacks if they lie in a library; if they are linked into the program, `drop_frames` tells pprof which
// to drop.
//
// The file is written under another name, and renamed when it is whole. "%p" in FILE stands for the number of the
// process; without it, a child of fork writes none at its exit. Where umber is in a process twice (libumber_malloc and
// libumber) the second writes FILE.2: pprof adds up as many files as it is given.
//
// Invariants
//   [profile_file.1] a file of the name is whole, or as it was before.
//   [profile_file.2] the values of a site are its counts divided by the probability of a sample.
// Concurrency
//   Any thread; one at a time writes, with a lock of rank profile_file.
// Uses / used by
//   Uses profile, pprof, os_code, options. Used by startup, fork, api.
#pragma once

#include "base.h"
#include "options.h"

namespace umber::alloc::profile {

// As UMBER_PROFILE says.
void begin_as_told(const options& told);
// Writes what it said to, at the exit of the process.
void finish_as_told();

// Writes a profile; "%p" in the name as above. 0, or an errno.
[[nodiscard]] int write_file(const char* name, std::size_t length);

// The child of a fork.
void leave_file_to_parent();
void lock_file_for_fork();
void unlock_file_after_fork();
void reset_file_in_child();

}  // namespace umber::alloc::profile

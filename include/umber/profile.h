// The profile of allocations: which stacks allocate, and hold, how many objects and bytes, from samples of malloc's
// blocks and of managed objects. `go tool pprof` shows it.
//
// A program needs none of this: UMBER_PROFILE=FILE[,every=512KiB] in the environment samples from the start, and writes
// the file at exit. Here is what else one may want: a part of a run, or the state at a given moment. Any thread.
#pragma once

#include <umber/umber_c.h>

#include <cstddef>

namespace umber::profile {

// Begins to sample about one allocation every so many bytes; 1: all. False, with errno: it is on already, or every ==
// 0.
inline bool start(std::size_t every = 512 * 1024) noexcept { return umber_profile_start(every) == 0; }
// No more samples; frees of those that there are still count.
inline void stop() noexcept { umber_profile_stop(); }
// Writes what is known, a gzipped profile.proto, and replaces the file when it is whole; "%p" in the name is the number
// of the process. Managed objects count as in use until a collection finds them dead. False, with errno: it failed.
inline bool write(const char* file) noexcept { return umber_profile_write(file) == 0; }

}  // namespace umber::profile

// What happens to a process because this heap is in it: before main, around fork, and at exit.
//
// Allocation itself needs none of this: the heap is constant-initialised, and the first malloc comes long before any
// constructor, from the dynamic linker. What remains is read here: the environment, the handlers that carry the heap
// through a fork, and the report at exit.
//
// The fork handlers are registered by the first constructor that runs in the process, because handlers run before a
// fork in the reverse order of their registration: being first, ours is the last to run before the fork and the first
// after it, and the handlers of every other library may allocate. The replacement is linked with `-z initfirst` for it;
// that is before the C library has set `environ`, hence the environment comes as the constructor's argument.
//
// Invariants
//   [startup.1] the fork handlers are registered once, however many threads call `start_up`.
// Concurrency
//   `start_up` may be called from any thread, any number of times.
// Uses / used by
//   Uses options, report, profile_file, malloc (the limit), fork. Used by override and api, whose mention of `start_up`
//   also makes a static link keep it.
#pragma once

#include "base.h"

namespace umber::alloc {

// Idempotent. `environment` as for read_options.
void start_up(char** environment = nullptr);

}  // namespace umber::alloc

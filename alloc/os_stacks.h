// Where a thread is: the calls that it is in, for the profile of allocations.
//
// The stack is walked by the C library, from the tables that exceptions use, so it needs neither frame pointers nor
// symbols. The first walk loads the library that does it, which allocates and takes the loader's lock: so there is a
// call that gets it over with. It must not be made before the C library has started, as it has not when the constructor
// of a library runs that is initialised first: the loader would then start it, and without an environment.
//
// Invariants
//   [os_stacks.1] a stack begins with the call into the library that this code is in. Where that is the program itself
//                 it begins with the call of `call_stack`.
// Concurrency
//   Any thread.
// Uses / used by
//   Uses base. Used by profile. The Linux side is os_stacks_linux.cc.
#pragma once

#include "base.h"

namespace umber::alloc::os {

// Loads what walks stacks, once, as soon as that may be done.
void prepare_stacks();
// The addresses of the calls that the thread is in, innermost first, at most `most` of them; how many. None before
// `prepare_stacks` has been able to do its work.
[[nodiscard]] std::size_t call_stack(std::uintptr_t* calls, std::size_t most);

}  // namespace umber::alloc::os

// The words every floor uses.
//
// Invariants
//   [base.1] `small` is positive.
// Concurrency
//   Constants.
// Uses / used by
//   Uses nothing. Used by all.
#pragma once

#include <cstddef>

namespace umber::alloc {

constexpr std::size_t small = 1;
static_assert(small > 0);  // [base.1]

#if defined(__x86_64__)
constexpr bool strong_memory = true;
#else
constexpr bool strong_memory = false;
#endif

}  // namespace umber::alloc

// The words every floor uses.
//
// Invariants
//   None.
// Concurrency
//   Constants.
// Uses / used by
//   Uses nothing. Used by all.
#pragma once

#include <cstddef>

namespace umber::alloc {

constexpr std::size_t small = 1;


}  // namespace umber::alloc

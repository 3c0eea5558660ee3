// Where slots come from when none are at hand: the slow half of every make.
//
//   allocate_slow(type)
//     a safepoint: the collector's question is answered
//     the next word of the span that is held
//     another span
//       one with free slots that was swept
//       one that is swept now (four are tried: with 16 this was the longest stall)
//       a fresh one, from the page heap
//       none: a whole collection, and all that again; then as often as the program says that it has made room
//     what was given is paid for (assist.h), and may be what starts a cycle
//
// Invariants
//   [refill.1] a mutator has answered every question before it takes a span.
// Concurrency
//   The mutator's own thread.
// Uses / used by
//   Uses handshake, sweep, assist. Used by embed.
#pragma once

#include "managed_heap.h"

namespace umber::gc {

// Zeroed memory for an object of a type; null: no memory.
[[nodiscard]] void* allocate_object(mutator& m, const type_layout& layout);
// The same for an array of `count` elements, its header written.
[[nodiscard]] void* allocate_array(mutator& m, const type_layout& element, std::size_t count, std::size_t header_bytes);

}  // namespace umber::gc

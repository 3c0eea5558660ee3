// Looking inside spans: free slots that cover whole pages of the machine give these pages back.
//
// One survivor pins its span, but not the span's memory. Because a free slot holds nothing, not even a link, a run of
// free slots can be given to the system and stays allocatable: the next use of such a slot finds zeroes. This is what
// keeps a heap small in which one object of five hundred lives on (hoarding).
//
// Only spans in an mcentral are looked at: nobody allocates from them while the mcentral's lock is held. A span is
// looked at again when more of it has become free.
//
// Invariants
//   [trim.1] a page is given back only if every slot that overlaps it is free.
// Concurrency
//   Any thread; takes one mcentral's lock at a time.
// Uses / used by
//   Uses mcentral, os. Used by scavenger.
#pragma once

#include "mspan.h"

namespace umber::alloc {

// Gives back the free whole pages inside one span whose free bits are the caller's; bytes.
std::size_t trim_span(mspan& s);

// All spans of all mcentrals, until `most_cpu_ns` of this thread's time are used; bytes.
std::size_t trim_centrals(std::uint64_t most_cpu_ns);

}  // namespace umber::alloc

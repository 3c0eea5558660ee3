// Looking inside spans: free slots that cover whole pages of the machine give these pages back.
//
// One survivor pins its span, but not the span's memory. Because a free slot holds nothing, not even a link, a run of
// free slots can be given to the system and stays allocatable: the next use of such a slot finds zeroes. This is what
// keeps a heap small in which one object of five hundred lives on (hoarding).
//
// Only spans in an mcentral are looked at: nobody allocates from them while the mcentral's lock is held. A span is
// looked at once for each time it is listed, and again when more of it has become free.
//
// It happens in the background, and whenever the heap grows: a page of growth is paid for with a page given back, as
// long as there is one, so a heap whose live size stands still does not grow by fragmentation.
//
// Invariants
//   [trim.1] a page is given back only if every slot that overlaps it is free.
// Concurrency
//   Any thread; takes one mcentral's lock at a time.
// Uses / used by
//   Uses mcentral, os. Used by processor, scavenger.
#pragma once

#include "mspan.h"

namespace umber::alloc {

// Gives back the free whole pages inside one span whose free bits are the caller's; bytes.
std::size_t trim_span(mspan& s);

// The spans of all mcentrals, until `most_bytes` are given back or none is left; bytes.
std::size_t trim_centrals(std::size_t most_bytes);

}  // namespace umber::alloc

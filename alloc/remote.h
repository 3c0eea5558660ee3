// Freeing what another processor owns: bits, gathered and sent in batches.
//
// A thread that frees a slot of somebody else's span may not touch the span's free bits. It notes the slot's bit in a
// small table of its own, keyed by the word of the span's `remote` bits. A second slot of the same word costs one
// `or`; when the place is wanted for another word, the gathered bits are sent with one atomic fetch_or: up to 64 frees
// a message, no memory for messages, and a double free is seen at the latest when a bit arrives that is set already.
//
// The sender then looks at who owns the span, so that nothing waits for a thread that never looks:
//   P|at_home    full when P left it: once an eighth of it is free it is taken to its mcentral, for anybody, and if
//                all of it is free its pages are freed
//   in_central   collected under the lock; freed if that was the rest
//   P            P is told through its inbox, which it reads whenever it refills, and which the scavenger reads for a
//                processor that nobody holds
//
// What a table holds back is bounded: 64 KiB of blocks; it is emptied when its thread exits or asks for more memory.
//
// (The first plan was messages of block addresses to the owner, as in snmalloc. For a batch of 1000 blocks of 64 B
// they cost a store and a load of each block's address and a cache miss on each block or a buffer; bits cost neither.)
//
// Invariants
//   [remote.1] a bit is in at most one table: a slot that is freed twice is reported.
//   [remote.2] after send, either the span is collected by its owner later, or the sender has done what is due.
// Concurrency
//   A `remote_frees` belongs to its processor. `send` and `span_home::notify` may be called from any thread.
// Uses / used by
//   Uses mcentral, mheap. Used by processor and malloc.
#pragma once

#include "mcentral.h"
#include "mheap.h"

namespace umber::alloc {

// A processor as other threads see it: a place where spans that need its attention are left.
struct span_home {
  alignas(cache_line) std::atomic<mspan*> inbox{nullptr};

  // Leaves `s` for the owner. Any thread; a span is in an inbox at most once.
  void notify(mspan* s);
  // The spans left so far, linked by inbox_next.
  mspan* take_inbox();
};

// Delivers the frees of slots `bits` of word `w`.
void send(mspan* s, std::size_t w, std::uint64_t bits);

class remote_frees {
 public:
  // Notes that slot `slot` of `s` was freed.
  void add(mspan* s, slot_id slot) {
    std::atomic<std::uint64_t>* word = &s->remote[slot.word()];
    place& here = places_[hash(word)];
    if (UMBER_UNLIKELY(here.word != word)) {
      if (here.word != nullptr) send_from(here);
      here.word = word;
      here.bits = 0;
    }
    if (UMBER_UNLIKELY((here.bits & slot.bit()) != 0)) die_double_free(*s, slot);  // [remote.1]
    here.bits |= slot.bit();
    bytes_ += s->slot_size;
    if (UMBER_UNLIKELY(bytes_ > most_bytes)) send_all();
  }
  void send_all();
  bool empty() const { return bytes_ == 0; }

 private:
  static constexpr std::size_t places = 64;
  static constexpr std::size_t most_bytes = 64 * kib;

  struct place {
    std::atomic<std::uint64_t>* word = nullptr;
    std::uint64_t bits = 0;
  };
  // Words of a span lie side by side, spans 256 bytes apart.
  static std::size_t hash(const void* word) {
    const std::uintptr_t a = address_of(word);
    return ((a >> 3) & 7) | (((a >> 8) & 7) << 3);
  }
  void send_from(place& from);

  place places_[places];
  std::size_t bytes_ = 0;
};

}  // namespace umber::alloc

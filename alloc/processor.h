// A processor: the right to allocate without asking anybody, held by one thread at a time.
//
// It owns, for each span class, the span from which slots come (in its mcache) and the spans with free slots that wait
// for their turn (`available`); a stock of pages and mspans; and the table of frees that belong to others.
//
// A span's life at a processor:
//   refill installs it in the mcache; when it is full it waits among `available` for frees; if there are none by the
//   time it is looked at again it is left (`P|at_home`, see mspan.h); the first free of the processor's thread adopts
//   it into `available`; when the last of its slots is freed it goes back to the mheap, or is retained, up to a bound,
//   because the next phase of the program will want it.
//
// A thread that falls asleep for long loses its processor (retake.h). Until then, and where that does not work, what it
// can withhold is bounded: spans with free slots beyond 32 MiB go to their mcentrals at once, where anybody can use,
// trim and free them. Who holds which processor is said in processors.h.
//
// Invariants
//   [processor.1] a span whose owner is P is P's current span of its class or in available[its class].
//   [processor.2] retained_bytes is the size of the wholly free spans in available, available_bytes that of all in it.
// Concurrency
//   Everything but the inbox belongs to the thread that holds the processor.
// Uses / used by
//   Uses mcache, mcentral, mheap, remote. Used by malloc, scavenger, private_heap, fork.
#pragma once

#include "mcache.h"
#include "mheap.h"
#include "remote.h"
#include "sampler.h"
#include "span_set.h"
#include "sync.h"

namespace umber::alloc {

struct thread_state;

// Written by one thread, read by others as a hint: like a plain variable, but no data race.
template <class T>
class relaxed {
 public:
  constexpr relaxed(T value) : value_(value) {}                                // NOLINT: converts on purpose
  operator T() const { return value_.load(std::memory_order_relaxed); }        // relaxed: a hint
  void operator=(T value) { value_.store(value, std::memory_order_relaxed); }  // relaxed: a hint

 private:
  std::atomic<T> value_;
};

struct processor : span_home {
  mcache cache;
  sampler::stream chance;
  std::uint8_t sample_due[span_class_count] = {};  // the session whose next sample is the next slot; 0: none
  remote_frees remote;
  span_list available[span_class_count];
  span_stock stock;
  std::size_t retained_bytes = 0;
  std::size_t available_bytes = 0;
  std::size_t next_to_hand_over = 0;  // where the bound on these bytes is enforced next
  std::uint32_t seen_pressure = 0;
  std::uint64_t used_classes[3] = {};  // classes refilled since the pressure was last seen
  std::uint64_t used_classes_before[3] = {};
  relaxed<bool> inside{false};  // in a slow path: its lists may be half changed (for fork and retake)
  bool is_private = false;      // it serves one private heap
  bool held = false;            // by a thread; this and the next three are guarded by the idle list's lock
  thread_state* holder = nullptr;
  std::uint32_t holder_id = 0;      // of the system
  std::uint64_t seen_switches = 0;  // of the holder, when retake last looked
  bool moving = false;              // on its way into the idle list: being flushed
  bool disturbed = false;           // its thread vanished in a fork: countdowns may be off by one
  mspan* heap_spans = nullptr;      // private: all spans of the heap, linked by heap_next
  processor* next = nullptr;        // in the idle list
  processor* next_of_all = nullptr;
  std::uint64_t idle_since = 0;

  // A slot of class c, the slow way: looks for free slots everywhere. Null when there is no memory.
  [[nodiscard]] void* allocate(span_class c, bool& zeroed);
  // What is due when a span's countdown has come to zero.
  void span_emptied(mspan* s);
  // Takes a span that this processor left when it was full; false if somebody else was faster.
  bool adopt(mspan* s);
  // Leaves a span of ours that is full, for others to free into; false: it is not full any more, and stays ours.
  bool leave_full(mspan* s);
  // Reads the inbox; hands over what is not used when the heap grows.
  void attend();
  // Reads the remote bits of every span that is ours: dies if a slot was freed both here and by another thread.
  void check_frees();
  // A private heap's: lists all spans that it has, large ones too.
  void own_privately(mspan* s);
  void disown_privately(mspan* s);
  // Lets go of all spans without looking at them, because their pages are about to be freed.
  void forget_spans();
  // Gives everything back: spans to their mcentrals or the mheap, pages, frees of others' slots.
  void flush();

  bool owns(const mspan* s) const {
    // relaxed: if it is ours nobody else changes it; if not, any other value will do.
    return peek(s->owner) == address_of(this);
  }

 private:
  bool refill(span_class c);
  mspan* find_span(span_class c);
  mspan* find_last_resort(span_class c);
  mspan* take_available(span_class c, std::size_t enough);
  void keep(mspan* s);
  mspan* take_kept(span_class c);
  void bound_available(const mspan* newest);
  void unretain(mspan* s);
  void attend_to(mspan* s);
  void give_to_central(mspan* s);
  void release(mspan* s);
  void retire(mspan* s);
  void hand_over_unused();
  void hand_over(span_class c);
};

// The processor of a thread that holds none: its mcache is always empty.
extern processor no_processor;

}  // namespace umber::alloc

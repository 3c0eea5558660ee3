// Which heap a thread uses: the mutator of the calling thread, made and taken away.
//
// The child of a fork has neither the collector's threads nor the other mutators, and locks may be held for ever. It
// may read and write objects, call malloc and exec; handles end quietly; what needs a collector says so and ends it.
//
// Invariants
//   [attach.1] a thread is attached to one heap at a time; while it is a guest of another one, the first does not wait
//              for it.
// Concurrency
//   The calling thread.
// Uses / used by
//   Uses handshake, metadata. Used by finalizer_thread, embed.
#pragma once

#include "destroying.h"
#include "managed_heap.h"

namespace umber::gc {

// The calling thread's; null: it is not attached.
inline mutator* attached() {
  detail::mutator_state* const m = detail::current_mutator;
  return m->free_local == 0 ? nullptr : static_cast<mutator*>(m);
}
// Attaches the thread if there is a heap that attaches threads by itself.
mutator& attached_or_die(const char* call, const char* otherwise =
                                               "needs a thread that is attached: make an "
                                               "umber::mutator first");

// `of_heap`: the thread is one of the heap's own. Null: no memory.
[[nodiscard]] mutator* attach(managed_heap& h, bool of_heap = false);
void detach(mutator& m);

// From now on threads that need a mutator are attached to h, until they end. False: no memory. There is one such heap:
// a second one is misuse if its program insists, and goes without if only the environment asks.
[[nodiscard]] bool attach_by_itself(managed_heap& h, bool insists);
// The end of that, if h is it; the calling thread is detached.
void end_attaching(managed_heap& h);

// Attaches the thread, whatever it is attached to, to a heap that is being destroyed.
class guest {
 public:
  explicit guest(managed_heap& h);
  ~guest();
  guest(const guest&) = delete;
  guest& operator=(const guest&) = delete;
  mutator* operator->() const { return guest_; }
  mutator& operator*() const { return *guest_; }
  bool possible() const { return guest_ != nullptr; }  // there was memory

 private:
  mutator* before_;
  mutator* guest_;
};

// Has the child of a fork know that it is one. False: no memory.
[[nodiscard]] bool watch_forks();
bool is_forked();
[[noreturn]] void die_forked(const char* call);

}  // namespace umber::gc

// The collector's question to each mutator, one at a time: all the synchronisation that a cycle has.
//
// `ask_all` puts the question to every mutator, and looks until each has answered. A mutator answers at its next
// safepoint, without a call of the system. One that is in a `blocking` region touches nothing that an answer needs, so
// the asker answers for it; when it wants to leave while that goes on, it waits. Which of the two answers is decided by
// one word:
//
//     running --enter--> blocked --asker--> answered_for
//        ^                  |  ^                |
//        \------leave-------/  \----------------/
//
//     asker            question = q;   then looks whether `blocked`
//     enter_blocking   state = blocked; then looks whether there is a question
//
// (litmus: block. A Dekker pair: all seq_cst; at least one of the two sees the other, and the exchange of `state` lets
// one win. Were both stores still on their way when the other looked, the asker would wait for somebody who sleeps.)
//
//     stop_world       parked = 1;        then asks, and looks whether running
//     leave_blocking   state = running;   then looks whether `parked`
//
// (litmus: stop. The same; else one would run in the stopped world.)
//
// A question carries what the collector did before, an answer what the mutator did (litmus: answer); so does an answer
// that the collector gives, both ways (litmus: answered_for). The values behind have no atomics of their own.
//
// What each answer does is one case of `give_answer`.
//
// In a heap that is tortured each safepoint is a handshake. The word `question` of its mutators says `poll` where it
// would say `none`, so that every poll comes here: it answers what it is asked, and then `flush` and `park` as if it
// had been asked those, too. So what the barrier has recorded is handed over at each safepoint, and at each the mutator
// can be answered for and be held back. Nobody else notices: to flush is always allowed, and to be blocked as well.
//
// The historical collectors and the verifier stop the world: `park` is a question like the others, whose answer is to
// be blocked until the world starts again. While it is stopped the collector answers all further questions itself.
//
// Invariants
//   [handshake.1] when ask_all returns, every mutator has done what the question asks, since it was asked.
//   [handshake.2] a mutator that attaches meanwhile is as if it had answered; one that detaches answers first.
//   [handshake.3] while `parked` is set and stop_world has returned, every mutator is blocked, and
//                 none attaches.
// Concurrency
//   ask_all, stop_world, start_world: the collector's thread only. The others: the mutator's own thread.
// Uses / used by
//   Uses managed_heap. Used by refill, weak, cycle, embed.
#pragma once

#include "managed_heap.h"

namespace umber::gc {

void ask_all(managed_heap& h, question q);
// Answers the pending question, if there is one, and counts how long that took.
void answer_pending(mutator& m);

// No mutator runs between the two.
void stop_world(managed_heap& h);
void start_world(managed_heap& h);

// The proof that no mutator runs. Stops the world, unless it is stopped already.
class stopped_world {
 public:
  explicit stopped_world(managed_heap& h);
  ~stopped_world();
  stopped_world(const stopped_world&) = delete;
  stopped_world& operator=(const stopped_world&) = delete;

  managed_heap& heap;

 private:
  bool stopped_here_;
};

void enter_blocking(mutator& m);
void leave_blocking(mutator& m);

// Links a mutator that has no handles and no spans into the heap's list; takes it out.
void join(managed_heap& h, mutator& m);
void leave(mutator& m);

}  // namespace umber::gc

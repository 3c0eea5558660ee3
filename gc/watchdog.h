// Who is to blame when a mutator keeps the collector waiting: the mutator, or a machine with too much to do.
//
// Two things do not end by themselves, and both are the program's: a loop without a safepoint, and waiting outside of a
// `blocking` region. Time on the wall knows neither: on a loaded machine, in a debugger or behind a stopped terminal a
// thread may not run for seconds, and is innocent. So the collector looks at a mutator that does not answer every 20
// ms:
//
//   computes   it has used 100 ms of processor time since it was first looked at in this round
//   waits      it was found asleep in a system call at every look for 100 ms, and has not run in between
//
// A thread that is ready to run and does not get a processor, is stopped, or waits for a page is neither. A thread that
// is woken now and then and sleeps again has to be asleep through 100 ms once; one that is at a safepoint by then is
// not looked at. How it is told apart costs the mutators nothing.
//
// Invariants
//   [watchdog.1] a thread is blamed only for what it did since the round began.
// Concurrency
//   The thread that asks.
// Uses / used by
//   Uses base. Used by mutator, handshake.
#pragma once

#include "alloc/base.h"

namespace umber::gc {

enum class blame : std::uint8_t { none, computes, waits };

// What is known of a thread at one moment.
struct thread_look {
  std::uint64_t round = 0;     // of handshakes: when the question was asked
  std::uint64_t now = 0;       // ns, as the next
  std::uint64_t cpu_ns = 0;    // that the thread has used
  bool sleeps = false;         // in a system call
  std::uint64_t switches = 0;  // how often it was switched out
};

class watched_thread {
 public:
  // `patience_ns`: how long a thread may keep the collector waiting; heap_options::watchdog_ms.
  blame look(const thread_look& at, std::uint64_t patience_ns = 100'000'000) {
    if (at.round != first_.round) {
      first_ = asleep_ = at;
      return blame::none;
    }
    if (!at.sleeps || !asleep_.sleeps || at.switches != asleep_.switches) asleep_ = at;
    if (at.cpu_ns > first_.cpu_ns && at.cpu_ns - first_.cpu_ns >= patience_ns) return blame::computes;
    return at.sleeps && at.now - asleep_.now >= patience_ns ? blame::waits : blame::none;
  }

 private:
  thread_look first_;   // in this round
  thread_look asleep_;  // the first at which it slept as it does now
};

}  // namespace umber::gc

// How the heap's threads share processors with the program's.
//
// Marking takes a processor for as long as it lasts. Where the program keeps all of them busy, a system lets the two
// take turns of some milliseconds, and the whole of the collector's turn is a stall of the mutator whose processor it
// is: 4 ms where no answer to a question takes 200 us. Two habits keep it below:
//
//   small turns   After each 250 us of work the thread offers its processor to others. If somebody took it (it came
//                 back late), then for the next turns it sleeps after each for half as long as the turn was: the
//                 mutator waits 250 us, more often. Then it offers again: the machine may have become idle.
//   no neighbour  A thread that is woken is often put beside who woke it, and takes the processor from it, although
//                 another is idle: systems do not look for one when more than about half of a small machine is busy,
//                 and a thread that sleeps for moments stays where it is. So mutators that answer at once wake nobody
//                 (the collector looks for itself, handshake.h), and when it finds itself on the processor of who asked
//                 for the cycle it leaves for another.
//
// With one processor for all, a mutator that sends messages at a fixed rate waits 0.3 ms at p99.9 (0.8 at the longest)
// where it waited 3 ms (6); one that only allocates pays 10 % for it, in assists. Turns of 100 us: 0.18 ms and 24 %.
//
// Invariants
//   None.
// Concurrency
//   Each `turn_taking` belongs to one thread at a time.
// Uses / used by
//   Uses os. Used by managed_heap, handshake, sweep, driver, cycle.
#pragma once

#include "alloc/base.h"

namespace umber::gc {

using namespace alloc;

class turn_taking {
 public:
  // Work begins, after sleep or other things.
  void begin();
  // Between two pieces of work of less than a turn.
  void pause();

 private:
  static constexpr std::uint64_t turn_ns = 250'000;
  static constexpr std::uint64_t taken_ns = 50'000;  // an offer that took longer was accepted
  static constexpr unsigned patience = 64;           // turns, some 25 ms

  std::uint64_t began_ = 0;
  unsigned polite_turns_ = 0;  // left before the next offer
};

}  // namespace umber::gc

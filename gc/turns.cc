#include "turns.h"

#include "alloc/os.h"
#include "alloc/planted.h"

namespace umber::gc {

void turn_taking::begin() { began_ = os::now(); }

void turn_taking::pause() {
  const std::uint64_t now = os::now();
  const std::uint64_t turn = now - began_;
  if (turn < turn_ns || is_planted(fault::turns_without_end)) return;
  if (polite_turns_ == 0) {
    os::yield();
    began_ = os::now();
    if (began_ - now > taken_ns) polite_turns_ = patience;
    return;
  }
  --polite_turns_;
  // What was twice as long was not all work: it has lost the processor on the way.
  os::sleep((turn < 2 * turn_ns ? turn : 2 * turn_ns) / 2);
  began_ = os::now();
}

}  // namespace umber::gc

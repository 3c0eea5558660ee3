#include "retake.h"

#include "os.h"
#include "os_threads.h"
#include "processors.h"

namespace umber::alloc {

namespace {

// Steps 2 and 4: called before the change, the idle list's lock held.
bool is_outside(const processor& p) {
  std::uintptr_t stack_pointer = 0;
  return os::sleeps_in_call(p.holder_id, stack_pointer) && !os::handler_on_stack(stack_pointer);
}

// Step 1, and the second look of step 5.
bool still_sleeps(const processor& p) {
  const os::thread_sleep now = os::sleep_of(p.holder_id);
  return now.sleeps && now.switches == p.seen_switches;
}

bool consider(processor& p) {
  const os::thread_sleep now = os::sleep_of(p.holder_id);
  const bool slept_since = now.sleeps && now.switches == p.seen_switches;
  p.seen_switches = now.switches;
  return slept_since && processors::take_from_holder(p, is_outside, still_sleeps);
}

}  // namespace

std::size_t retake_processors(std::uint64_t most_cpu_ns) {
  // What the kernel orders, that sanitizer cannot know: it would call every hand-over a race.
  if (thread_sanitized) return 0;
  static constinit processor* place = nullptr;  // where the last call ended
  const std::uint64_t started = os::thread_cpu_time();
  std::size_t taken = 0;
  for (std::size_t left = processors::count().all; left > 0; --left) {
    place = processors::next_of_all(place);
    if (place == nullptr) continue;
    if (processors::is_held_by_other(*place) && consider(*place)) ++taken;
    if (os::thread_cpu_time() - started > most_cpu_ns) break;
  }
  return taken;
}

}  // namespace umber::alloc

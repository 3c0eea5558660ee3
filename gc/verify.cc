#include "verify.h"

#include "retrace.h"
#include "weak.h"
#include "weak_map.h"

namespace umber::gc {

namespace {

void expect_mark(void* /*context*/, retrace& walk, std::uintptr_t /*slot*/, std::uintptr_t value) {
  if (value != 0 && !object_map::is_marked(value)) walk.die_at(value, "an object without a mark");
}

void expect_no_weak_reference_to_the_dead(managed_heap& h) {
  const detail::weak_box* box = find_uncleared(h);
  if (box == nullptr) return;
  message line;
  // relaxed: the world is stopped.
  line << "umber: check-mark: the weak reference at " << box
       << " has not been cleared: " << box->target.load(std::memory_order_relaxed) << " has no mark";
  die(line);
}

void expect_whole_entries(managed_heap& h) {
  const detail::weak_entry* entry = find_broken_entry(h);
  if (entry == nullptr) return;
  message line;
  // relaxed, both: the world is stopped.
  line << "umber: check-mark: the entry of a weak map at " << entry << " is alive, and its key "
       << entry->key.load(std::memory_order_relaxed) << " or value " << entry->value.load(std::memory_order_relaxed)
       << " has no mark";
  die(line);
}

}  // namespace

void check_marks(managed_heap& h) {
  const stopped_world world(h);
  const lock_guard guard(h.mutators_lock);
  retrace walk(world, "check-mark");
  if (!walk.run(expect_mark, nullptr)) {
    message line;
    line << "umber: check-mark: no memory to look at the whole heap; what was seen is marked";
    line.print();
  }
  expect_no_weak_reference_to_the_dead(h);
  expect_whole_entries(h);
}

}  // namespace umber::gc

#include "weak.h"

#include "handshake.h"
#include "refill.h"

#include "alloc/os.h"

namespace umber::gc {

namespace {

void find_none(detail::found_pointer /*found*/, void* /*context*/) {}

constexpr const char box_name[] = "umber::weak";
constinit detail::type_description box_type{
    .name = box_name,
    .name_length = sizeof(box_name) - 1,
    .size = sizeof(detail::weak_box),
    .alignment = alignof(detail::weak_box),
    .find_pointers = find_none,
    .trace = nullptr,
    .destroy = nullptr,
};

// Clears one box; its slot is allocated.
void clear(detail::weak_box& box) {
  // relaxed, both: whoever loads a null is content with it, and only null is written.
  void* target = box.target.load(std::memory_order_relaxed);
  if (target != nullptr && !object_map::is_marked(address_of(target)))
    box.target.compare_exchange_strong(target, nullptr, std::memory_order_relaxed);
}

// Calls visit(box) for all, dead ones too, but those that mutators made when they were black: their targets are alive.
template <class Visit>
void for_each_box(managed_heap& h, Visit visit) {
  const type_layout* layout = layout_for(box_type);
  if (layout == nullptr) return;
  space* home = h.find_space(layout->id);
  if (home == nullptr) return;
  home->for_each_object([&](std::uintptr_t box) { visit(*pointer_to<detail::weak_box>(box)); });
}

// A thread that waits for the verdict: from the first turn to the end, less the answers that it gives meanwhile, which
// are counted as such.
class waiting {
 public:
  explicit waiting(mutator& m) : m_(m) {}
  ~waiting() {
    if (since_ != 0) m_.stalled(stall_cause::wait, since_);
  }
  waiting(const waiting&) = delete;
  waiting& operator=(const waiting&) = delete;

  void a_turn() {
    const std::uint64_t before = os::now();
    if (since_ == 0) since_ = before;
    // relaxed: answer_pending looks again.
    if (is_asked(m_.question.load(std::memory_order_relaxed))) {
      answer_pending(m_);
      since_ += os::now() - before;
    }
    os::yield();
  }

 private:
  mutator& m_;
  std::uint64_t since_ = 0;
};

}  // namespace

const type_layout* weak_box_layout() { return layout_for(box_type); }

detail::weak_box* make_box(mutator& m, void* target) {
  const type_layout* layout = layout_for(box_type);
  if (layout == nullptr) return nullptr;
  auto* box = static_cast<detail::weak_box*>(allocate_object(m, *layout));
  if (box != nullptr) box->target.store(target, std::memory_order_release);  // pairs with the acquire in lock_reference
  return box;
}

void* lock_reference(mutator& m, const std::atomic<void*>& place) {
  waiting wait(m);
  for (;;) {
    // acquire: pairs with the releases in make_box and make_entry.
    void* target = place.load(std::memory_order_acquire);
    if (target == nullptr || !m.barrier || object_map::is_marked(address_of(target))) return target;
    // acquire: pairs with the release of the collector's stores.
    switch (m.heap->weak_verdict.load(std::memory_order_acquire)) {
      case verdict::open:
        m.record(address_of(target));
        return target;
      case verdict::closing:
        if (is_planted(fault::weak_load_ignores_window)) return target;
        wait.a_turn();
        break;
      case verdict::decided:
        return nullptr;
      case verdict::cleared:
        // acquire: pairs with make_box and make_entry. Sweeping may have cleared a living mark, so the place is asked.
        return place.load(std::memory_order_acquire);
    }
  }
}

void clear_weak(managed_heap& h) {
  if (!is_planted(fault::weak_cleared_never)) for_each_box(h, clear);
}

const detail::weak_box* find_uncleared(managed_heap& h) {
  const detail::weak_box* found = nullptr;
  for_each_box(h, [&](const detail::weak_box& box) {
    if (!object_map::is_marked(address_of(&box))) return;
    const void* target = box.target.load(std::memory_order_acquire);  // pairs with the release in make_box
    if (target != nullptr && !object_map::is_marked(address_of(target))) found = &box;
  });
  return found;
}

}  // namespace umber::gc

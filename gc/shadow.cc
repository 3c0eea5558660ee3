#include "shadow.h"

#include "retrace.h"

#include <new>

namespace umber::gc {

namespace {

// A field this near to the frame that stores to it is on the stack.
constexpr std::size_t stack_reach = 8 * mib;

// A type with a `trace` of its own decides object by object.
bool decides_itself(std::uintptr_t object) {
  const type_layout* layout = space_of(span_of(object)).layout;
  if (layout == nullptr) layout = layout_of(array_header::of(object).element_id());
  return layout != nullptr && layout->trace != nullptr;
}

// Whether a slot at this offset is declared: the same in every element of an array.
bool is_declared(std::uintptr_t object, std::uintptr_t slot) {
  const type_layout* layout = space_of(span_of(object)).layout;
  std::size_t offset = slot - object;
  if (layout == nullptr) {
    const array_header header = array_header::of(object);
    layout = layout_of(header.element_id());
    if (layout == nullptr || layout->size == 0 || offset < header.bytes()) return false;
    if (offset >= header.bytes() + header.length() * layout->size) return false;
    offset = (offset - header.bytes()) % layout->size;
  }
  for (std::uint32_t i = 0; i < layout->pointer_count; ++i)
    if (layout->pointers[i] * sizeof(void*) == offset) return true;
  return false;
}

void expect_same_heap(const mutator& m, std::uintptr_t slot, std::uintptr_t value) {
  const std::uintptr_t object = object_around(value);
  if (object != 0 && m.heap->owns(span_of(object))) return;
  message line;
  line << "umber: barrier check: a store to " << pointer_to(slot) << " of " << pointer_to(value) << ", which is "
       << (object == 0 ? "no managed object" : "an object of another heap");
  die(line);
}

void expect_field(const mutator& m, std::uintptr_t slot) {
  const std::uintptr_t object = object_around(slot);
  message line;
  line << "umber: barrier check: a store to " << pointer_to(slot) << ", ";
  if (object == 0) {
    const auto frame = address_of(__builtin_frame_address(0));
    if (m.heap->roots.holds(slot) || slot - frame < stack_reach) return;
    die(line << "which is in no managed object: what a field holds there is not kept alive");
  }
  if (!m.heap->owns(span_of(object))) die(line << "which is in an object of another heap");
  if (decides_itself(object) || is_declared(object, slot)) return;
  line << slot_name(object, slot).text << " in " << type_name(object).text << " at " << pointer_to(object);
  die(line << ": the type declares no field there");
}

}  // namespace

std::size_t slot_shadow::place_of(std::uintptr_t slot, std::uintptr_t value) const {
  const std::uint64_t mixed = (slot ^ value * 0x9e3779b97f4a7c15) * 0xd6e8feb86659fd93;
  std::size_t i = (mixed ^ mixed >> 32) % capacity_;
  while (pairs_[i].slot != 0 && (pairs_[i].slot != slot || pairs_[i].value != value)) i = (i + 1) % capacity_;
  return i;
}

bool slot_shadow::grow() {
  scratch<pair> before;
  before.swap(pairs_);
  const std::size_t capacity = capacity_;
  const std::size_t wanted = capacity == 0 ? first_capacity : capacity * 2;
  if (!pairs_.reserve(wanted) || !pairs_.have(wanted)) {
    pairs_.give_back();
    capacity_ = 0;
    return false;
  }
  capacity_ = wanted;
  for (std::size_t i = 0; i < capacity; ++i)
    if (before[i].slot != 0) pairs_[place_of(before[i].slot, before[i].value)] = before[i];
  return true;
}

void slot_shadow::clear() {
  const lock_guard guard(lock_);
  pairs_.give_back();
  capacity_ = count_ = 0;
  complete_ = true;
}

void slot_shadow::give_up() {
  const lock_guard guard(lock_);
  complete_ = false;
}

void slot_shadow::note(std::uintptr_t slot, std::uintptr_t value) {
  const lock_guard guard(lock_);
  if (!complete_) return;
  if (count_ >= capacity_ / 2 && !grow()) {
    complete_ = false;
    return;
  }
  pair& place = pairs_[place_of(slot, value)];
  if (place.slot == 0) ++count_;
  place = {slot, value, ++noted_};
}

void slot_shadow::check() {
  const lock_guard guard(lock_);
  if (complete_) {
    for (std::size_t i = 0; i < capacity_; ++i) {
      const std::uintptr_t slot = pairs_[i].slot;
      if (slot == 0) continue;
      // acquire: pairs with the release of the store.
      const void* now = pointer_to<const std::atomic<void*>>(slot)->load(std::memory_order_acquire);
      if (pairs_[place_of(slot, address_of(now))].slot == 0) die_at(slot, address_of(now));
    }
  }
  complete_ = false;
  pairs_.give_back();
  capacity_ = count_ = 0;
}

void slot_shadow::die_at(std::uintptr_t slot, std::uintptr_t value) const {
  const pair* latest = nullptr;
  for (std::size_t i = 0; i < capacity_; ++i)
    if (pairs_[i].slot == slot && (latest == nullptr || latest->order < pairs_[i].order)) latest = &pairs_[i];
  const std::uintptr_t object = object_around(slot);
  message line;
  line << "umber: barrier check: " << slot_name(object, slot).text << " in " << type_name(object).text << " at "
       << pointer_to(object) << " holds " << pointer_to(value) << " and should hold " << pointer_to(latest->value)
       << ": a store went around the write barrier";
  die(line);
}

bool make_shadow(managed_heap& h) {
  void* memory = metadata::allocate(sizeof(slot_shadow));
  if (memory == nullptr) return false;
  h.shadow = new (memory) slot_shadow;
  detail::barriers_on.fetch_add(1, std::memory_order_relaxed);  // relaxed: no thread uses the heap yet
  return true;
}

void drop_shadow(managed_heap& h) {
  if (h.shadow == nullptr) return;
  detail::barriers_on.fetch_sub(1, std::memory_order_relaxed);  // relaxed: no thread uses the heap any more
  h.shadow->clear();
  h.shadow = nullptr;
}

void begin_shadow(managed_heap& h) {
  const stopped_world world(h);
  const lock_guard guard(h.mutators_lock);
  h.shadow->clear();
  retrace walk(world, "barrier check");
  const auto note = [](void* shadow, retrace& at, std::uintptr_t slot, std::uintptr_t value) {
    const std::uintptr_t object = at.holder();
    if (object != 0 && !decides_itself(object)) static_cast<slot_shadow*>(shadow)->note(slot, value);
  };
  if (!walk.run(note, h.shadow)) h.shadow->give_up();
}

void check_shadow(managed_heap& h) {
  const stopped_world world(h);
  h.shadow->check();
}

void note_store(mutator& m, const void* slot, const void* value) {
  expect_field(m, address_of(slot));
  note_construction(m, slot, value);
}

void note_construction(mutator& m, const void* slot, const void* value) {
  if (value != nullptr) expect_same_heap(m, address_of(slot), address_of(value));
  const std::uintptr_t object = object_around(address_of(slot));
  if (object == 0) return;
  if (!decides_itself(object) && !is_declared(object, address_of(slot))) expect_field(m, address_of(slot));
  if (m.barrier && !decides_itself(object)) m.heap->shadow->note(address_of(slot), address_of(value));
}

}  // namespace umber::gc

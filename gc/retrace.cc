#include "retrace.h"

#include "alloc/text.h"

namespace umber::gc {

namespace {

using slot_visitor = void (*)(void* context, std::uintptr_t slot);

std::uintptr_t value_of(std::uintptr_t slot) {
  // acquire: pairs with the release of the store.
  return address_of(pointer_to<const std::atomic<void*>>(slot)->load(std::memory_order_acquire));
}

struct shown_slots {
  slot_visitor visit;
  void* context;
  static void show(void* self, const void* slot) {
    const auto* shown = static_cast<const shown_slots*>(self);
    shown->visit(shown->context, address_of(slot));
  }
};

void slots_of_one(std::uintptr_t object, const type_layout& layout, slot_visitor visit, void* context) {
  if (layout.trace != nullptr) {
    shown_slots shown{visit, context};
    umber::visitor show(shown_slots::show, &shown);
    return layout.trace(pointer_to(object), show);
  }
  for (std::uint32_t i = 0; i < layout.pointer_count; ++i) visit(context, object + layout.pointers[i] * sizeof(void*));
}

// The layout of the elements of an array; null: the object is none.
const type_layout* elements_of(std::uintptr_t object) {
  if (space_of(span_of(object)).layout != nullptr) return nullptr;
  return layout_of(array_header::of(object).element_id());
}

}  // namespace

void for_each_slot(std::uintptr_t object, slot_visitor visit, void* context) {
  if (const type_layout* layout = space_of(span_of(object)).layout; layout != nullptr)
    return slots_of_one(object, *layout, visit, context);
  const array_header header = array_header::of(object);
  // What was allocated and has no header yet is empty: its maker waits inside the allocation.
  const type_layout* layout = layout_of(header.element_id());
  if (layout == nullptr || !layout->has_pointers()) return;
  for (std::size_t i = 0; i < header.length(); ++i)
    slots_of_one(object + header.bytes() + i * layout->size, *layout, visit, context);
}

type_name::type_name(std::uintptr_t object) {
  alloc::text out(text, sizeof text);
  const type_layout* layout = space_of(span_of(object)).layout;
  out << (layout != nullptr ? "a " : "an array of ");
  if (layout == nullptr) layout = elements_of(object);
  if (layout == nullptr)
    out << "unknown type";
  else
    for (std::size_t i = 0; i < layout->description->name_length; ++i) out << layout->description->name[i];
}

slot_name::slot_name(std::uintptr_t object, std::uintptr_t slot) {
  alloc::text out(text, sizeof text);
  std::size_t offset = slot - object;
  const type_layout* elements = elements_of(object);
  const std::size_t header = elements == nullptr ? 0 : array_header::of(object).bytes();
  if (elements != nullptr && elements->size != 0 && offset >= header) {
    offset -= header;
    out << "[" << offset / elements->size << "] ";
    offset %= elements->size;
  }
  out << "+" << offset;
}

bool retrace::first_visit(std::uintptr_t object) {
  const std::size_t granule = object_map::granule_of(object);
  const std::uint64_t bit = std::uint64_t{1} << granule % 64;
  if ((seen_[granule / 64] & bit) != 0) return false;
  seen_[granule / 64] |= bit;
  return true;
}

// The free bits of a span say too much while a mutator holds it (mutator.h): those at hand are free.
bool retrace::is_free(const mspan* s, slot_id slot) const {
  if (!s->is_free(slot)) return false;
  for (const mutator* m = heap_.mutators; m != nullptr; m = m->next)
    for (std::uint32_t id = 0; id < m->capacity; ++id)
      if (m->held[id].span == s && m->held[id].word == slot.word())
        return ((m->entries[id].next | m->held[id].later) & slot.bit()) != 0;
  return true;
}

const char* retrace::flaw_of(std::uintptr_t object) const {
  if (!window.contains(object)) return "an address that the heap does not know";
  const std::uintptr_t around = object_around(object);
  if (around == 0) return "the address of no managed object";
  if (around != object) return "an address inside of an object";
  const mspan* s = span_of(object);
  if (!heap_.owns(s)) return "an object of another heap";
  if (!space_of(s).is_large() && is_free(s, {(object - s->base) / s->slot_size})) return "an object that was freed";
  return nullptr;
}

void retrace::push(std::uintptr_t slot, std::uintptr_t object) {
  if (!stack_.have(depth_ + 1)) {
    complete_ = false;
    return;
  }
  stack_[depth_++] = {slot, object};
}

void retrace::look_at(std::uintptr_t slot) {
  current_slot_ = slot;
  const std::uintptr_t value = value_of(slot);
  if (value != 0)
    if (const char* wrong = flaw_of(value); wrong != nullptr) die_at(value, wrong);
  visit_(context_, *this, slot, value);
  if (value != 0 && first_visit(value)) push(slot, value);
}

void retrace::finish_stack() {
  while (depth_ != 0) {
    step& top = stack_[depth_ - 1];
    if ((top.object & 1) != 0) {
      --depth_;
      continue;
    }
    holder_ = top.object;
    top.object |= 1;
    for_each_slot(
        holder_, [](void* self, std::uintptr_t slot) { static_cast<retrace*>(self)->look_at(slot); }, this);
  }
}

void retrace::start_at(std::uintptr_t object, const char* root, std::size_t thread) {
  root_ = root;
  root_thread_ = thread;
  root_object_ = object;
  current_slot_ = 0;
  if (const char* wrong = flaw_of(object); wrong != nullptr) die_at(object, wrong);
  visit_(context_, *this, 0, object);
  if (!first_visit(object)) return;
  push(0, object);
  finish_stack();
}

bool retrace::run(visitor visit, void* context) {
  visit_ = visit;
  context_ = context;
  // acquire: pairs with the release in grow.
  const std::size_t granules = window.pages.load(std::memory_order_acquire) * (page_size / object_map::granule);
  if (!seen_.reserve(granules / 64 + 1) || !seen_.have(granules / 64 + 1) || !stack_.reserve(granules + 1))
    return false;
  for (const mutator* m = heap_.mutators; m != nullptr; m = m->next)
    m->locals.for_each([this, m](void* const* slot) { start_at(address_of(*slot), "local of thread", m->thread_id); });
  heap_.roots.for_each([this](void* object) { start_at(address_of(object), "persistent", 0); });
  heap_.finalizers.for_each_kept([this](void* object) { start_at(address_of(object), "finalizer or cleanup", 0); });
  return complete_;
}

void retrace::print_root() const {
  message line;
  line << "umber:   a " << root_;
  if (root_thread_ != 0) line << " " << root_thread_;
  if (depth_ != 0) line << " holds " << type_name(root_object_).text << " at " << pointer_to(root_object_);
  line.print();
}

void retrace::die_at(std::uintptr_t value, const char* wrong) {
  message line;
  line << "umber: " << check_ << ": " << pointer_to(value) << " is held, and is " << wrong << "; the way to it:";
  line.print();
  print_root();
  // The path: what was looked into, of the stack.
  std::size_t length = 0;
  for (std::size_t i = 0; i < depth_; ++i) length += stack_[i].object & 1;
  std::size_t at = 0;
  std::uintptr_t holder = root_object_;
  for (std::size_t i = 0; i < depth_; ++i) {
    if ((stack_[i].object & 1) == 0) continue;
    const std::uintptr_t object = stack_[i].object & ~std::uintptr_t{1};
    const bool is_shown = at < shown_at_each_end || at + shown_at_each_end >= length;
    if (at == shown_at_each_end && !is_shown) {
      message gap;
      gap << "umber:   ... " << length - 2 * shown_at_each_end << " more ...";
      gap.print();
    }
    if (at != 0 && is_shown) {
      message found;
      found << "umber:   " << slot_name(holder, stack_[i].slot).text << " holds " << type_name(object).text << " at "
            << pointer_to(object);
      found.print();
    }
    holder = object;
    ++at;
  }
  message last;
  last << "umber:   ";
  if (current_slot_ != 0) last << slot_name(holder, current_slot_).text << " ";
  last << "holds ";
  if (flaw_of(value) == nullptr) last << type_name(value).text << " at ";
  last << pointer_to(value);
  die(last);
}

}  // namespace umber::gc

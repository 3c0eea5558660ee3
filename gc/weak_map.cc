#include "weak_map.h"

#include "barrier.h"
#include "refill.h"

#include <cstddef>

namespace umber::gc {

namespace {

constexpr std::size_t objects_at_once = 4096;

void find_next(detail::found_pointer found, void* context) { found(context, offsetof(detail::weak_entry, next)); }

constexpr const char entry_name[] = "umber::weak_map entry";
constinit detail::type_description entry_type{
    .name = entry_name,
    .name_length = sizeof(entry_name) - 1,
    .size = sizeof(detail::weak_entry),
    .alignment = alignof(detail::weak_entry),
    .find_pointers = find_next,
    .trace = nullptr,
    .destroy = nullptr,
};

bool has_mark(const void* object) { return object_map::is_marked(address_of(object)); }

// Calls visit(entry) for all but those that were made by mutators that were black then: their keys and values are
// alive.
template <class Visit>
void for_each_entry(managed_heap& h, Visit visit) {
  const type_layout* layout = layout_for(entry_type);
  space* home = layout == nullptr ? nullptr : h.find_space(layout->id);
  if (home == nullptr) return;
  home->for_each_object([&](std::uintptr_t entry) { visit(*pointer_to<detail::weak_entry>(entry)); });
}

void* key_of(const detail::weak_entry& e) {
  return e.key.load(std::memory_order_acquire);  // pairs with the release in make_entry
}

}  // namespace

const type_layout* weak_entry_layout() { return layout_for(entry_type); }

detail::weak_entry* make_entry(mutator& m, void* key, void* value) {
  const type_layout* layout = layout_for(entry_type);
  if (layout == nullptr) return nullptr;
  auto* entry = static_cast<detail::weak_entry*>(allocate_object(m, *layout));
  if (entry == nullptr) return nullptr;
  set_value(m, *entry, value);
  entry->key.store(key, std::memory_order_release);  // pairs with the acquire in key_of
  return entry;
}

void set_value(mutator& m, detail::weak_entry& entry, void* value) {
  record_store(m, entry.value.load(std::memory_order_relaxed), value);  // relaxed: it is only recorded
  entry.value.store(value, std::memory_order_release);                  // pairs with the acquires of who reads it
}

void keep_value(mutator& m, const void* value) {
  if (m.barrier && value != nullptr && !has_mark(value)) m.record(address_of(value));
}

bool mark_weak_maps(managed_heap& h, marker& mark, values how) {
  bool found = false;
  for_each_entry(h, [&](const detail::weak_entry& e) {
    if (!has_mark(&e)) return;
    const void* key = key_of(e);
    if (key == nullptr || !has_mark(key)) return;
    const void* value = e.value.load(std::memory_order_acquire);  // pairs with the release in set_value
    if (value == nullptr || has_mark(value)) return;
    found = true;
    mark.add(address_of(value));
    if (how != values::marked_at_once) return;
    do mark.drain(objects_at_once);
    while (mark.has_work());
    mark.publish();
  });
  return found;
}

void clear_weak_maps(managed_heap& h) {
  for_each_entry(h, [](detail::weak_entry& e) {
    const void* key = key_of(e);
    if (key == nullptr || has_mark(key)) return;
    // relaxed, both: whoever could look at them does not have the key.
    e.key.store(nullptr, std::memory_order_relaxed);
    e.value.store(nullptr, std::memory_order_relaxed);
  });
}

const detail::weak_entry* find_broken_entry(managed_heap& h) {
  const detail::weak_entry* found = nullptr;
  for_each_entry(h, [&](const detail::weak_entry& e) {
    const void* key = key_of(e);
    if (!has_mark(&e) || key == nullptr) return;
    const void* value = e.value.load(std::memory_order_acquire);  // pairs with the release in set_value
    if (!has_mark(key) || (value != nullptr && !has_mark(value))) found = &e;
  });
  return found;
}

}  // namespace umber::gc

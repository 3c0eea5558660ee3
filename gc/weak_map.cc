#include "weak_map.h"

#include "barrier.h"
#include "refill.h"

#include <cstddef>

namespace umber::gc {

namespace {

void find_next(detail::found_pointer found, void* context) { found(context, offsetof(detail::weak_entry, next)); }
void name_next(detail::named_pointer found, void* context) {
  const detail::field_path object{nullptr, {}};
  found(context, offsetof(detail::weak_entry, next), detail::field_path{&object, "next"});
}

constexpr const char entry_name[] = "umber::weak_map entry";
constinit detail::type_description entry_type{
    .name = entry_name,
    .name_length = sizeof(entry_name) - 1,
    .size = sizeof(detail::weak_entry),
    .alignment = alignof(detail::weak_entry),
    .find_pointers = find_next,
    .trace = nullptr,
    .destroy = nullptr,
    .name_pointers = name_next,
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
  if (m.barrier && value != nullptr) m.record(address_of(value));
}

bool mark_weak_maps(managed_heap& h, marker& mark, values how) {
  const bool watched = how == values::watched && h.ephemerons.start(h.entries_waiting);
  bool found = false;
  std::size_t waiting = 0, looked_at = 0;
  for_each_entry(h, [&](detail::weak_entry& e) {
    ++looked_at;
    const void* key = key_of(e);
    const void* value = e.value.load(std::memory_order_acquire);  // pairs with the release in set_value
    if (key == nullptr || value == nullptr || has_mark(value)) return;
    if (has_mark(&e) && (has_mark(key) || is_planted(fault::ephemeron_without_key))) {
      if (is_planted(fault::ephemeron_value_missed)) return;
      found = true;
      mark.add(address_of(value));
      return;
    }
    ++waiting;
    if (watched) h.ephemerons.add(e, address_of(key));
  });
  h.entries_waiting = waiting;
  h.entries_looked_at.fetch_add(looked_at, std::memory_order_relaxed);  // relaxed: a figure
  if (found && watched) {
    h.ephemerons.watch();
    h.looks_twice.store(true, std::memory_order_relaxed);  // relaxed: see ephemerons.h
  }
  return found;
}

void stop_watching(managed_heap& h) {
  h.ephemerons.rest();
  h.looks_twice.store(h.has_neighbours, std::memory_order_relaxed);  // relaxed: as above
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

#include "type.h"

#include "alloc/metadata.h"
#include "alloc/sync.h"

#include <cstring>
#include <new>

namespace umber::gc {

namespace {

constinit mutex<rank::managed_types> lock;
constinit std::atomic<type_layout*> layouts[most_types];  // by id; guarded by lock for writing
constinit std::uint32_t next_id = first_type_id;          // guarded by lock

struct pointer_finder {
  type_layout* layout;
  bool writing;

  static void found(void* context, std::size_t offset) {
    auto* self = static_cast<pointer_finder*>(context);
    type_layout& layout = *self->layout;
    const auto word = static_cast<std::uint32_t>(offset / sizeof(void*));
    if (!self->writing) {
      ++layout.pointer_count;
      if (word < page_word::mask_words)
        layout.mask |= page_word::mask_bit(word);
      else
        layout.all_in_mask = false;
      return;
    }
    // Insertion keeps them ascending; they nearly always come so.
    std::uint32_t at = layout.pointer_count++;
    for (; at > 0 && layout.pointers[at - 1] > word; --at) layout.pointers[at] = layout.pointers[at - 1];
    layout.pointers[at] = word;
  }
};

// `describe(found, context)` tells of each pointer; it is asked twice.
template <class Describe>
type_layout* make_layout(const detail::type_description& type, Describe describe) {
  void* memory = metadata::allocate(sizeof(type_layout));
  if (memory == nullptr) return nullptr;
  auto* layout = new (memory) type_layout;
  layout->description = &type;
  layout->size = type.size;
  layout->trace = type.trace;
  layout->destroy = type.destroy;
  pointer_finder finder{layout, false};
  if (type.trace == nullptr) describe(pointer_finder::found, &finder);
  if (layout->pointer_count == 0) return layout;
  memory = metadata::allocate(layout->pointer_count * sizeof(std::uint32_t));
  if (memory == nullptr) return nullptr;
  layout->pointers = static_cast<std::uint32_t*>(memory);
  layout->pointer_count = 0;
  finder.writing = true;
  describe(pointer_finder::found, &finder);
  return layout;
}

// Gives the layout its number; the lock is held.
void publish(type_layout* layout) {
  layout->id = next_id++;
  layouts[layout->id].store(layout, std::memory_order_release);  // pairs with the acquire in layout_of
}

detail::type_description* describe_at_run_time(const char* name, std::size_t size, void (*destroy)(void*)) {
  const std::size_t length = std::strlen(name);
  void* memory = metadata::allocate(sizeof(detail::type_description));
  auto* copy = static_cast<char*>(metadata::allocate(length + 1));
  if (memory == nullptr || copy == nullptr) return nullptr;
  std::memcpy(copy, name, length);
  auto* type = new (memory) detail::type_description;
  type->name = copy;
  type->name_length = length;
  type->size = static_cast<std::uint32_t>(size);
  type->alignment = size % 16 == 0 ? 16 : 8;
  type->destroy = destroy;
  return type;
}

}  // namespace

const type_layout* layout_for(detail::type_description& type) {
  // acquire: pairs with the release below.
  if (const std::uint32_t id = type.id.load(std::memory_order_acquire); id != 0) return layout_of(id);
  const lock_guard guard(lock);
  if (const std::uint32_t id = type.id.load(std::memory_order_relaxed); id != 0)
    return layout_of(id);  // relaxed: locked
  if (next_id == most_types) return nullptr;
  type_layout* layout = make_layout(type, type.find_pointers);
  if (layout == nullptr) return nullptr;
  publish(layout);
  type.id.store(layout->id, std::memory_order_release);  // pairs with the acquire above
  return layout;
}

const type_layout* layout_of(std::uint32_t id) {
  return layouts[id].load(std::memory_order_acquire);  // pairs with the release in layout_for
}

type_layout* make_runtime_layout(const char* name, std::size_t size, const std::size_t* offsets, std::size_t count,
                                 void (*destroy)(void*)) {
  if (size > UINT32_MAX) return nullptr;
  for (std::size_t i = 0; i < count; ++i)
    if (offsets[i] % sizeof(void*) != 0 || offsets[i] + sizeof(void*) > size) return nullptr;
  detail::type_description* type = describe_at_run_time(name, size, destroy);
  if (type == nullptr) return nullptr;
  const lock_guard guard(lock);
  if (next_id == most_types) return nullptr;
  type_layout* layout = make_layout(*type, [&](detail::found_pointer found, void* context) {
    for (std::size_t i = 0; i < count; ++i) found(context, offsets[i]);
  });
  if (layout == nullptr) return nullptr;
  publish(layout);
  type->id.store(layout->id, std::memory_order_relaxed);  // relaxed: given to the caller with the layout
  return layout;
}

}  // namespace umber::gc

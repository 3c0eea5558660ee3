#include "type.h"

#include "alloc/metadata.h"
#include "alloc/sync.h"

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
        layout.mask |= std::uint64_t{1} << word;
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

type_layout* make_layout(const detail::type_description& type) {
  void* memory = metadata::allocate(sizeof(type_layout));
  if (memory == nullptr) return nullptr;
  auto* layout = new (memory) type_layout;
  layout->description = &type;
  layout->size = type.size;
  layout->trace = type.trace;
  layout->destroy = type.destroy;
  pointer_finder finder{layout, false};
  if (type.trace == nullptr) type.find_pointers(pointer_finder::found, &finder);
  if (layout->pointer_count == 0) return layout;
  memory = metadata::allocate(layout->pointer_count * sizeof(std::uint32_t));
  if (memory == nullptr) return nullptr;
  layout->pointers = static_cast<std::uint32_t*>(memory);
  layout->pointer_count = 0;
  finder.writing = true;
  type.find_pointers(pointer_finder::found, &finder);
  return layout;
}

}  // namespace

const type_layout* layout_for(detail::type_description& type) {
  // acquire: pairs with the release below.
  if (const std::uint32_t id = type.id.load(std::memory_order_acquire); id != 0) return layout_of(id);
  const lock_guard guard(lock);
  if (const std::uint32_t id = type.id.load(std::memory_order_relaxed); id != 0)
    return layout_of(id);  // relaxed: locked
  if (next_id == most_types) return nullptr;
  type_layout* layout = make_layout(type);
  if (layout == nullptr) return nullptr;
  layout->id = next_id++;
  layouts[layout->id].store(layout, std::memory_order_release);  // pairs with the acquire in layout_of
  type.id.store(layout->id, std::memory_order_release);          // pairs with the acquire above
  return layout;
}

const type_layout* layout_of(std::uint32_t id) {
  return layouts[id].load(std::memory_order_acquire);  // pairs with the release in layout_for
}

}  // namespace umber::gc

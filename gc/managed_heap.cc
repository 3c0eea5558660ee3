#include "managed_heap.h"

#include "alloc/metadata.h"

#include <new>

namespace umber::gc {

namespace {

constexpr std::size_t block_size = 256;

// The class of slots for objects of a size: malloc's do for most, but objects need no more than 8-byte alignment.
size_class slot_class_for(std::size_t size, std::size_t alignment) {
  if (size > max_small_size) return {0};
  if (size < object_map::granule) size = object_map::granule;
  if (alignment <= 8 && size > 16 && size <= 24) return {3};
  if (alignment <= 8 && size > 32 && size <= 40) return {5};
  return class_for(size);
}
static_assert(classes[3].slot_size == 24 && classes[5].slot_size == 40);

void shape_for_arrays(space& s, std::uint32_t id) {
  const span_class c{static_cast<std::uint8_t>(id - 1)};
  s.cls = c.size().value == 0 ? space::large : c;
  const std::size_t slot_size = info(c).slot_size;
  s.word = c.is_noscan() ? page_word::noscan(slot_size) : page_word::array(slot_size);
}

void shape_for_type(space& s, const type_layout& layout) {
  const size_class c = slot_class_for(layout.size, layout.description->alignment);
  const std::size_t slot_size = c.value == 0 ? layout.size : info(c).slot_size;
  s.layout = &layout;
  s.destroys = layout.destroy != nullptr;
  s.cls = c.value == 0 ? space::large : layout.has_pointers() ? span_class::scan(c) : span_class::noscan(c);
  if (!layout.has_pointers())
    s.word = page_word::noscan(slot_size);
  else if (layout.all_in_mask && layout.trace == nullptr && slot_size <= page_word::largest_masked)
    s.word = page_word::masked(slot_size, layout.mask);
  else
    s.word = page_word::typed(&layout);
}

}  // namespace

space* managed_heap::find_space(std::uint32_t id) const {
  // acquire, both: pair with the releases in space_for.
  const std::atomic<space*>* block = spaces[id / block_size].load(std::memory_order_acquire);
  return block == nullptr ? nullptr : block[id % block_size].load(std::memory_order_acquire);
}

space* managed_heap::space_for(std::uint32_t id, const type_layout* layout) {
  if (space* s = find_space(id); s != nullptr) return s;
  const lock_guard guard(spaces_lock);
  if (space* s = find_space(id); s != nullptr) return s;
  std::atomic<space*>* block = spaces[id / block_size].load(std::memory_order_relaxed);  // relaxed: locked
  if (block == nullptr) {
    block = static_cast<std::atomic<space*>*>(metadata::allocate(block_size * sizeof(std::atomic<space*>)));
    if (block == nullptr) return nullptr;
    spaces[id / block_size].store(block, std::memory_order_release);  // pairs with the acquire in find_space
  }
  void* memory = metadata::allocate(sizeof(space));
  if (memory == nullptr) return nullptr;
  auto* fresh = new (memory) space;
  fresh->heap = this;
  fresh->id = id;
  fresh->epoch = epoch;
  if (layout == nullptr)
    shape_for_arrays(*fresh, id);
  else
    shape_for_type(*fresh, *layout);
  fresh->next = all_spaces.load(std::memory_order_relaxed);        // relaxed: locked
  all_spaces.store(fresh, std::memory_order_release);              // pairs with the acquire of who walks them
  block[id % block_size].store(fresh, std::memory_order_release);  // pairs with the acquire in find_space
  return fresh;
}

void managed_heap::begin_sweep() {
  const lock_guard guard(spaces_lock);
  ++epoch;
  for (space* s = all_spaces.load(std::memory_order_relaxed); s != nullptr; s = s->next)
    s->begin_sweep();  // relaxed: locked
}

}  // namespace umber::gc

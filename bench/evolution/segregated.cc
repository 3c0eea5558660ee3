// Four steps on one heap: one lock over a contiguous heap, over arenas, a lock for each size, a cache for each thread.
#include "segregated.h"

#include "allocator.h"

namespace evolution {

namespace {

template <typename Heap>
Heap& heap() {
  // Never destroyed: threads may free as the program ends.
  alignas(Heap) static char storage[sizeof(Heap)];
  static Heap* const only = new (storage) Heap;
  return *only;
}

template <typename Heap>
constexpr allocator allocator_of(const char* name, const char* idea) {
  return {name, idea, [](std::size_t size) { return heap<Heap>().allocate(size); },
          [](void* block) { heap<Heap>().deallocate(block); }};
}

using central_heap = segregated_heap<sparse_arenas, locking::by_size>;

// What a thread keeps of each size: it goes to the central lists for a batch at a time only.
class thread_cache {
 public:
  ~thread_cache() {
    for (std::size_t index = 0; index < size_count; ++index) heap<central_heap>().give(index, lists_[index].first);
  }

  void* allocate(std::size_t size) {
    if (size > largest_small) return heap<central_heap>().allocate(size);
    const std::size_t index = index_of_size(size);
    list& own = lists_[index];
    if (own.first == nullptr) own.count = heap<central_heap>().take(index, batch_of(index), own.first);
    free_link* const block = own.first;
    if (block == nullptr) return nullptr;
    own.first = block->next;
    --own.count;
    return block;
  }

  void deallocate(void* pointer) {
    if (pointer == nullptr) return;
    const std::size_t index = central_heap::index_of_block(pointer);
    if (index == central_heap::large) return heap<central_heap>().deallocate(pointer);
    list& own = lists_[index];
    auto* const block = static_cast<free_link*>(pointer);
    block->next = own.first;
    own.first = block;
    if (++own.count >= 2 * batch_of(index)) give_batch(index, own);
  }

 private:
  struct list {
    free_link* first = nullptr;
    std::size_t count = 0;
  };

  static std::size_t batch_of(std::size_t index) {
    return std::clamp<std::size_t>(unit_bytes / 8 / size_of_index(index), 2, 64);
  }

  static void give_batch(std::size_t index, list& own) {
    free_link* const batch = own.first;
    free_link* last = batch;
    for (std::size_t i = 1; i < batch_of(index); ++i) last = last->next;
    own.first = last->next;
    last->next = nullptr;
    own.count -= batch_of(index);
    heap<central_heap>().give(index, batch);
  }

  std::array<list, size_count> lists_;
};

thread_cache& own_cache() {
  thread_local thread_cache cache;
  return cache;
}

}  // namespace

const allocator segregated =
    allocator_of<segregated_heap<contiguous_units, locking::whole>>("segregated", "a list for each size: no search");
const allocator arenas = allocator_of<segregated_heap<sparse_arenas, locking::whole>>(
    "arenas", "sparse arenas in place of one contiguous heap: any that is empty goes back");
const allocator central = allocator_of<central_heap>("central", "a lock for each size");
const allocator mcache = {"mcache", "a cache for each thread: no lock while it lasts",
                          [](std::size_t size) { return own_cache().allocate(size); },
                          [](void* block) { own_cache().deallocate(block); }};

}  // namespace evolution

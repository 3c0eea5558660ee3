#include "private_heap.h"

#include "processor.h"
#include "watch.h"

#include <new>

namespace umber::alloc {

struct private_heap : processor {
  mutex<rank::processor> lock;
  private_heap* next_of_all_heaps = nullptr;  // never changes once set
  private_heap* next_unused = nullptr;
};

namespace {

constinit mutex<rank::private_heaps> heaps_lock;
constinit private_heap* unused = nullptr;     // guarded by heaps_lock
constinit private_heap* all_heaps = nullptr;  // guarded by heaps_lock

private_heap* take_unused() {
  const lock_guard guard(heaps_lock);
  private_heap* h = unused;
  if (h != nullptr) unused = h->next_unused;
  return h;
}

void put_unused(private_heap* h) {
  const lock_guard guard(heaps_lock);
  h->next_unused = unused;
  unused = h;
}

void add_to_all(private_heap* h) {
  const lock_guard guard(heaps_lock);
  h->next_of_all_heaps = all_heaps;
  all_heaps = h;
}

template <class Visit>
void for_each_heap(Visit visit) {
  for (private_heap* h = all_heaps; h != nullptr; h = h->next_of_all_heaps) visit(*h);
}

void* allocate_large_in(private_heap* h, std::size_t n, std::size_t alignment) {
  mspan* s = heap.allocate_large(n == 0 ? 1 : n, alignment);
  if (s == nullptr) return nullptr;
  if (UMBER_UNLIKELY(sampler::is_on())) watch_large(s);
  const lock_guard guard(h->lock);
  h->own_privately(s);
  return pointer_to(s->base);
}

void free_span_of(mspan* s) {
  if (s->owner.load(std::memory_order_relaxed) == span_owner::large) {  // relaxed: unshared
    forget_sample(s);
    return heap.free_large(s);
  }
  for (std::size_t w = 0; w < s->words(); ++w) {
    // relaxed: nobody else knows these blocks any more. Whatever lived is free.
    s->free[w].store(s->slot_bits(w), std::memory_order_relaxed);
    s->remote[w].store(0, std::memory_order_relaxed);
  }
  heap.free_span(s, nullptr);
}

}  // namespace

private_heap* create_private_heap() noexcept {
  // One that is used again is not constructed again: somebody may be about to leave a span in its inbox still.
  private_heap* h = take_unused();
  if (h != nullptr) return h;
  void* storage = metadata::allocate(sizeof(private_heap), alignof(private_heap));
  if (storage == nullptr) return nullptr;
  h = new (storage) private_heap;
  h->is_private = true;
  add_to_all(h);
  return h;
}

void* allocate_in(private_heap* h, std::size_t n, std::size_t alignment) noexcept {
  if (n > PTRDIFF_MAX || alignment > PTRDIFF_MAX) return nullptr;
  if (alignment > page_size || n > max_small_size) return allocate_large_in(h, n, alignment);
  const span_class c = span_class::noscan(aligned_class_for(alignment, n));
  mspan* const sample = UMBER_UNLIKELY(sampler::is_on()) ? sample_alone(c) : nullptr;
  const lock_guard guard(h->lock);
  if (sample != nullptr) {
    h->own_privately(sample);
    return pointer_to(sample->base);
  }
  bool zeroed = false;
  return h->allocate(c, zeroed);
}

void destroy_private_heap(private_heap* h) noexcept {
  {
    const lock_guard guard(h->lock);
    h->attend();
    h->forget_spans();
    while (mspan* s = h->heap_spans) {
      h->disown_privately(s);
      s->next = s->previous = nullptr;
      free_span_of(s);
    }
    heap.empty_stock(h->stock);
  }
  put_unused(h);
}

void forget_large(mspan* s) noexcept {
  auto* h = static_cast<private_heap*>(s->private_home);
  const lock_guard guard(h->lock);
  h->disown_privately(s);
}

void lock_private_heaps_for_fork() UMBER_UNCHECKED {
  heaps_lock.lock();
  for_each_heap([](private_heap& h) UMBER_UNCHECKED { h.lock.lock(); });
}

void unlock_private_heaps_after_fork() UMBER_UNCHECKED {
  for_each_heap([](private_heap& h) UMBER_UNCHECKED { h.lock.unlock(); });
  heaps_lock.unlock();
}

void reset_private_heaps_in_child() {
  heaps_lock.reset_in_child();
  for_each_heap([](private_heap& h) { h.lock.reset_in_child(); });
}

}  // namespace umber::alloc

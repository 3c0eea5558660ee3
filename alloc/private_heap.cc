#include "private_heap.h"

#include "processor.h"

#include <new>

namespace umber::alloc {

struct private_heap : processor {
  mutex<rank::processor> lock;
  private_heap* next_unused = nullptr;
};

namespace {

constinit mutex<rank::idle_list> unused_lock;
constinit private_heap* unused = nullptr;  // guarded by unused_lock

void link(private_heap* h, mspan* s) {
  s->private_home = h;
  s->heap_previous = nullptr;
  s->heap_next = h->heap_spans;
  if (h->heap_spans != nullptr) h->heap_spans->heap_previous = s;
  h->heap_spans = s;
}

void unlink(private_heap* h, mspan* s) {
  (s->heap_previous != nullptr ? s->heap_previous->heap_next : h->heap_spans) = s->heap_next;
  if (s->heap_next != nullptr) s->heap_next->heap_previous = s->heap_previous;
  s->heap_next = s->heap_previous = nullptr;
  s->private_home = nullptr;
}

private_heap* take_unused() {
  const lock_guard guard(unused_lock);
  private_heap* h = unused;
  if (h != nullptr) unused = h->next_unused;
  return h;
}

void* allocate_large_in(private_heap* h, std::size_t n, std::size_t alignment) {
  mspan* s = heap.allocate_large(n == 0 ? 1 : n, alignment);
  if (s == nullptr) return nullptr;
  link(h, s);
  return pointer_to(s->base);
}

void free_span_of(mspan* s) {
  if (s->owner.load(std::memory_order_relaxed) == span_owner::large) return heap.free_large(s);  // relaxed: unshared
  for (std::size_t w = 0; w < s->words(); ++w) {
    // relaxed: nobody else knows these blocks any more. Whatever lived is free.
    const std::size_t left = s->slots - w * 64;
    s->free[w].store(left >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << left) - 1, std::memory_order_relaxed);
    s->remote[w].store(0, std::memory_order_relaxed);
  }
  heap.free_span(s, nullptr);
}

}  // namespace

private_heap* create_private_heap() noexcept {
  void* storage = take_unused();
  if (storage == nullptr) storage = metadata::allocate(sizeof(private_heap), alignof(private_heap));
  if (storage == nullptr) return nullptr;
  auto* h = new (storage) private_heap;
  h->is_private = true;
  return h;
}

void* allocate_in(private_heap* h, std::size_t n, std::size_t alignment) noexcept {
  if (n > PTRDIFF_MAX || alignment > PTRDIFF_MAX) return nullptr;
  const lock_guard guard(h->lock);
  if (alignment > page_size || n > max_small_size) return allocate_large_in(h, n, alignment);
  size_class c = class_for(n > alignment ? n : alignment);
  while (info(c).slot_size % alignment != 0) ++c.value;
  bool zeroed = false;
  return h->allocate(span_class::noscan(c), zeroed);
}

void destroy_private_heap(private_heap* h) noexcept {
  {
    const lock_guard guard(h->lock);
    h->attend();
    while (mspan* s = h->heap_spans) {
      unlink(h, s);
      s->next = s->previous = nullptr;
      free_span_of(s);
    }
    heap.empty_stock(h->stock);
  }
  const lock_guard guard(unused_lock);
  h->next_unused = unused;
  unused = h;
}

void forget_large(mspan* s) noexcept {
  auto* h = static_cast<private_heap*>(s->private_home);
  const lock_guard guard(h->lock);
  unlink(h, s);
}

}  // namespace umber::alloc

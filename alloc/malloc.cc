#include "malloc.h"

#include "fast_path.h"
#include "private_heap.h"
#include "scavenger.h"
#include "watch.h"

#include <cerrno>
#include <cstring>

namespace umber::alloc {

namespace {

// Larger requests are refused before any arithmetic on them could overflow.
constexpr std::size_t most = PTRDIFF_MAX;
// From here on the system moves pages faster than memcpy copies them.
constexpr std::size_t worth_moving = 256 * kib;

void* out_of_memory() {
  errno = ENOMEM;
  return nullptr;
}

UMBER_SLOW std::size_t size_alone(const mspan& s) { return s.slot_size != 0 ? s.slot_size : s.run.count.bytes(); }

// What p points to. Dies if it is not the start of an allocated block.
struct block {
  mspan* span;
  slot_id slot;
  std::uintptr_t owner;
  // In a span of its own: large, or a sample.
  bool is_alone() const { return owner == span_owner::large; }
  bool is_large() const { return is_alone() && span->slot_size == 0; }
  std::size_t size() const { return is_alone() ? size_alone(*span) : span->slot_size; }
};

// No block starts on this page. It may lie inside one all the same: the nearest span below says.
[[noreturn]] UMBER_SLOW void die_of_no_block(const char* call, const void* p, page_id page) {
  for (std::size_t i = page.value; i > 0; --i) {
    const mspan* s = window.span_of({i - 1});
    if (s == &no_span) continue;
    if (s->run.end() <= page) break;
    die_misuse(call, p, "points into an object, not to its start",
               s->slot_size != 0 ? s->slot_size : s->run.count.bytes());
  }
  die_misuse(call, p, "was already freed, or never allocated");
}

UMBER_FAST block find_block(const void* p, const char* call) {
  const std::uintptr_t address = address_of(p);
  if (UMBER_UNLIKELY(!window.contains(address))) die_misuse(call, p, "was not allocated by this heap");
  block b{window.span_of(window.page_of(address)), {}, 0};
  // acquire: pairs with the stores by which spans change hands; the free bits read below are at least that new.
  b.owner = b.span->owner.load(std::memory_order_acquire);
  if (UMBER_UNLIKELY(b.owner == span_owner::nobody)) die_of_no_block(call, p, window.page_of(address));
  if (UMBER_UNLIKELY(b.owner == span_owner::managed)) die_misuse(call, p, "belongs to a managed heap, which frees it");
  if (b.is_alone()) {
    if (UMBER_UNLIKELY(address != b.span->base))
      die_misuse(call, p, "points into an object, not to its start", size_alone(*b.span));
    return b;
  }
  if (UMBER_UNLIKELY(!b.span->find_slot(address, b.slot) || b.slot.value >= b.span->slots))
    die_misuse(call, p, "points into an object, not to its start", b.span->slot_size);
  if (UMBER_UNLIKELY(b.span->is_free_or_remote(b.slot))) die_double_free(*b.span, b.slot, call);
  return b;
}

void* allocate_large_object(std::size_t n, std::size_t alignment, bool& zeroed) {
  if (UMBER_UNLIKELY(n > most || alignment > most)) return out_of_memory();
  mspan* s = heap.allocate_large(n, alignment);
  if (s == nullptr) return out_of_memory();
  scavenger::note_growth();
  if (UMBER_UNLIKELY(sampler::is_on())) watch_large(s);
  zeroed = (s->flags & mspan::flag_zeroed) != 0;
  return pointer_to(s->base);
}

UMBER_WARM void deallocate_alone(mspan* s) {
  std::uintptr_t expected = span_owner::large;
  // acquire: pairs with whatever passed the block on in the program. A second free finds the owner changed.
  if (!s->owner.compare_exchange_strong(expected, span_owner::nobody, std::memory_order_acquire,
                                        std::memory_order_relaxed))
    die_misuse("free", pointer_to(s->base), "was already freed, or never allocated");
  if (s->private_home != nullptr) forget_large(s);
  forget_sample(s);
  heap.free_large(s);
  scavenger::note_free();
}

void thread_exits(void* /*processor*/) {
  processors::detach();
  scavenger::note_free();
}

processor* attach() {
  processor* p = processors::attach(thread_exits);
  if (p == nullptr) return nullptr;
  scavenger::note_processor();
  p->inside = true;
  return p;
}

// A slot of class c for a thread whose processor's current word is empty, or that holds no processor.
void* allocate_slot(size_class c, bool& zeroed) {
  const span_class k = span_class::noscan(c);
  processor* p = this_thread.mine();
  if (UMBER_UNLIKELY(p == &no_processor)) p = attach();
  void* slot = nullptr;
  if (UMBER_LIKELY(p != nullptr)) {
    slot = UMBER_UNLIKELY(sampler::is_on()) ? allocate_watched(*p, k, zeroed) : p->allocate(k, zeroed);
  } else {
    const processors::visit visit;
    if (visit.get() != nullptr) slot = visit.get()->allocate(k, zeroed);
  }
  scavenger::note_growth();
  return UMBER_LIKELY(slot != nullptr) ? slot : out_of_memory();
}

void* allocate_any(std::size_t n, bool& zeroed) {
  zeroed = false;
  if (UMBER_LIKELY(n <= max_small_size)) return allocate_slot(class_for(n), zeroed);
  return allocate_large_object(n, 1, zeroed);
}

bool has_aligned_class(std::size_t alignment, std::size_t n) { return alignment <= page_size && n <= max_small_size; }

// Whether a block of `size` bytes may go on as one of n: it is large enough, and not twice too large.
bool still_fits(std::size_t size, std::size_t n) { return n <= size && (n > size / 2 || size <= 64); }

// An object that was resized is a new one to the profile, or what grows by itself would never be a sample.
UMBER_SLOW void renew_sample(mspan* s, profile::site* before) {
  if (before != nullptr) profile::forget(before);
  s->sample = nullptr;
  if (sampler::is_on()) watch_large(s);
}

// A large object that stays one: in place if it can, else by moving its pages. Null: neither.
void* reallocate_large(mspan* s, std::size_t n) {
  profile::site* const before = s->sample;
  if (heap.resize_large(s, n)) {
    scavenger::note_free();
    if (UMBER_UNLIKELY(before != nullptr || sampler::is_on())) renew_sample(s, before);
    return pointer_to(s->base);
  }
  if (s->private_home != nullptr) return nullptr;
  // Room to grow: an object that grew will grow, and pages that are not touched cost nothing.
  mspan* moved = heap.move_large(s, n + n / 8);
  if (moved == nullptr) return nullptr;
  if (UMBER_UNLIKELY(before != nullptr || sampler::is_on())) renew_sample(moved, before);
  return pointer_to(moved->base);
}

// As reallocate, for a block that does not fit any more.
UMBER_WARM void* reallocate_anew(const block& b, void* p, std::size_t n) {
  if (UMBER_UNLIKELY(n > most)) return out_of_memory();
  if (b.is_large() && n >= worth_moving) {
    void* same = reallocate_large(b.span, n);
    if (same != nullptr) return same;
  }
  void* q = fast_allocate(n);
  if (UMBER_UNLIKELY(q == nullptr)) return nullptr;
  const std::size_t size = b.size();
  std::memcpy(q, p, size < n ? size : n);
  if (UMBER_LIKELY(this_thread.mine()->owns(b.span)))
    free_own(b.span, b.slot);
  else
    deallocate_slow(p);
  return q;
}

}  // namespace

void* allocate_slow(std::size_t n) noexcept {
  bool zeroed = false;
  if (UMBER_LIKELY(n <= max_small_size)) {
    // Most of the time the entry's span has more free slots, in this word or another.
    mcache_entry& entry = this_thread.mine()->cache[span_class::noscan(class_for(n))];
    void* p;
    if ((entry.next != 0 || (!sampler::is_on() && entry.reload())) &&
        (n <= max_table_size ? entry.take(p) : entry.take_zeroed(p, zeroed)))
      return p;
  }
  return allocate_any(n, zeroed);
}

void deallocate_again(const mspan* s, slot_id slot) noexcept { die_double_free(*s, slot); }

void deallocate_last(mspan* s) noexcept {
  this_thread.mine()->span_emptied(s);
  scavenger::note_free();
}

void deallocate_slow(void* p) noexcept {
  if (p == nullptr) return;
  const block b = find_block(p, "free");
  if (b.is_alone()) return deallocate_alone(b.span);
  processor* mine = this_thread.mine();
  if (UMBER_UNLIKELY(mine == &no_processor)) mine = attach();
  if (UMBER_UNLIKELY(mine == nullptr)) {
    send(b.span, b.slot.word(), b.slot.bit());
    return scavenger::note_free();
  }
  mine->inside = true;
  if (mine->owns(b.span) || (b.owner == (address_of(mine) | span_owner::at_home) && mine->adopt(b.span))) {
    free_own(b.span, b.slot);
  } else if (UMBER_UNLIKELY(b.span->private_home != nullptr)) {
    send(b.span, b.slot.word(), b.slot.bit());  // the heap may be destroyed before a batch would be sent
  } else {
    mine->remote.add(b.span, b.slot);
  }
  mine->inside = false;
  scavenger::note_free();
}

void* allocate(std::size_t n) noexcept { return fast_allocate(n); }

void deallocate(void* p) noexcept { fast_deallocate(p); }

void* allocate_zeroed(std::size_t n) noexcept {
  if (n <= max_table_size) {
    void* p = fast_allocate(n);
    return p == nullptr ? nullptr : std::memset(p, 0, n);
  }
  bool zeroed = false;
  void* p = allocate_any(n, zeroed);
  return p == nullptr || zeroed ? p : std::memset(p, 0, n);
}

void* allocate_aligned(std::size_t alignment, std::size_t n) noexcept {
  bool zeroed = false;
  if (has_aligned_class(alignment, n)) return allocate_slot(aligned_class_for(alignment, n), zeroed);
  return allocate_large_object(n == 0 ? 1 : n, alignment, zeroed);
}

void deallocate_sized(void* p, std::size_t n) noexcept { fast_deallocate_sized(p, n); }

void deallocate_sized_slow(void* p, std::size_t n) noexcept { deallocate_sized(p, 1, n); }

void deallocate_sized(void* p, std::size_t alignment, std::size_t n) noexcept {
  if (p == nullptr) return;
  const block b = find_block(p, "sized free");
  const bool fits = b.is_large() ? page_count::covering(n == 0 ? 1 : n) == b.span->run.count
                                 : has_aligned_class(alignment, n) &&
                                       b.span->spans_class() == span_class::noscan(aligned_class_for(alignment, n));
  if (UMBER_UNLIKELY(!fits)) die_misuse("sized free", p, "was allocated with another size", b.size());
  fast_deallocate(p);
}

void deallocate_resized(void* p, std::size_t n) noexcept {
  if (p == nullptr) return;
  const block b = find_block(p, "free_sized");
  if (UMBER_UNLIKELY(!still_fits(b.size(), n) && !(b.size() == good_size(n))))
    die_misuse("free_sized", p, "was allocated with another size", b.size());
  fast_deallocate(p);
}

void* reallocate(void* p, std::size_t n) noexcept {
  if (p == nullptr) return fast_allocate(n);
  const block b = find_block(p, "realloc");
  if (UMBER_LIKELY(still_fits(b.size(), n))) return p;
  return reallocate_anew(b, p, n);
}

std::size_t usable_size(const void* p) noexcept {
  return p == nullptr ? 0 : find_block(p, "malloc_usable_size").size();
}

std::size_t good_size(std::size_t n) noexcept {
  if (n <= max_small_size) return info(class_for(n)).slot_size;
  return n > most ? n : page_count::covering(n).bytes();
}

bool owns(const void* p) noexcept { return window.contains(address_of(p)); }

void check_at_exit() noexcept {
  if (this_thread.mine() != &no_processor) this_thread.mine()->check_frees();
}

std::size_t release_memory() noexcept { return scavenger::release_all(); }

std::size_t set_memory_limit(std::size_t bytes) noexcept { return heap.set_limit(bytes); }

}  // namespace umber::alloc

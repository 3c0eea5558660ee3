#include "finalizer.h"

#include "alloc/metadata.h"
#include "alloc/os.h"

#include <bit>
#include <new>

namespace umber::gc {

namespace {

constinit std::atomic<std::uint64_t> last_serial{0};

std::uint64_t hash(std::uintptr_t object) { return (object >> 3) * 0x9e3779b97f4a7c15 >> 20; }

}  // namespace

// The lock is held.
bool finalizer_table::add_block() {
  void* memory = metadata::allocate(sizeof(block), alignof(block));
  if (memory == nullptr) return false;
  block* const fresh = new (memory) block;
  fresh->table = this;
  for (entry& e : fresh->entries) {
    e.next = unused_;
    unused_ = &e;
  }
  fresh->next = blocks_.load(std::memory_order_relaxed);  // relaxed: locked
  blocks_.store(fresh, std::memory_order_release);        // pairs with the acquires of who walks them
  return true;
}

void finalizer_table::release(entry& e) {
  e.now = unused;
  e.object = 0;
  e.kept.store(nullptr, std::memory_order_release);  // pairs with the acquire in for_each_kept
  e.serial.store(0, std::memory_order_relaxed);      // relaxed: looked at again with the lock
  e.next = unused_;
  unused_ = &e;
}

void finalizer_table::queue(entry& e) {
  e.now = queued;
  e.object = 0;
  e.next = nullptr;
  (first_queued_ == nullptr ? first_queued_ : last_queued_->next) = &e;
  last_queued_ = &e;
  due_.fetch_add(1, std::memory_order_relaxed);  // relaxed: a number on its own
}

std::size_t finalizer_table::segment_of(std::size_t bucket) {
  return static_cast<std::size_t>(std::bit_width(bucket / first_segment));
}

finalizer_table::entry*& finalizer_table::bucket(std::size_t i) {
  const std::size_t segment = segment_of(i);
  return segments_[segment][segment == 0 ? i : i - (first_segment << (segment - 1))];
}

// Buckets are numbered by the lower bits of the hash: by as many as name a bucket that exists.
std::size_t finalizer_table::bucket_index(std::uintptr_t object) const {
  const std::size_t half = std::bit_floor(buckets_);
  const std::size_t i = hash(object) & (2 * half - 1);
  return i < buckets_ ? i : i & (half - 1);
}

// The link that leads to the object's finalizer; null: it has none.
finalizer_table::entry** finalizer_table::find(std::uintptr_t object) {
  if (buckets_ == 0) return nullptr;
  entry** at = &bucket(bucket_index(object));
  while (*at != nullptr && (*at)->object != object) at = &(*at)->next;
  return *at == nullptr ? nullptr : at;
}

bool finalizer_table::make_segment(std::size_t segment) {
  if (segments_[segment] != nullptr) return true;
  const std::size_t bytes = (segment == 0 ? first_segment : first_segment << (segment - 1)) * sizeof(entry*);
  void* memory = os::reserve(bytes, first_segment * sizeof(entry*));
  if (memory == nullptr) return false;
  if (!os::commit(memory, bytes)) {
    os::unmap(memory, bytes);
    return false;
  }
  segments_[segment] = static_cast<entry**>(memory);
  return true;
}

// One bucket more, and what belongs there leaves the one that it was in. Without memory the lists grow longer.
void finalizer_table::add_bucket() {
  const std::size_t added = buckets_;
  if (!make_segment(segment_of(added))) return;
  entry** from = &bucket(added - std::bit_floor(added));
  entry** to = &bucket(added);
  ++buckets_;
  while (entry* e = *from) {
    if (bucket_index(e->object) != added) {
      from = &e->next;
      continue;
    }
    *from = e->next;
    e->next = *to;
    *to = e;
  }
}

void finalizer_table::unlink(entry& e) {
  entry** at = find(e.object);
  *at = e.next;
  --finalizers_;
}

// An unused entry, no longer listed; null: no memory. The lock is held.
finalizer_table::entry* finalizer_table::new_entry(void* object, const call& c, state which) {
  if (unused_ == nullptr && !add_block()) return nullptr;
  entry* const e = unused_;
  unused_ = e->next;
  e->object = address_of(object);
  e->what = c;
  e->now = which;
  return e;
}

bool finalizer_table::set(void* object, const call& c) {
  const lock_guard guard(lock_);
  if (entry** found = find(address_of(object)); found != nullptr) {
    (*found)->what = c;
    return true;
  }
  if (buckets_ == 0) {
    if (!make_segment(0)) return false;
    buckets_ = first_segment;
  }
  entry* const e = new_entry(object, c, finalizer);
  if (e == nullptr) return false;
  entry*& first = bucket(bucket_index(e->object));
  e->next = first;
  first = e;
  if (++finalizers_ > buckets_) add_bucket();
  return true;
}

void finalizer_table::clear(const void* object) {
  const lock_guard guard(lock_);
  entry** found = find(address_of(object));
  if (found == nullptr) return;
  entry& e = **found;
  unlink(e);
  release(e);
}

bool finalizer_table::add_cleanup(void* object, const call& c, void* kept, detail::cleanup_id& id) {
  const lock_guard guard(lock_);
  entry* const e = new_entry(object, c, cleanup);
  if (e == nullptr) return false;
  // relaxed, both: a number on its own; looked at again with the lock.
  id = {e, last_serial.fetch_add(1, std::memory_order_relaxed) + 1};
  e->serial.store(id.serial, std::memory_order_relaxed);
  e->kept.store(kept, std::memory_order_release);  // pairs with the acquire in for_each_kept
  return true;
}

bool finalizer_table::cancel(const detail::cleanup_id& id, void*& kept) {
  auto* e = static_cast<entry*>(id.entry);
  // relaxed, both: entries are never unmapped, and only the second look counts.
  if (e == nullptr || e->serial.load(std::memory_order_relaxed) != id.serial) return false;
  finalizer_table& table = *pointer_to<block>(round_down(address_of(e), sizeof(block)))->table;
  const lock_guard guard(table.lock_);
  if (e->serial.load(std::memory_order_relaxed) != id.serial || e->now != cleanup) return false;
  kept = e->kept.load(std::memory_order_relaxed);  // relaxed: locked
  table.release(*e);
  return true;
}

bool finalizer_table::take(call& c, local<std::byte>& kept) {
  const lock_guard guard(lock_);
  entry* const e = first_queued_;
  if (e == nullptr) return false;
  first_queued_ = e->next;
  due_.fetch_sub(1, std::memory_order_relaxed);  // relaxed: a number on its own
  c = e->what;
  kept = static_cast<std::byte*>(e->kept.load(std::memory_order_relaxed));  // relaxed: locked
  release(*e);
  return true;
}

void finalizer_table::wake() {
  arrivals_.fetch_add(1, std::memory_order_release);  // pairs with the acquire of who waits
  os::wake_all(reinterpret_cast<const volatile std::uint32_t*>(&arrivals_));
}

void finalizer_table::queue_cleanups() {
  for_each_dead(cleanup, [&](entry& e) { queue(e); });
}

void finalizer_table::queue_all_cleanups() {
  const lock_guard guard(lock_);
  // acquire: pairs with the release in add_block.
  for (block* b = blocks_.load(std::memory_order_acquire); b != nullptr; b = b->next)
    for (entry& e : b->entries)
      if (e.now == cleanup) queue(e);
}

void finalizer_table::forget() {
  const lock_guard guard(lock_);
  for (std::size_t i = 0; i < buckets_; ++i) bucket(i) = nullptr;
  first_queued_ = nullptr;
  finalizers_ = 0;
  due_.store(0, std::memory_order_relaxed);  // relaxed: nobody else is here
  // acquire: pairs with the release in add_block.
  for (block* b = blocks_.load(std::memory_order_acquire); b != nullptr; b = b->next)
    for (entry& e : b->entries)
      if (e.now != unused) release(e);
}

}  // namespace umber::gc

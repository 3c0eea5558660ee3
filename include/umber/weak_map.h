// A map from objects to objects that keeps neither: an entry lives as long as its key, and keeps its value that long.
//
//   umber::local<umber::weak_map<node, note>> notes = umber::make<umber::weak_map<node, note>>();
//   notes->set(n, umber::make<note>());
//
// Keys are compared by identity. A value may refer to its own key, or to other keys, without keeping them alive: when
// nothing but such values leads to a key, its entry goes, and with it the value (an *ephemeron*, Hayes 1997). Entries
// of a key with a finalizer go before that runs.
//
// A map is a managed object, or a member of one. Like a container of the standard library it is not to be changed by
// two threads at once, nor read by one while another changes it; whatever happens then, the heap is not harmed. `get`,
// `contains` and `remove` take constant time and are no safepoints; `set` is one. For the collector: gc/weak_map.h.
#pragma once

#include <umber/heap.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace umber {

namespace detail {

// What an entry is to the collector: it follows `next` only. Cleared ones hold null.
struct weak_entry {
  std::atomic<void*> key{nullptr};
  std::atomic<void*> value{nullptr};
  field<weak_entry> next;
};
UMBER_API weak_entry* make_weak_entry(void* key, void* value) noexcept;  // null: no memory
UMBER_API void set_weak_value(weak_entry* entry, void* value) noexcept;
// A value was read through its key, and is to be strong.
UMBER_API void keep_weak_value(void* value) noexcept;

}  // namespace detail

template <class K, class V>
class weak_map {
 public:
  // The value of a key; null if it has none.
  [[nodiscard]] local<V> get(const local<K>& key) const noexcept {
    const entry* e = find(key.get());
    if (e == nullptr) return nullptr;
    void* value = e->value.load(std::memory_order_acquire);
    if (detail::barrier_needed()) detail::keep_weak_value(value);
    return static_cast<V*>(value);
  }
  bool contains(const local<K>& key) const noexcept { return find(key.get()) != nullptr; }

  // The key is not null. Throws std::bad_alloc; then the map is as it was.
  void set(const local<K>& key, const local<V>& value) {
    if (field<entry>* found = find_link(key.get()); found != nullptr)
      return detail::set_weak_value(found->get(), value.get());
    const local<entry> fresh(detail::make_weak_entry(key.get(), value.get()));
    if (fresh == nullptr) detail::throw_bad_alloc();
    if (buckets_.get() == nullptr || entries_ >= buckets_->size()) rebuild();
    link(*buckets_, fresh.get());
    ++entries_;
  }

  // False: there was none.
  bool remove(const local<K>& key) noexcept {
    field<entry>* found = find_link(key.get());
    if (found == nullptr) return false;
    *found = found->get()->next.get();
    --entries_;
    return true;
  }

  // How many keys are alive, as far as is known. Looks at all entries.
  std::size_t size() const noexcept {
    std::size_t n = 0;
    for_each([&n](const entry*) { ++n; });
    return n;
  }

 private:
  using entry = detail::weak_entry;
  using bucket_array = array<field<entry>>;
  static constexpr std::size_t fewest_buckets = 8;

  static std::size_t index_of(const void* key, std::size_t buckets) noexcept {
    const std::uint64_t mixed = (reinterpret_cast<std::uintptr_t>(key) >> 3) * 0x9e3779b97f4a7c15;
    return static_cast<std::size_t>(mixed >> 32) & (buckets - 1);
  }
  // relaxed, here and below: who may ask for a key holds it, and then only the program changes its entry.
  static void* key_of(const entry* e) noexcept { return e->key.load(std::memory_order_relaxed); }

  const entry* find(const void* key) const noexcept {
    const bucket_array* buckets = buckets_.get();
    if (buckets == nullptr || key == nullptr) return nullptr;
    const entry* e = (*buckets)[index_of(key, buckets->size())].get();
    while (e != nullptr && key_of(e) != key) e = e->next.get();
    return e;
  }

  // What holds the key's entry; the dead ones on the way are taken out.
  field<entry>* find_link(const void* key) noexcept {
    bucket_array* buckets = buckets_.get();
    if (buckets == nullptr || key == nullptr) return nullptr;
    field<entry>* at = &(*buckets)[index_of(key, buckets->size())];
    while (entry* e = at->get()) {
      if (key_of(e) == key) return at;
      if (key_of(e) != nullptr) {
        at = &e->next;
        continue;
      }
      *at = e->next.get();
      --entries_;
    }
    return nullptr;
  }

  static void link(bucket_array& buckets, entry* e) noexcept {
    field<entry>& bucket = buckets[index_of(key_of(e), buckets.size())];
    e->next = bucket.get();
    bucket = e;
  }

  // Calls visit(entry), which may relink it, for all that are not cleared.
  template <class Visit>
  void for_each(Visit visit) const {
    const bucket_array* buckets = buckets_.get();
    if (buckets == nullptr) return;
    for (const field<entry>& bucket : *buckets)
      for (entry *e = bucket.get(), *next; e != nullptr; e = next) {
        next = e->next.get();
        if (key_of(e) != nullptr) visit(e);
      }
  }

  // Without the dead, and with room for as many again.
  void rebuild() {
    std::size_t wanted = fewest_buckets;
    for (const std::size_t alive = size(); wanted < 2 * alive;) wanted *= 2;
    const local<bucket_array> fresh = make_array<field<entry>>(wanted);
    std::size_t linked = 0;
    for_each([&](entry* e) {
      // A key may be cleared at any time; then its entry is linked anywhere, and found to be dead there.
      link(*fresh, e);
      ++linked;
    });
    buckets_ = fresh.get();
    entries_ = linked;
  }

  field<bucket_array> buckets_;
  std::size_t entries_ = 0;  // linked, the dead ones too

 public:
  static constexpr auto pointers = umber::pointers(&weak_map::buckets_);
};

}  // namespace umber

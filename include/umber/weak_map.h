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
//
// Iteration: `for_each` meets every entry once that was there when it began, and still is, with its key alive, when its
// turn comes, and with the value that it has then. What is set meanwhile for new keys is not met. The function may
// change the map. In no order.
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
// The key of an entry, made strong; null: it is dead, or the entry was taken out. A safepoint.
UMBER_API void* lock_weak_key(weak_entry* entry) noexcept;

// A map of any objects, which does not throw. Who calls holds the map, key and value.
class weak_table {
 public:
  void* get(const void* key) const noexcept {
    const weak_entry* e = find(key);
    if (e == nullptr) return nullptr;
    void* value = e->value.load(std::memory_order_acquire);
    if (barrier_needed()) keep_weak_value(value);
    return value;
  }
  bool contains(const void* key) const noexcept { return find(key) != nullptr; }

  // False: no memory, and the map is as it was.
  [[nodiscard]] bool set(void* key, void* value) noexcept {
    if (field<weak_entry>* found = find_link(key); found != nullptr) {
      set_weak_value(found->get(), value);
      return true;
    }
    const local<weak_entry> fresh(make_weak_entry(key, value));
    if (fresh == nullptr) return false;
    if ((buckets_.get() == nullptr || entries_ >= buckets_->size()) && !rebuild()) return false;
    link(*buckets_, fresh.get());
    ++entries_;
    return true;
  }

  bool remove(const void* key) noexcept {
    field<weak_entry>* found = find_link(key);
    if (found == nullptr) return false;
    weak_entry* const e = found->get();
    *found = e->next.get();
    --entries_;
    // For who iterates, and holds the entry.
    e->key.store(nullptr, std::memory_order_relaxed);
    set_weak_value(e, nullptr);
    return true;
  }

  std::size_t size() const noexcept {
    std::size_t n = 0;
    for_each_entry([&n](const weak_entry*) { ++n; });
    return n;
  }

  // Calls visit(key, value), which are held meanwhile; it may change the map. False: no memory, and nothing was called.
  template <class Visit>
  [[nodiscard]] bool for_each(Visit visit) const {
    const std::size_t count = size();
    const local<entry_array> all(make_entries(count));
    if (all == nullptr) return false;
    std::size_t n = 0;
    for_each_entry([&](weak_entry* e) {
      if (n < count) (*all)[n++] = e;
    });
    for (std::size_t i = 0; i < n; ++i) {
      const local<char> key(static_cast<char*>(lock_weak_key((*all)[i].get())));
      if (key == nullptr) continue;
      void* value = (*all)[i]->value.load(std::memory_order_acquire);
      if (barrier_needed()) keep_weak_value(value);
      const local<char> kept(static_cast<char*>(value));
      visit(static_cast<void*>(key.get()), value);
    }
    return true;
  }

 private:
  using entry_array = array<field<weak_entry>>;
  static constexpr std::size_t fewest_buckets = 8;

  static entry_array* make_entries(std::size_t count) noexcept {
    return static_cast<entry_array*>(
        allocate_array(description_of<field<weak_entry>>(), count, entry_array::header_bytes));
  }
  static std::size_t index_of(const void* key, std::size_t buckets) noexcept {
    const std::uint64_t mixed = (reinterpret_cast<std::uintptr_t>(key) >> 3) * 0x9e3779b97f4a7c15;
    return static_cast<std::size_t>(mixed >> 32) & (buckets - 1);
  }
  // relaxed, here and below: who may ask for a key holds it, and then only the program changes its entry.
  static void* key_of(const weak_entry* e) noexcept { return e->key.load(std::memory_order_relaxed); }

  const weak_entry* find(const void* key) const noexcept {
    const entry_array* buckets = buckets_.get();
    if (buckets == nullptr || key == nullptr) return nullptr;
    const weak_entry* e = (*buckets)[index_of(key, buckets->size())].get();
    while (e != nullptr && key_of(e) != key) e = e->next.get();
    return e;
  }

  // What holds the key's entry; the dead ones on the way are taken out.
  field<weak_entry>* find_link(const void* key) noexcept {
    entry_array* buckets = buckets_.get();
    if (buckets == nullptr || key == nullptr) return nullptr;
    field<weak_entry>* at = &(*buckets)[index_of(key, buckets->size())];
    while (weak_entry* e = at->get()) {
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

  static void link(entry_array& buckets, weak_entry* e) noexcept {
    field<weak_entry>& bucket = buckets[index_of(key_of(e), buckets.size())];
    e->next = bucket.get();
    bucket = e;
  }

  // Calls visit(entry), which may relink it, for all that are not cleared.
  template <class Visit>
  void for_each_entry(Visit visit) const {
    const entry_array* buckets = buckets_.get();
    if (buckets == nullptr) return;
    for (const field<weak_entry>& bucket : *buckets)
      for (weak_entry *e = bucket.get(), *next; e != nullptr; e = next) {
        next = e->next.get();
        if (key_of(e) != nullptr) visit(e);
      }
  }

  // Without the dead, and with room for as many again. False: no memory.
  bool rebuild() noexcept {
    std::size_t wanted = fewest_buckets;
    for (const std::size_t alive = size(); wanted < 2 * alive;) wanted *= 2;
    const local<entry_array> fresh(make_entries(wanted));
    if (fresh == nullptr) return false;
    std::size_t linked = 0;
    for_each_entry([&](weak_entry* e) {
      // A key may be cleared at any time; then its entry is linked anywhere, and found to be dead there.
      link(*fresh, e);
      ++linked;
    });
    buckets_ = fresh.get();
    entries_ = linked;
    return true;
  }

  field<entry_array> buckets_;
  std::size_t entries_ = 0;  // linked, the dead ones too

 public:
  static constexpr auto pointers = umber::pointers(&weak_table::buckets_);
};

}  // namespace detail

template <class K, class V>
class weak_map {
 public:
  // The value of a key; null if it has none.
  [[nodiscard]] local<V> get(const local<K>& key) const { return static_cast<V*>(table_.get(key.get())); }
  bool contains(const local<K>& key) const noexcept { return table_.contains(key.get()); }
  // The key is not null. Throws std::bad_alloc; then the map is as it was.
  void set(const local<K>& key, const local<V>& value) {
    if (!table_.set(key.get(), value.get())) detail::throw_bad_alloc();
  }
  // False: there was none.
  bool remove(const local<K>& key) noexcept { return table_.remove(key.get()); }
  // How many keys are alive, as far as is known. Looks at all entries.
  std::size_t size() const noexcept { return table_.size(); }

  // Calls visit(local<K>, local<V>) for each entry, as said above. Safepoints. Throws std::bad_alloc, before the first
  // call, and what visit throws.
  template <class Visit>
  void for_each(Visit visit) const {
    const bool done = table_.for_each(
        [&](void* key, void* value) { visit(local<K>(static_cast<K*>(key)), local<V>(static_cast<V*>(value))); });
    if (!done) detail::throw_bad_alloc();
  }

 private:
  detail::weak_table table_;

 public:
  static constexpr auto pointers = umber::pointers(&weak_map::table_);
};

}  // namespace umber

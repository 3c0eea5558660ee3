// Entries of weak maps that wait: the value of each is alive when entry and key both are.
//
// Walking all entries again whenever one more key has turned out to be alive is the square of their number where each
// value leads to the next key. So when a second walk is needed, what still waits is put here, by what it waits for, and
// whoever marks an object looks whether somebody waited for that: each entry is looked at when its key or itself is
// marked, and not again. (V8 does the same when its walks do not come to an end soon; Hayes 1997 has the problem.)
//
// The table is built by one thread and then only read. Nothing depends on it: an entry that is overlooked, because two
// threads marked its key and itself in the same moment, or for want of memory, is found by the walk that ends marking.
//
// Invariants
//   [ephemerons.1] what one thread marks while the table is watched, and what was marked before, is found whole: no
//                  walk finds more.
// Concurrency
//   `watch` and `rest`: the collector's thread. `found`: any marker, also one that still runs when `rest` returns: so
//   the memory stays until the next `watch`, which waits for the end of a cycle, when nobody marks.
// Uses / used by
//   Uses scratch, object, and the public weak_map.h. Used by managed_heap, mark, weak_map.
#pragma once

#include "object.h"
#include "scratch.h"

#include <umber/weak_map.h>

namespace umber::gc {

class ephemeron_table {
 public:
  // Empties the table, and has room for so many entries, as often as there is a cycle's first. False: there is no room.
  [[nodiscard]] bool start(std::size_t entries);
  // The entry waits for its key, for itself, or for both.
  void add(detail::weak_entry& entry, std::uintptr_t key);
  // Whether markers look here.
  void watch() { watched_.store(true, std::memory_order_relaxed); }  // relaxed, all: who sees it late overlooks some
  void rest() { watched_.store(false, std::memory_order_relaxed); }
  bool is_watched() const { return watched_.load(std::memory_order_relaxed); }
  // Nobody marks any more.
  void give_back();

  // Calls visit(value) for the values that are alive because `object` is. How many entries were looked at.
  template <class Visit>
  std::size_t found(std::uintptr_t object, Visit visit) {
    std::size_t looked_at = 0;
    // The table may be built anew meanwhile, so lists are not followed for ever, and what is found there counts only if
    // it is true: whatever is there is an entry that was not swept.
    for (std::uint32_t i = read(heads_[bucket_of(object)]); i != 0 && looked_at <= room_; i = read(waiting_[i].next)) {
      ++looked_at;
      if (read(waiting_[i].object) != object) continue;
      const detail::weak_entry& e = *pointer_to<detail::weak_entry>(read(waiting_[i].entry));
      const std::uintptr_t key = address_of(e.key.load(std::memory_order_acquire));  // pairs with make_entry
      if (key == 0 || (object != key && object != address_of(&e))) continue;
      if (!object_map::is_marked(object == key ? address_of(&e) : key)) continue;
      // acquire: pairs with the release in set_value.
      const std::uintptr_t value = address_of(e.value.load(std::memory_order_acquire));
      if (value != 0 && !object_map::is_marked(value)) visit(value);
    }
    return looked_at;
  }

 private:
  struct waiting {
    std::uint64_t object;  // that has no mark yet
    std::uint64_t entry;
    std::uint32_t next;  // of its bucket
    std::uint32_t unused;
  };

  // relaxed, both: see `found`.
  template <class T>
  static T read(T& from) {
    return std::atomic_ref<T>(from).load(std::memory_order_relaxed);
  }
  template <class T>
  static void write(T& to, std::type_identity_t<T> value) {
    std::atomic_ref<T>(to).store(value, std::memory_order_relaxed);
  }
  std::size_t bucket_of(std::uintptr_t object) const {
    return (object >> 3) * 0x9e3779b97f4a7c15 >> 24 & (buckets_ - 1);
  }
  void put(std::uintptr_t object, detail::weak_entry& entry);

  std::atomic<bool> watched_{false};
  std::size_t room_ = 0;          // for waiting ones; 0: there is no table
  std::size_t buckets_ = 0;       // a power of two
  std::uint32_t last_ = 0;        // of the waiting, which begin at 1
  scratch<std::uint32_t> heads_;  // by bucket
  scratch<waiting> waiting_;
};

}  // namespace umber::gc

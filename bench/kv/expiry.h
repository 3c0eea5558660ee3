// The keys that end by themselves, the next one first: a binary heap of times, in which each entry knows its place. So
// a key whose time is set a million times takes one place, and one that is deleted takes none.
#pragma once

#include "entry.h"

#include <umber/vector.h>

namespace kv {

// A member of a managed object, which the caller holds; guarded by the lock of its shard.
class expiry_line {
 public:
  // Sets the time at which an entry ends, or 0: never. A safepoint where there was none before. Throws std::bad_alloc,
  // and then nothing has changed.
  void set(const umber::local<entry>& e, std::int64_t at);
  void forget(entry& e) noexcept;
  void clear() noexcept { heap_.clear(); }

  [[nodiscard]] std::size_t size() const noexcept { return heap_.size(); }
  // The one that ends next, if its time is past; else null.
  [[nodiscard]] entry* due(std::int64_t now) const noexcept;

 private:
  struct item {
    std::int64_t at = 0;
    umber::field<entry> who;
  };

  void put(std::size_t place, std::int64_t at, entry* who) noexcept;
  void move_up(std::size_t place, std::int64_t at, entry* who) noexcept;
  void move_down(std::size_t place, std::int64_t at, entry* who) noexcept;

  umber::vector<item> heap_;

 public:
  static constexpr auto pointers = umber::pointers(&expiry_line::heap_);
};

}  // namespace kv

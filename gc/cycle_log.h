// What the last cycles were: for who watches a heap, and does not want to be called by its collector.
//
// A ring of records, the newest over the oldest. Who looks often enough by the number of the last cycle that it has
// seen misses none; nothing is allocated for it but the ring, which a heap leaves to the next one.
//
// Invariants
//   [cycle_log.1] `read` gives the records of consecutive cycles, of which the last is the newest that there is room
//                 for.
// Concurrency
//   `add`: the collector's thread. `read`: anybody. The lock (rank cycle_log) is held while records are copied.
// Uses / used by
//   Uses metadata, sync, and the public heap.h. Used by managed_heap, trace, embed.
#pragma once

#include "alloc/metadata.h"
#include "alloc/sync.h"

#include <umber/heap.h>

namespace umber::gc {

using namespace alloc;

class cycle_log {
 public:
  static constexpr std::size_t capacity = 256;

  // Forgets all. False: no memory.
  [[nodiscard]] bool start() {
    const lock_guard guard(lock_);
    last_ = 0;
    if (records_ == nullptr)
      records_ = static_cast<cycle_statistics*>(metadata::allocate(capacity * sizeof(cycle_statistics)));
    return records_ != nullptr;
  }

  // The record of the cycle after the last one.
  void add(const cycle_statistics& record) {
    const lock_guard guard(lock_);
    last_ = record.number;
    records_[last_ % capacity] = record;
  }

  // Copies those after number `after`, the oldest first, as many as fit. How many.
  std::size_t read(std::uint64_t after, cycle_statistics* into, std::size_t room) {
    const lock_guard guard(lock_);
    const std::uint64_t lost = last_ > capacity ? last_ - capacity : 0;
    if (after < lost) after = lost;
    std::size_t count = 0;
    while (count < room && after + count < last_) {
      into[count] = records_[(after + count + 1) % capacity];
      ++count;
    }
    return count;
  }

 private:
  mutex<rank::cycle_log> lock_;
  std::uint64_t last_ = 0;               // number of the newest record; guarded by lock_, as the next
  cycle_statistics* records_ = nullptr;  // by number, modulo the capacity
};

}  // namespace umber::gc

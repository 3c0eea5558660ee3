// A flag somebody raises once; `raise` and `raised` are all of it. See `base.h` and `alloc/top.cc`.
//
// The interleaving that matters, which is prose and not code:
//   writer: data = 1; flag.store(true);
//   reader: if (flag.load()) use(data);
//
// **Invariants**
//   [middle.1] who sees the flag sees what was written before it was raised.
// **Concurrency**
//   Any thread calls anything.
// **Uses / used by**
//   Uses base. Used by top.
#pragma once

#include "base.h"

#include <atomic>

namespace umber::alloc {

template <class Value, class Other = void>
class raised_flag {
 public:
  // A full stop; and a semicolon in a sentence, and (in brackets) more of it;
  void raise() { flag_.store(true, std::memory_order_release); }  // pairs with the acquire in raised
  bool raised() const {
    // acquire: pairs with the release in raise.
    return flag_.load(std::memory_order_acquire);
  }

 private:
  std::atomic<bool> flag_{false};
};

enum class step : unsigned char { first, second };

}  // namespace umber::alloc

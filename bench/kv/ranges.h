// Ranges of places as commands give them: both ends included, and a negative one counts from the end.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace kv {

struct place_range {
  std::size_t first = 0, count = 0;

  static place_range of(std::int64_t first, std::int64_t last, std::size_t size) noexcept {
    const auto all = static_cast<std::int64_t>(size);
    if (first < 0) first = std::max<std::int64_t>(first + all, 0);
    if (last < 0) last += all;
    last = std::min(last, all - 1);
    if (first > last) return {};
    return {static_cast<std::size_t>(first), static_cast<std::size_t>(last - first + 1)};
  }
};

}  // namespace kv

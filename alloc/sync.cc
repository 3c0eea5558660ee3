#include "sync.h"

#ifndef NDEBUG

namespace umber::alloc {

namespace {
thread_local constinit std::uint32_t held_ranks = 0;
constexpr std::uint32_t bit(rank r) { return std::uint32_t{1} << static_cast<unsigned>(r); }
}  // namespace

void rank_acquired(rank r) {
  // Locks of equal rank may be held together only by fork, which takes them all.
  if (held_ranks >= (bit(r) << 1)) {
    message line;
    line << "umber: lock of rank " << static_cast<std::size_t>(r) << " taken while ranks " << std::size_t{held_ranks}
         << " (bit set) are held";
    die(line);
  }
  held_ranks |= bit(r);
}

void rank_released(rank r) { held_ranks &= ~bit(r); }

void ranks_forgotten() { held_ranks = 0; }

}  // namespace umber::alloc

#endif

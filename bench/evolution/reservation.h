// A contiguous range of address space that is backed by memory only where it is touched.
#pragma once

#include <sys/mman.h>

#include <cstddef>

namespace evolution {

inline constexpr std::size_t reserved_bytes = std::size_t{64} << 30;

// Null when there is no address space left.
inline char* reserve() {
  void* const memory =
      mmap(nullptr, reserved_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return memory == MAP_FAILED ? nullptr : static_cast<char*>(memory);
}

}  // namespace evolution

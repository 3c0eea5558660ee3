// How the managed strings and maps hash; not for use outside of umber.
#pragma once

#include <umber/handle.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace umber::detail {

// Spreads every bit over all (the finalizer of MurmurHash3, by Austin Appleby).
constexpr std::uint64_t mix(std::uint64_t x) noexcept {
  x = (x ^ x >> 33) * 0xff51afd7ed558ccd;
  x = (x ^ x >> 33) * 0xc4ceb9fe1a85ec53;
  return x ^ x >> 33;
}

// The two halves of the product, one over the other.
inline std::uint64_t fold(std::uint64_t a, std::uint64_t b) noexcept {
  __extension__ using wide = unsigned __int128;
  const wide product = wide{a} * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

template <class Word>
std::uint64_t read_word(const char* p) noexcept {
  Word word;
  std::memcpy(&word, p, sizeof word);
  return word;
}

// In the manner of wyhash (Wang Yi). Where the library was loaded is its seed, so that who chooses the keys of a map
// does not know which of them collide.
inline std::uint64_t hash_bytes(const char* p, std::size_t n) noexcept {
  constexpr std::uint64_t odd_1 = 0xa0761d6478bd642f, odd_2 = 0xe7037ed1a0b428db, odd_3 = 0x8ebc6af09c88c6e3;
  std::uint64_t h = reinterpret_cast<std::uintptr_t>(&barriers_on) * odd_3 ^ n;
  for (; n > 16; n -= 16, p += 16) h = fold(read_word<std::uint64_t>(p) ^ odd_1, read_word<std::uint64_t>(p + 8) ^ h);
  std::uint64_t a = 0, b = 0;
  if (n >= 8) {
    a = read_word<std::uint64_t>(p);
    b = read_word<std::uint64_t>(p + n - 8);
  } else if (n >= 4) {
    a = read_word<std::uint32_t>(p);
    b = read_word<std::uint32_t>(p + n - 4);
  } else if (n > 0) {
    a = read_word<unsigned char>(p) << 16 | read_word<unsigned char>(p + n / 2) << 8 |
        read_word<unsigned char>(p + n - 1);
  }
  return fold(odd_2, fold(a ^ odd_1, b ^ h));
}

}  // namespace umber::detail

// The words every other file is written in: attributes for the two temperatures of code, the sizes that the
// hardware and the design fix, and the few arithmetic helpers that <bit> lacks.
//
// A heap has one hot path of a dozen instructions and a long tail of cold code. Which is which is said here once:
// `UMBER_FAST` functions are folded into their caller; `UMBER_SLOW` ones are kept out of it, so that they neither take
// registers nor cache lines from it; `UMBER_WARM` ones are out of the way too, but fast. No other file contains a
// compiler attribute or an `#if` for a platform (except os_*).
//
// Invariants
//   None: nothing here has state.
// Concurrency
//   Everything is a pure function.
// Uses / used by
//   Uses nothing. Used by every file of alloc/ and gc/.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

// Clang says by a question what gcc says by a definition.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer) && !defined(__SANITIZE_THREAD__)
#define __SANITIZE_THREAD__ 1
#endif
#if __has_feature(address_sanitizer) && !defined(__SANITIZE_ADDRESS__)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif

#define UMBER_FAST [[gnu::always_inline]] inline
#define UMBER_WARM [[gnu::noinline]]
#define UMBER_SLOW [[gnu::noinline, gnu::cold]]
#define UMBER_LIKELY(condition) __builtin_expect(static_cast<bool>(condition), true)
#define UMBER_UNLIKELY(condition) __builtin_expect(static_cast<bool>(condition), false)

namespace umber::alloc {

inline constexpr std::size_t kib = 1024;
inline constexpr std::size_t mib = 1024 * kib;
inline constexpr std::size_t gib = 1024 * mib;
inline constexpr std::size_t cache_line = 64;

// What C promises of every block of 16 bytes or more.
inline constexpr std::size_t min_alignment = 16;

// Bits by their number, in the fewest instructions. The x86-64 forms use the flag that the instruction sets anyway,
// which compilers do not think of.
#if defined(__x86_64__)
// Takes the lowest bit out of `bits`, which gives its number; false if there was none.
UMBER_FAST bool take_lowest_bit(std::uint64_t& bits, std::uint64_t& number) {
  bool none;
  asm("bsf %2, %1" : "=@ccz"(none), "=r"(number) : "r"(bits));
  if (UMBER_UNLIKELY(none)) return false;
  bits &= bits - 1;  // not by `number`: the next call waits for these bits
  return true;
}
// Clears bit `number` modulo 64.
UMBER_FAST void clear_bit(std::uint64_t& bits, std::uint64_t number) {
  asm("btr %1, %0" : "+r"(bits) : "r"(number) : "cc");
}
// Sets bit `number` modulo 64; true if it was set.
UMBER_FAST bool set_bit(std::uint64_t& bits, std::uint64_t number) {
  bool was_set;
  asm("bts %2, %1" : "=@ccc"(was_set), "+r"(bits) : "r"(number));
  return was_set;
}
// The upper half of value * factor, and whether the lower half is below `factor`.
UMBER_FAST bool multiply_below(std::uint64_t value, const std::uint64_t& factor, std::uint64_t& upper) {
  bool below;
  std::uint64_t lower = value;
  asm("mulq %[factor]\n\tcmpq %[factor], %[lower]"
      : [lower] "+&a"(lower), "=&d"(upper), "=@ccb"(below)  // early: the address of factor is read twice
      : [factor] "m"(factor));
  return below;
}
#else
UMBER_FAST bool multiply_below(std::uint64_t value, const std::uint64_t& factor, std::uint64_t& upper) {
  const auto product = static_cast<unsigned __int128>(value) * factor;
  upper = static_cast<std::uint64_t>(product >> 64);
  return static_cast<std::uint64_t>(product) < factor;
}
UMBER_FAST bool take_lowest_bit(std::uint64_t& bits, std::uint64_t& number) {
  if (UMBER_UNLIKELY(bits == 0)) return false;
  number = static_cast<std::uint64_t>(__builtin_ctzll(bits));
  bits &= bits - 1;
  return true;
}
UMBER_FAST void clear_bit(std::uint64_t& bits, std::uint64_t number) { bits &= ~(std::uint64_t{1} << (number % 64)); }
UMBER_FAST bool set_bit(std::uint64_t& bits, std::uint64_t number) {
  const std::uint64_t bit = std::uint64_t{1} << (number % 64);
  const bool was_set = (bits & bit) != 0;
  bits |= bit;
  return was_set;
}
#endif

// Between two looks at a word that another thread will change.
inline void spin_pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  asm volatile("yield");
#endif
}

// A relaxed load that may become the memory operand of an instruction, which compilers deny to atomic ones. For words
// of one machine word on the fast paths only.
template <class T>
UMBER_FAST T peek(const std::atomic<T>& word) {
#if defined(__SANITIZE_THREAD__)
  return word.load(std::memory_order_relaxed);  // relaxed: see above
#else
  static_assert(sizeof(std::atomic<T>) == sizeof(T));
  return *reinterpret_cast<const T*>(&word);
#endif
}

#if defined(__SANITIZE_THREAD__)
inline constexpr bool thread_sanitized = true;
#else
inline constexpr bool thread_sanitized = false;
#endif

constexpr bool is_power_of_two(std::size_t n) { return n != 0 && (n & (n - 1)) == 0; }
constexpr std::size_t round_down(std::size_t n, std::size_t alignment) { return n & ~(alignment - 1); }
constexpr std::size_t round_up(std::size_t n, std::size_t alignment) {
  return round_down(n + alignment - 1, alignment);
}
constexpr std::size_t divide_up(std::size_t n, std::size_t by) { return (n + by - 1) / by; }

// An address as a number, and back. Every conversion between the two in the engine goes through this pair.
inline std::uintptr_t address_of(const volatile void* p) { return reinterpret_cast<std::uintptr_t>(p); }
template <class T = void>
T* pointer_to(std::uintptr_t address) {
  return reinterpret_cast<T*>(address);
}

}  // namespace umber::alloc

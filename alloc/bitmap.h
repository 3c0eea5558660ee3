// Runs of ones in arrays of 64-bit words: what the page heap asks of its bitmaps.
//
// Bit i of a bitmap is bit i % 64 of word i / 64, so the lowest address is the lowest bit and "first fit" is "count
// trailing". A one means *there is one to have* (a free page): memory that was never written is then a bitmap without
// anything to give, and nothing needs to be set up for the address space that the heap has not reached.
//
// Whole words are handled at once wherever a question allows it: a run inside one word is found by eroding the word
// (and-ing it with itself, shifted, so that a one survives where n consecutive ones begin; the number of steps is the
// logarithm of n), and runs across words by carrying the ones at a word's upper end into the next.
//
// Invariants
//   [bitmap.1] a function touches the words of its range only, and changes the bits of its range only.
//   [bitmap.2] find_run returns the lowest run there is; summarize agrees with counting bit by bit.
// Concurrency
//   Pure functions over the caller's words.
// Uses / used by
//   Uses base. Used by page_alloc and page_cache.
#pragma once

#include "base.h"

#include <bit>

namespace umber::alloc::bitmap {

inline constexpr std::size_t word_bits = 64;

// Ones at bits [first, first + n) of a word; first + n <= 64.
constexpr std::uint64_t mask(std::size_t first, std::size_t n) {
  return n == 0 ? 0 : (~std::uint64_t{0} >> (word_bits - n)) << first;
}

// std::popcount is a call into a library on a machine whose instruction the build may not assume.
constexpr std::size_t count(std::uint64_t word) {
  word -= (word >> 1) & 0x5555555555555555;
  word = (word & 0x3333333333333333) + ((word >> 2) & 0x3333333333333333);
  word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0f;
  return static_cast<std::size_t>((word * 0x0101010101010101) >> 56);
}

// The trailing and leading ones of a word, as sizes.
constexpr std::size_t ones_from_bottom(std::uint64_t word) { return static_cast<std::size_t>(std::countr_one(word)); }
constexpr std::size_t ones_from_top(std::uint64_t word) { return static_cast<std::size_t>(std::countl_one(word)); }

// The places in a word where n consecutive ones begin, 1 <= n <= 64.
constexpr std::uint64_t starts_of_runs(std::uint64_t word, std::size_t n) {
  std::size_t have = 1;
  while (have < n && word != 0) {
    const std::size_t step = have < n - have ? have : n - have;
    word &= word >> step;
    have += step;
  }
  return word;
}

// Calls `visit(word, mask)` for each word of bits [first, first + n), with the mask of the bits in it.
template <class Word, class Visitor>
UMBER_FAST constexpr void for_each_word(Word* words, std::size_t first, std::size_t n, Visitor visit) {
  while (n != 0) {
    const std::size_t bit = first % word_bits;
    const std::size_t here = n < word_bits - bit ? n : word_bits - bit;
    visit(words[first / word_bits], mask(bit, here));
    first += here;
    n -= here;
  }
}

constexpr void set_range(std::uint64_t* words, std::size_t first, std::size_t n) {
  for_each_word(words, first, n, [](std::uint64_t& word, std::uint64_t bits) { word |= bits; });
}

constexpr void clear_range(std::uint64_t* words, std::size_t first, std::size_t n) {
  for_each_word(words, first, n, [](std::uint64_t& word, std::uint64_t bits) { word &= ~bits; });
}

// How many ones there are in the range.
constexpr std::size_t count_range(const std::uint64_t* words, std::size_t first, std::size_t n) {
  std::size_t total = 0;
  for_each_word(words, first, n, [&](const std::uint64_t& word, std::uint64_t bits) { total += count(word & bits); });
  return total;
}

// Whether every bit of the range is a one, and whether none is.
constexpr bool all_in_range(const std::uint64_t* words, std::size_t first, std::size_t n) {
  std::uint64_t missing = 0;
  for_each_word(words, first, n, [&](const std::uint64_t& word, std::uint64_t bits) { missing |= ~word & bits; });
  return missing == 0;
}
constexpr bool none_in_range(const std::uint64_t* words, std::size_t first, std::size_t n) {
  std::uint64_t present = 0;
  for_each_word(words, first, n, [&](const std::uint64_t& word, std::uint64_t bits) { present |= word & bits; });
  return present == 0;
}

inline constexpr std::size_t not_found = SIZE_MAX;

// The first bit of the lowest run of n ones in bits [from, bits); `bits` in whole words. not_found if there is none.
constexpr std::size_t find_run(const std::uint64_t* words, std::size_t bits, std::size_t n, std::size_t from = 0) {
  std::size_t carried = 0;
  for (std::size_t i = from / word_bits; i * word_bits < bits; ++i) {
    std::uint64_t word = words[i];
    if (i == from / word_bits) word &= ~mask(0, from % word_bits);
    const std::size_t base = i * word_bits;
    const std::size_t low = ones_from_bottom(word);
    if (carried + low >= n) return base - carried;
    if (low == word_bits) {
      carried += word_bits;
      continue;
    }
    const std::uint64_t starts = n <= word_bits ? starts_of_runs(word, n) : 0;
    if (starts != 0) return base + static_cast<std::size_t>(std::countr_zero(starts));
    carried = ones_from_top(word);
  }
  return not_found;
}

// The first bit of the highest run of at least n ones, and its length; length 0 if there is none.
struct found_run {
  std::size_t first = 0;
  std::size_t length = 0;
};
constexpr found_run find_last_run(const std::uint64_t* words, std::size_t bits, std::size_t n) {
  std::size_t end = bits;
  while (end != 0) {
    const std::size_t below = (end - 1) % word_bits + 1;
    const std::uint64_t part = words[(end - 1) / word_bits] << (word_bits - below);
    if (part == 0) {
      end -= below;
      continue;
    }
    end -= static_cast<std::size_t>(std::countl_zero(part));
    std::size_t first = end;
    while (first != 0) {
      const std::size_t in_word = (first - 1) % word_bits + 1;
      const std::size_t ones = ones_from_top(words[(first - 1) / word_bits] << (word_bits - in_word));
      first -= ones;
      if (ones < in_word) break;
    }
    if (end - first >= n) return {first, end - first};
    end = first;
  }
  return {};
}

// The runs of ones of a bitmap: at its start, the longest anywhere, at its end.
struct runs {
  std::size_t start = 0;
  std::size_t longest = 0;
  std::size_t end = 0;
};

constexpr runs summarize(const std::uint64_t* words, std::size_t bits) {
  runs result;
  std::size_t carried = 0;
  bool broken = false;
  for (std::size_t i = 0; i * word_bits < bits; ++i) {
    const std::uint64_t word = words[i];
    if (word == ~std::uint64_t{0}) {
      carried += word_bits;
      continue;
    }
    carried += ones_from_bottom(word);
    if (!broken) result.start = carried;
    broken = true;
    if (carried > result.longest) result.longest = carried;
    carried = ones_from_top(word);
    if (carried > result.longest) result.longest = carried;
    // Grows the longest run by what this word has inside beyond it; most words have nothing.
    if (result.longest < word_bits && count(word) > result.longest) {
      std::uint64_t longer = starts_of_runs(word, result.longest + 1);
      for (; longer != 0; longer &= longer >> 1) ++result.longest;
    }
  }
  if (!broken) return {bits, bits, bits};
  if (carried > result.longest) result.longest = carried;
  result.end = carried;
  return result;
}

}  // namespace umber::alloc::bitmap

// What cfrac, the classic of allocator papers, asks of a heap: the convergents of a continued fraction modulo a large
// number, in bignums of a few words, every result of every operation a fresh block that is dropped one or two steps
// later.
#include "../workloads.h"

#include <algorithm>
#include <utility>

namespace bench {

namespace {

// A natural number in base 2^32, least significant word first, without leading zero words.
struct bignum {
  std::uint32_t length;
  std::uint32_t words[];
};

bignum* make(std::size_t length) {
  auto* made = static_cast<bignum*>(std::malloc(sizeof(bignum) + length * sizeof(std::uint32_t)));
  if (made == nullptr) fail("malloc returned null");
  escape(made);
  made->length = static_cast<std::uint32_t>(length);
  return made;
}

bignum* trim(bignum* number) {
  while (number->length > 0 && number->words[number->length - 1] == 0) --number->length;
  return number;
}

bignum* times_small(const bignum* number, std::uint32_t factor) {
  bignum* product = make(number->length + 1);
  std::uint64_t carry = 0;
  for (std::uint32_t i = 0; i < number->length; ++i) {
    carry += std::uint64_t{number->words[i]} * factor;
    product->words[i] = static_cast<std::uint32_t>(carry);
    carry >>= 32;
  }
  product->words[number->length] = static_cast<std::uint32_t>(carry);
  return trim(product);
}

bignum* plus(const bignum* a, const bignum* b) {
  if (a->length < b->length) std::swap(a, b);
  bignum* sum = make(a->length + 1);
  std::uint64_t carry = 0;
  for (std::uint32_t i = 0; i < a->length; ++i) {
    carry += std::uint64_t{a->words[i]} + (i < b->length ? b->words[i] : 0);
    sum->words[i] = static_cast<std::uint32_t>(carry);
    carry >>= 32;
  }
  sum->words[a->length] = static_cast<std::uint32_t>(carry);
  return trim(sum);
}

bool less(const bignum* a, const bignum* b) {
  if (a->length != b->length) return a->length < b->length;
  for (std::uint32_t i = a->length; i-- > 0;) {
    if (a->words[i] != b->words[i]) return a->words[i] < b->words[i];
  }
  return false;
}

// Requires a >= b.
bignum* minus(const bignum* a, const bignum* b) {
  bignum* difference = make(a->length);
  std::int64_t borrow = 0;
  for (std::uint32_t i = 0; i < a->length; ++i) {
    const std::int64_t digit = std::int64_t{a->words[i]} - (i < b->length ? b->words[i] : 0) + borrow;
    difference->words[i] = static_cast<std::uint32_t>(digit);
    borrow = digit < 0 ? -1 : 0;
  }
  return trim(difference);
}

// Reduces by subtracting the modulus, after multiples of it: each step makes a number and drops one.
bignum* reduce(bignum* number, const bignum* modulus) {
  while (!less(number, modulus)) {
    std::uint32_t factor = 1;
    if (number->length > modulus->length) {
      factor = static_cast<std::uint32_t>(number->words[modulus->length] * 0xFFFFFFFFull /
                                          (std::uint64_t{modulus->words[modulus->length - 1]} + 1));
    }
    bignum* multiple = times_small(modulus, std::max(factor, 1u));
    bignum* rest = minus(number, multiple);
    std::free(multiple);
    std::free(number);
    number = rest;
  }
  return number;
}

bignum* from_words(std::uint32_t low, std::size_t length) {
  bignum* number = make(length);
  for (std::size_t i = 0; i < length; ++i) number->words[i] = low + static_cast<std::uint32_t>(i) * 0x51ED2701u;
  return trim(number);
}

}  // namespace

outcome cfrac(const params& chosen) {
  const std::size_t steps = chosen.scaled(5000000);
  random_source random(17);
  bignum* modulus = from_words(0x8D2B2A31u, 5);
  bignum* before = from_words(1, 1);
  bignum* last = from_words(0x1234567u, 4);
  outcome result;
  for (std::size_t i = 0; i < steps; ++i) {
    const auto quotient = static_cast<std::uint32_t>(random.between(1, 1u << (8 + i % 20)));
    bignum* scaled = times_small(last, quotient);
    bignum* next = reduce(plus(scaled, before), modulus);
    std::free(scaled);
    std::free(before);
    before = last;
    last = next;
    result.checksum += last->length == 0 ? 0 : last->words[0];
  }
  std::free(before);
  std::free(last);
  std::free(modulus);
  result.operations = steps * 5;
  return result;
}

}  // namespace bench

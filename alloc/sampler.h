// Which allocations are samples: each byte that is allocated is one with a chance of 1 / `every`, independently.
//
// An object of s bytes is then a sample with probability 1 - exp(-s / every), and how many of a size are not, before
// the next that is, is a geometric number: floor(E * every / s) with E exponential. That is all of it. Because this
// has no memory, nothing has to count bytes. Where slots come to hand (malloc.cc, gc/refill.cc) the number is drawn, at
// most so many of them are handed to the fast path, and the allocation after those, which finds nothing at hand, is the
// sample. If the slots are used up before, the number is forgotten and drawn again with the next ones. So the
// fast path does not know that it is watched, and what it costs does not change; and no pattern in which a program
// allocates can run in step with it, as it can with a countdown of bytes that all sizes share.
//
// What is known of n samples of a size stands for n / `probability` objects. (Sampling of this kind: gperftools,
// TCMalloc, Go; a countdown each, in all three.)
//
// The C library has logarithms in a library of its own, which the engine does not depend on, so they are made here.
//
// Invariants
//   [sampler.1] a draw is k with probability (1 - p) ^ k * p, where p = probability(size, every), for k < `plenty`.
// Concurrency
//   Any thread; a `stream` belongs to one.
// Uses / used by
//   Uses base, planted. Used by processor (whose streams and cuts they are), profile, malloc, private_heap, gc/.
#pragma once

#include "base.h"
#include "planted.h"

namespace umber::alloc {

namespace sampler {

namespace detail {
inline constinit std::atomic<std::size_t> every{0};  // 0: off
inline constinit std::atomic<std::uint8_t> session{0};
}  // namespace detail

// relaxed, all: a few allocations more or less are watched.
inline bool is_on() { return detail::every.load(std::memory_order_relaxed) != 0; }
inline std::size_t mean() { return detail::every.load(std::memory_order_relaxed); }
// What distinguishes this sampling from earlier ones, whose cuts are no news any more. Not 0.
inline std::uint8_t session() { return detail::session.load(std::memory_order_relaxed); }

// Begins, with a sample about every so many bytes (1: everything); or ends, with 0.
void set(std::size_t every);
// The random numbers of all streams that begin from here on. Without it they are unpredictable.
void set_seed(std::uint64_t seed);

// More slots than ever come to hand at once.
inline constexpr std::uint64_t plenty = 64;

struct stream {
  std::uint64_t state = 0;  // 0: not begun

  // How many objects of `size` bytes are no sample, before one that is; `plenty` stands for all above it, too.
  std::uint64_t draw(std::size_t size);
};

// Of an object, to be a sample.
double probability(std::size_t size, std::size_t every);

// ln(x) for 0 < x <= 1, and 1 - exp(-x) for x >= 0, to about 1e-12 of themselves.
double logarithm(double x);
double one_minus_exp(double x);

// The slots that come to hand at once, in the order in which they are used.
struct cut {
  std::uint64_t now;    // those before the next sample
  std::uint64_t later;  // those from it on; 0: there is no sample among them
};
// Divides slots, given by bits, after the lowest `most`.
cut cut_after(std::uint64_t slots, std::uint64_t most);

}  // namespace sampler

}  // namespace umber::alloc

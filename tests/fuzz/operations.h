// A heap's life as a sequence of small operations, each a struct with `perform(state&)`, and a shadow of what must
// hold.
//
// The shadow knows every live block: its size, its alignment, and the seed of the pattern that fills it. Every
// operation checks the block it touches before it is changed, so a block that was handed out twice, cut short or
// scribbled on is found when it is next seen, at the latest when the state ends. Operations are decoded from bytes, so
// that the same code serves a fuzzer, which invents the bytes, and a random test, which draws them from a seed that it
// prints.
//
// `Heap` supplies static functions named as in C, plus allocate_at_least, free_sized, free_aligned_sized.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>

namespace operations {

inline void fail(const char* what, const void* p, std::size_t n) {
  std::fprintf(stderr, "%s: block %p of %zu bytes\n", what, p, n);
  std::abort();
}

// Bytes to decide by; zeros when they have run out.
class decisions {
 public:
  explicit decisions(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  bool done() const { return at_ >= bytes_.size(); }
  std::uint8_t byte() { return done() ? std::uint8_t{0} : bytes_[at_++]; }
  std::size_t below(std::size_t limit) { return (byte() | std::size_t{byte()} << 8) % limit; }
  // Mostly small, sometimes large, and often next to a power of two, where classes and floors change.
  std::size_t size() {
    const std::size_t shape = byte();
    const std::size_t fine = below(65536);
    if (shape < 160) return fine % 1025;
    if (shape < 200) return fine;
    const std::size_t power = std::size_t{1} << (shape % 22);
    if (shape < 250) return power + fine % 17 - (power > 8 ? 8 : 0);
    return fine * 40;
  }
  std::size_t alignment() { return std::size_t{1} << (byte() % 17); }

 private:
  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;
};

struct block {
  unsigned char* start = nullptr;
  std::size_t size = 0;
  std::uint8_t seed = 0;
  // What it was asked for, when it was asked for by aligned_alloc; else 0.
  std::size_t alignment = 0;

  std::uint8_t pattern(std::size_t i) const { return static_cast<std::uint8_t>(seed + i * 31 + (i >> 7)); }
  // Every byte of a small block; of a large one its ends and one byte in 97.
  template <class Visit>
  void for_pattern(Visit visit) const {
    for (std::size_t i = 0; i < size; i += i < 2048 || i + 512 > size ? 1 : 97) visit(i);
  }
  void fill(std::uint8_t with) {
    seed = with;
    for_pattern([&](std::size_t i) { start[i] = pattern(i); });
  }
  void check(const char* when) const {
    for_pattern([&](std::size_t i) {
      if (start[i] != pattern(i)) fail(when, start, size);
    });
  }
};

template <class Heap>
struct state {
  static constexpr std::size_t most_blocks = 512;
  block blocks[most_blocks];
  std::size_t count = 0;
  std::size_t bytes = 0;

  // Takes on a block just allocated; a null one only when so much is in use that a refusal is legitimate.
  void add(void* p, std::size_t n, std::size_t alignment, std::uint8_t seed) {
    if (p == nullptr) return;
    if (reinterpret_cast<std::uintptr_t>(p) % alignment != 0) fail("misaligned", p, n);
    if (Heap::usable_size(p) < n) fail("usable size below what was asked for", p, n);
    block& b = blocks[count++] = {static_cast<unsigned char*>(p), n, seed};
    for (std::size_t i = 0; i + 1 < count; ++i)
      if (blocks[i].start < b.start + n && b.start < blocks[i].start + blocks[i].size) fail("overlap", p, n);
    bytes += n;
    b.fill(seed);
  }
  block take(std::size_t index) {
    const block b = blocks[index];
    b.check("contents changed");
    blocks[index] = blocks[--count];
    bytes -= b.size;
    return b;
  }
  bool full() const { return count == most_blocks || bytes > (std::size_t{64} << 20); }

  ~state() {
    while (count > 0) Heap::free(take(count - 1).start);
  }
};

template <class Heap>
struct allocate {
  static void perform(state<Heap>& s, decisions& d) {
    const std::size_t n = d.size();
    s.add(Heap::malloc(n), n, n <= 8 ? 8 : 16, d.byte());
  }
};

template <class Heap>
struct allocate_zeroed {
  static void perform(state<Heap>& s, decisions& d) {
    const std::size_t n = d.size();
    const std::size_t count = 1 + d.byte() % 3;
    void* const p = Heap::calloc(count, n);
    const auto* bytes = static_cast<const unsigned char*>(p);
    for (std::size_t i = 0; p != nullptr && i < count * n; ++i)
      if (bytes[i] != 0) fail("calloc is not zero", p, count * n);
    s.add(p, count * n, 8, d.byte());
  }
};

template <class Heap>
struct allocate_aligned {
  static void perform(state<Heap>& s, decisions& d) {
    const std::size_t alignment = d.alignment();
    const std::size_t n = d.size();
    void* const p = Heap::aligned_alloc(alignment, n);
    s.add(p, n, alignment, d.byte());
    if (p != nullptr) s.blocks[s.count - 1].alignment = alignment;
  }
};

template <class Heap>
struct allocate_generously {
  static void perform(state<Heap>& s, decisions& d) {
    const std::size_t n = d.size();
    std::size_t granted = 0;
    void* const p = Heap::allocate_at_least(n, granted);
    if (p != nullptr && granted < n) fail("granted less than was asked for", p, granted);
    s.add(p, granted, n <= 8 ? 8 : 16, d.byte());
  }
};

template <class Heap>
struct resize {
  static void perform(state<Heap>& s, decisions& d) {
    if (s.count == 0) return;
    const block b = s.take(d.below(s.count));
    const std::size_t n = d.size() + 1;
    void* const p = Heap::realloc(b.start, n);
    if (p == nullptr) return Heap::free(b.start);
    const block before{static_cast<unsigned char*>(p), b.size, b.seed};
    before.for_pattern([&](std::size_t i) {
      if (i < n && before.start[i] != before.pattern(i)) fail("realloc lost contents", p, n);
    });
    s.add(p, n, 1, d.byte());
  }
};

template <class Heap>
struct deallocate {
  static void perform(state<Heap>& s, decisions& d) {
    if (s.count == 0) return;
    const block b = s.take(d.below(s.count));
    if (d.byte() % 2 == 0) return Heap::free(b.start);
    if (b.alignment != 0) return Heap::free_aligned_sized(b.start, b.alignment, b.size);
    Heap::free_sized(b.start, b.size);
  }
};

template <class Heap>
struct write {
  static void perform(state<Heap>& s, decisions& d) {
    if (s.count == 0) return;
    block& b = s.blocks[d.below(s.count)];
    b.check("contents changed");
    b.fill(d.byte());
  }
};

template <class Heap>
struct deallocate_many {
  static void perform(state<Heap>& s, decisions& d) {
    for (std::size_t left = s.count * (1 + d.byte() % 4) / 4; left > 0; --left)
      Heap::free(s.take(d.below(s.count)).start);
  }
};

template <class Heap>
void perform_one(state<Heap>& s, decisions& d) {
  const std::uint8_t which = d.byte();
  if (s.full() || which < 90) return deallocate<Heap>::perform(s, d);
  if (which < 150) return allocate<Heap>::perform(s, d);
  if (which < 175) return allocate_zeroed<Heap>::perform(s, d);
  if (which < 195) return allocate_aligned<Heap>::perform(s, d);
  if (which < 210) return allocate_generously<Heap>::perform(s, d);
  if (which < 240) return resize<Heap>::perform(s, d);
  if (which < 255) return write<Heap>::perform(s, d);
  deallocate_many<Heap>::perform(s, d);
}

}  // namespace operations

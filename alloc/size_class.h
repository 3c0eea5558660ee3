// Sizes of blocks, rounded: 68 size classes, made at compile time, and for each the span that holds its slots.
//
// Class 0 stands for large objects, which have pages of their own. The others grow by 16 bytes up to 128, then by an
// eighth of a power of two up to 2 KiB, then by a quarter up to 128 KiB. (64 KiB blocks are slots, not page runs:
// a batch of 1000 of them is then as cheap as one of any other size, where peers fall off a cliff.) Classes of 8, 24
// and 40 bytes are for objects that need 8-byte alignment only; malloc, which owes 16, passes them by.
//
// A span has at most 512 slots, so its bitmap is one cache line. Above 1 KiB it has at most 64, one word, and the next
// word says which slots are known to read as zero. Pages per span: enough slots that a refill is rare, few enough that
// one survivor does not pin much; the waste at a span's end is bounded below.
//
// A slot's number is found by multiplication with the reciprocal ceil(2^64 / size): the product's upper half is the
// quotient, and its lower half is below the reciprocal exactly if the division has no remainder (Lemire, Kaser, Kurz:
// "Faster remainder by direct computation", 2019). So one multiplication finds the slot and catches interior pointers.
//
// Invariants
//   [size_class.1] class_for(n) holds n bytes, is aligned as n demands, and is the smallest malloc class that does.
//   [size_class.2] rounding wastes at most 1/8 of a slot between 128 bytes and 2 KiB, 1/5 above.
//   [size_class.3] a span's unused end is at most 1/16 of it (the 8-byte class, which uses half a page, excepted).
// Concurrency
//   Constants.
// Uses / used by
//   Uses units. Used by mspan, mheap, mcentral, mcache, malloc.
#pragma once

#include "base.h"
#include "units.h"

#include <array>
#include <bit>

namespace umber::alloc {

inline constexpr std::size_t size_class_count = 68;
inline constexpr std::size_t span_class_count = 2 * size_class_count;
inline constexpr std::size_t max_slots = 512;
inline constexpr std::size_t max_table_size = 1024;  // classes up to here are looked up, above they are computed
inline constexpr std::size_t max_small_size = 128 * kib;

struct size_class {
  std::uint8_t value = 0;
  constexpr auto operator<=>(const size_class&) const = default;
};

// A size class and whether its objects may hold pointers. The noscan half comes first: it is malloc's.
struct span_class {
  std::uint8_t value = 0;

  static constexpr span_class noscan(size_class c) { return {c.value}; }
  static constexpr span_class scan(size_class c) { return {static_cast<std::uint8_t>(c.value + size_class_count)}; }
  constexpr bool is_noscan() const { return value < size_class_count; }
  constexpr size_class size() const {
    return {static_cast<std::uint8_t>(is_noscan() ? value : value - size_class_count)};
  }
  constexpr auto operator<=>(const span_class&) const = default;
};

struct class_info {
  std::uint64_t reciprocal = 0;
  std::uint32_t slot_size = 0;
  std::uint16_t slots = 0;
  std::uint16_t pages = 0;
};

namespace size_class_detail {

constexpr std::size_t slots_for(std::size_t size, std::size_t pages) {
  const std::size_t most = size > max_table_size ? 64 : max_slots;
  const std::size_t fit = pages * page_size / size;
  return fit < most ? fit : most;
}

// The span nearest to the wished size whose unused end is at most a sixteenth.
constexpr std::size_t pages_for(std::size_t size) {
  const bool tabled = size <= max_table_size;
  std::size_t wish = (tabled ? max_slots : 32) * size / page_size;
  const std::size_t floor = tabled ? 1 : 8;
  const std::size_t ceiling = tabled ? 8 : 128;
  wish = wish < floor ? floor : wish > ceiling ? ceiling : wish;
  for (std::size_t distance = 0; distance < 16; ++distance)
    for (const std::size_t pages : {wish + distance, wish - distance}) {
      if (pages == 0 || pages > 2 * ceiling) continue;
      if ((pages * page_size - slots_for(size, pages) * size) * 16 <= pages * page_size) return pages;
    }
  return 1;
}

constexpr class_info info_for(std::size_t size) {
  const std::size_t pages = pages_for(size);
  // Of a power of two the exact reciprocal would take any multiple of it below slot 0 for a slot: one more does not.
  const std::uint64_t reciprocal = UINT64_MAX / size + (is_power_of_two(size) ? 2 : 1);
  return {reciprocal, static_cast<std::uint32_t>(size), static_cast<std::uint16_t>(slots_for(size, pages)),
          static_cast<std::uint16_t>(pages)};
}

constexpr std::array<class_info, size_class_count> make_classes() {
  std::array<class_info, size_class_count> classes{};
  std::size_t next = 1;
  for (const unsigned size : {8U, 16U, 24U, 32U, 40U, 48U, 64U, 80U, 96U, 112U, 128U}) classes[next++] = info_for(size);
  for (std::size_t power = 128; power < 2 * kib; power *= 2)
    for (std::size_t step = 1; step <= 8; ++step) classes[next++] = info_for(power + step * power / 8);
  for (std::size_t power = 2 * kib; power < max_small_size; power *= 2)
    for (std::size_t step = 1; step <= 4; ++step) classes[next++] = info_for(power + step * power / 4);
  return next == size_class_count ? classes : std::array<class_info, size_class_count>{};
}

}  // namespace size_class_detail

inline constexpr std::array<class_info, size_class_count> classes = size_class_detail::make_classes();
static_assert(classes[1].slot_size == 8 && classes[size_class_count - 1].slot_size == max_small_size);

constexpr const class_info& info(size_class c) { return classes[c.value]; }
constexpr const class_info& info(span_class c) { return classes[c.size().value]; }

namespace size_class_detail {

constexpr bool malloc_uses(std::size_t size) { return size % min_alignment == 0; }

constexpr std::array<std::uint8_t, max_table_size + 1> make_table() {
  std::array<std::uint8_t, max_table_size + 1> table{};
  std::uint8_t c = 1;
  for (std::size_t n = 0; n <= max_table_size; ++n) {
    while (classes[c].slot_size < n || !malloc_uses(classes[c].slot_size)) ++c;
    table[n] = c;
  }
  return table;
}

inline constexpr std::array<std::uint8_t, max_table_size + 1> table = make_table();
inline constexpr std::uint8_t first_computed = table[max_table_size] + 1;  // 1152 bytes
inline constexpr std::uint8_t first_quarter = first_computed + 8;          // 2560 bytes

constexpr bool wastes_little() {
  for (std::size_t c = 2; c < size_class_count; ++c) {
    const class_info& k = classes[c];
    const std::size_t bytes = k.pages * page_size;
    if ((bytes - std::size_t{k.slots} * k.slot_size) * 16 > bytes) return false;
    const std::size_t rounding = k.slot_size - classes[c - 1].slot_size - 1;
    if (k.slot_size > 128 && rounding * (k.slot_size <= 2 * kib ? 8 : 5) > k.slot_size) return false;
  }
  return true;
}
static_assert(wastes_little(), "[size_class.2] [size_class.3]");

}  // namespace size_class_detail

// The class of a request of n bytes, n <= max_small_size.
constexpr size_class class_for(std::size_t n) {
  using namespace size_class_detail;
  if (n <= max_table_size) return {table[n]};
  const auto log = static_cast<std::size_t>(std::bit_width(n - 1)) - 1;  // 2^log < n <= 2^(log+1)
  if (n <= 2 * kib) return {static_cast<std::uint8_t>(first_computed + ((n - 1 - kib) >> 7))};
  const std::size_t quarter = (n - 1 - (std::size_t{1} << log)) >> (log - 2);
  return {static_cast<std::uint8_t>(first_quarter + (log - 11) * 4 + quarter)};
}

// The class of the smallest slot that holds n bytes at a multiple of `alignment` (a power of two), both at most
// max_small_size. Slots are aligned to the largest power of two that divides their size, up to a page.
constexpr size_class aligned_class_for(std::size_t alignment, std::size_t n) {
  size_class c = class_for(n > alignment ? n : alignment);
  while (info(c).slot_size % alignment != 0) ++c.value;
  return c;
}

static_assert(info(class_for(1025)).slot_size == 1152 && info(class_for(2048)).slot_size == 2048);
static_assert(info(class_for(2049)).slot_size == 2560 && info(class_for(max_small_size)).slot_size == max_small_size);
static_assert(info(class_for(17)).slot_size == 32 && info(class_for(8)).slot_size == 16);

}  // namespace umber::alloc

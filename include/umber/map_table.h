// The tables of umber::map; not for use outside of umber.
//
// A table is an array of groups of 8 places. A group's *control* word has a byte for each place: empty, erased, or
// full with seven bits of the key's hash, so that one word is compared with a key at once. A place is used once in the
// life of its table: it is written, then declared full, and at most declared erased. So a reader that has seen it full
// has the whole of it, and a table is a picture of its part of the map that only ever gains, loses, and has values
// replaced; what is full of erased places is written anew into another table, and never touched again.
#pragma once

#include <umber/container.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <type_traits>

namespace umber::detail {

// One byte of a control word: 0 empty, 1 erased, from 0x80 on full.
struct control {
  static constexpr std::uint64_t ones = 0x0101010101010101, tops = ones << 7;
  static constexpr std::uint64_t erased = 1;

  static constexpr std::uint64_t full(std::uint64_t hash) noexcept { return 0x80 | (hash & 0x7f); }
  // The top bits of the bytes that may be full with this hash: all that are, and few others that are full.
  static constexpr std::uint64_t matches(std::uint64_t word, std::uint64_t hash) noexcept {
    const std::uint64_t difference = word ^ full(hash) * ones;
    return (difference - ones) & ~difference & tops;
  }
  static constexpr std::uint64_t empties(std::uint64_t word) noexcept { return ~word & ~(word << 7) & tops; }
  static constexpr unsigned place_of(std::uint64_t top_bits) noexcept {
    return static_cast<unsigned>(std::countr_zero(top_bits)) / 8;
  }
  static constexpr bool is_full(std::uint64_t word, unsigned place) noexcept {
    return (word >> (place * 8) & 0x80) != 0;
  }
  // A bit for each full place.
  static constexpr std::uint8_t all_full(std::uint64_t word) noexcept {
    return static_cast<std::uint8_t>(((word & tops) >> 7) * 0x0102040810204080 >> 56);
  }
  static constexpr std::uint64_t with(std::uint64_t word, unsigned place, std::uint64_t byte) noexcept {
    return (word & ~(std::uint64_t{0xff} << (place * 8))) | byte << (place * 8);
  }
};

// The first word of a table, behind the array's header: its writer's count of places used, how many bits of a hash
// its entries share, and the version of its large values, odd while one is written.
struct table_word {
  std::uint64_t bits;

  static constexpr table_word fresh(unsigned depth) noexcept { return {depth}; }
  constexpr unsigned depth() const noexcept { return bits & 0xff; }
  constexpr std::size_t used() const noexcept { return bits >> 8 & 0xffffff; }
  constexpr table_word with_one_more() const noexcept { return {bits + 0x100}; }
  constexpr table_word next_version() const noexcept { return {bits + (std::uint64_t{1} << 32)}; }
  constexpr std::uint32_t version() const noexcept { return static_cast<std::uint32_t>(bits >> 32); }
  constexpr bool is_being_written() const noexcept { return (version() & 1) != 0; }
};

// A value in a table, which one thread may replace while others read it. Small ones are atomic.
template <class V, bool Small>
class value_cell {
 public:
  V load(const std::atomic<std::uint64_t>&) const noexcept { return value_.load(std::memory_order_acquire); }
  void init(const V& value) noexcept { value_.store(value, std::memory_order_relaxed); }  // relaxed: not full yet
  void store(std::atomic<std::uint64_t>&, const V& value) noexcept { value_.store(value, std::memory_order_release); }

 private:
  std::atomic<V> value_;
};

// Large ones are copied word by word, and again if the table's version says that one was replaced meanwhile.
template <class V>
class value_cell<V, false> {
  static constexpr std::size_t words = (sizeof(V) + 7) / 8;

 public:
  V load(const std::atomic<std::uint64_t>& state) const noexcept {
    std::uint64_t copy[words];
    for (;;) {
      const table_word before{state.load(std::memory_order_acquire)};  // pairs with the last release in store
      // acquire: pairs with the release in store; who sees a new word sees an odd version, or a later one.
      for (std::size_t i = 0; i < words; ++i) copy[i] = words_[i].load(std::memory_order_acquire);
      const table_word after{state.load(std::memory_order_relaxed)};  // relaxed: after the acquires
      if (before.version() == after.version() && !before.is_being_written()) break;
    }
    std::array<std::byte, sizeof(V)> bytes;
    std::memcpy(bytes.data(), copy, sizeof(V));
    return std::bit_cast<V>(bytes);
  }
  void init(const V& value) noexcept { write(value); }
  void store(std::atomic<std::uint64_t>& state, const V& value) noexcept {
    // relaxed: one thread writes.
    const table_word writing = table_word{state.load(std::memory_order_relaxed)}.next_version();
    state.store(writing.bits, std::memory_order_relaxed);  // relaxed: before the releases in write
    write(value);
    state.store(writing.next_version().bits, std::memory_order_release);  // pairs with the first acquire in load
  }

 private:
  void write(const V& value) noexcept {
    std::uint64_t copy[words] = {};
    std::memcpy(copy, &value, sizeof(V));
    for (std::size_t i = 0; i < words; ++i) words_[i].store(copy[i], std::memory_order_release);  // pairs with load
  }

  std::atomic<std::uint64_t> words_[words];
};

// How a map keeps a key or value: a field as such, other keys as they are, other values in cells.
template <class T>
struct entry_part : element<T> {
  static_assert(!has_fields<T>(), "a key or value of umber::map is a field, or has no fields: make an object of it");
  static_assert(std::is_trivially_copyable_v<T>, "keys and values of umber::map are fields or trivially copyable");
  using cell = value_cell<T, sizeof(T) <= 8 && std::has_single_bit(sizeof(T))>;
  using found = std::optional<T>;

  static T load_value(const cell& c, const std::atomic<std::uint64_t>& state) noexcept { return c.load(state); }
  static void init_value(cell& c, const T& value) noexcept { c.init(value); }
  static void store_value(cell& c, std::atomic<std::uint64_t>& state, const T& value) noexcept {
    c.store(state, value);
  }
  using key_cell = T;
  static const T& load_key(const T& key) noexcept { return key; }
  static void init_key(T& place, const T& key) noexcept { ::new (static_cast<void*>(&place)) T(key); }
  static bool is_gone(const T&) noexcept { return false; }
};
template <class U>
struct entry_part<field<U>> : element<field<U>> {
  using cell = field<U>;
  using found = local<U>;
  static U* load_value(const cell& c, const std::atomic<std::uint64_t>&) noexcept { return c.get(); }
  static void init_value(cell& c, U* value) noexcept { c = value; }
  static void store_value(cell& c, std::atomic<std::uint64_t>&, U* value) noexcept { c = value; }
  using key_cell = field<U>;
  static U* load_key(const cell& key) noexcept { return key.get(); }
  static void init_key(cell& place, U* key) noexcept { place = key; }
  static bool is_gone(U* key) noexcept { return key == nullptr; }
};

template <class K, class V>
struct map_group {
  std::atomic<std::uint64_t> control;
  typename entry_part<K>::key_cell keys[8];
  typename entry_part<V>::cell values[8];
};

// To the collector an array of groups, as any block.
template <class K, class V, class Traits>
class map_table : public block<map_group<K, V>> {
 public:
  using group = map_group<K, V>;
  using key = entry_part<K>;
  using value = entry_part<V>;
  static constexpr bool scanned = key::is_field || value::is_field;
  // A table of this size is split; one whose places are large is smaller, so that it stays an object of a few pages.
  static constexpr std::size_t most_places =
      std::max<std::size_t>(8, std::min<std::size_t>(512, std::bit_floor(16384 / sizeof(group)) * 8));

  struct place {
    group* in = nullptr;
    unsigned at = 0;
    explicit operator bool() const noexcept { return in != nullptr; }
    // acquire: pairs with the releases in add and erase.
    bool is_full() const noexcept { return control::is_full(in->control.load(std::memory_order_acquire), at); }
    decltype(auto) load_key() const noexcept { return key::load_key(in->keys[at]); }
  };

  static local<map_table> make(std::size_t places, unsigned depth) {
    const local<block<group>> made = block<group>::make(places / 8);
    made->extra.store(table_word::fresh(depth).bits, std::memory_order_relaxed);  // relaxed: published later
    return local<map_table>(static_cast<map_table*>(made.get()));
  }

  // relaxed: the writer's own, or what never changes.
  table_word state() const noexcept { return {this->extra.load(std::memory_order_relaxed)}; }
  std::size_t places() const noexcept { return this->capacity() * 8; }
  bool has_room() const noexcept { return state().used() < places() / 8 * 7; }
  std::size_t live() noexcept {
    std::size_t n = 0;
    for_each([&](place) { ++n; });
    return n;
  }

  // Any thread: where the key is, if anywhere.
  template <class Q>
  place find(const Q& wanted, std::uint64_t hash) noexcept {
    // Where it is in a table of that size, as nearly all of a large map are: the header is a miss of its own.
    const group* likely = this->data() + (hash >> 7 & (most_places / 8 - 1));
    __builtin_prefetch(likely);
    __builtin_prefetch(likely + 1);
    for (std::size_t i = first_group(hash), step = 1;; i = next_group(i, step)) {
      group& g = (*this)[i];
      const std::uint64_t word = g.control.load(std::memory_order_acquire);  // pairs with the release in add
      for (std::uint64_t hits = control::matches(word, hash); hits != 0; hits &= hits - 1) {
        const place p{&g, control::place_of(hits)};
        const auto& stored = p.load_key();
        if (!key::is_gone(stored) && Traits::equal(stored, wanted)) return p;
      }
      if (control::empties(word) != 0) return {};
    }
  }
  auto load(place p) noexcept { return value::load_value(p.in->values[p.at], this->extra); }

  // Calls visit(place) for every entry.
  template <class Visit>
  void for_each(Visit visit) noexcept {
    for (std::size_t i = 0; i < this->capacity(); ++i) {
      // relaxed: its writer.
      std::uint64_t full = (*this)[i].control.load(std::memory_order_relaxed) & control::tops;
      for (; full != 0; full &= full - 1) visit(place{&(*this)[i], control::place_of(full)});
    }
  }

  // The writer. There is room, and the key is not here.
  void add(std::uint64_t hash, typename key::argument k, typename value::argument v) noexcept {
    std::size_t i = first_group(hash), step = 1;
    std::uint64_t word;
    // relaxed: one thread writes.
    while (control::empties(word = (*this)[i].control.load(std::memory_order_relaxed)) == 0) i = next_group(i, step);
    group& g = (*this)[i];
    const unsigned at = control::place_of(control::empties(word));
    key::init_key(g.keys[at], k);
    value::init_value(g.values[at], v);
    this->extra.store(state().with_one_more().bits, std::memory_order_relaxed);  // relaxed: read by the writer
    // release: pairs with the acquires of readers.
    g.control.store(control::with(word, at, control::full(hash)), std::memory_order_release);
  }
  void replace(place p, typename value::argument v) noexcept { value::store_value(p.in->values[p.at], this->extra, v); }
  void erase(place p) noexcept {
    const std::uint64_t word = p.in->control.load(std::memory_order_relaxed);  // relaxed: one thread writes
    // release: pairs with is_full; who sees a null sees this.
    p.in->control.store(control::with(word, p.at, control::erased), std::memory_order_release);
    if constexpr (key::is_field) p.in->keys[p.at] = nullptr;
    if constexpr (value::is_field) p.in->values[p.at] = nullptr;
  }

 private:
  std::size_t first_group(std::uint64_t hash) const noexcept { return hash >> 7 & (this->capacity() - 1); }
  // All groups in turn: the steps grow by one.
  std::size_t next_group(std::size_t i, std::size_t& step) const noexcept {
    return (i + step++) & (this->capacity() - 1);
  }
};

}  // namespace umber::detail

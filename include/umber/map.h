// A managed hash map.
//
//   struct index {
//     umber::map<umber::field<umber::string>, umber::field<page>> pages;   // a member of an object, 16 bytes
//   };
//   umber::local<umber::map<int, double>> m = umber::make<umber::map<int, double>>();  // or an object of its own
//   m->insert_or_assign(7, 0.5);
//   if (std::optional<double> half = m->find(7)) std::printf("%f\n", *half);
//   for (const auto& [key, value] : *m) std::printf("%d %f\n", key, value);
//
// Keys and values are fields, or trivially copyable types without fields. A field is given as a pointer or handle, not
// null as a key, and found as a local; a map without fields is never looked into by the collector. Pointers are keys by
// identity, strings by contents (and found by any std::string_view), other types by == and std::hash; another way is a
// third argument like `map_traits`, whose functions do not allocate.
//
// Entries lie in tables of at most 512 places, open addressing in groups of 8, and a directory of the tables by the
// first bits of the hash (extendible hashing). A table that is full is written anew or split in two: so growth is never
// more than one table's work, however large the map, and 16 bytes of key and value take 20 to 40. `erase` frees what an
// entry points to at once, and its place when its table is written anew; `clear` frees all.
//
// Safepoints: inserting. The object that holds the map is held by the caller. A null handle as a value is a value.
//
// Threads: one changes, any read at the same time; no reader waits, nor sees an entry half. A reader that begins after
// a change has ended (and knows it) sees that change. Values up to 8 bytes, and fields, are replaced atomically; who
// reads a larger one while it is replaced reads it again.
//
// Iteration, by a `cursor` or a range-for: an entry that is in the map all the while is met exactly once, any other at
// most once and only while it is there; with the value that it has when it is met. Any thread may change the map, also
// inside the loop. In the order of hashes of tables, which is none.
//
// Complexity: O(1) for all but `clear` (O(1), too) and iteration. A hash that sends more than a table's worth of keys
// to the same few values is paid for in time, and not in memory.
#pragma once

#include <umber/hash.h>
#include <umber/map_table.h>
#include <umber/string.h>

#include <bit>
#include <functional>
#include <iterator>
#include <string_view>
#include <type_traits>

namespace umber {

// The hash of a key, of which any bits may be the good ones, and which keys are equal.
template <class K>
struct map_traits {
  static std::uint64_t hash(const K& key) noexcept {
    if constexpr (std::is_integral_v<K> || std::is_enum_v<K>)
      return static_cast<std::uint64_t>(key);
    else
      return std::hash<K>()(key);
  }
  static bool equal(const K& a, const K& b) noexcept { return a == b; }
};
template <class U>
struct map_traits<field<U>> {
  static std::uint64_t hash(const U* key) noexcept { return reinterpret_cast<std::uintptr_t>(key) >> 4; }
  static bool equal(const U* a, const U* b) noexcept { return a == b; }
};
template <>
struct map_traits<field<string>> {
  static std::uint64_t hash(const string* key) noexcept { return key->hash(); }
  static std::uint64_t hash(std::string_view text) noexcept { return string::hash_of(text); }
  static bool equal(const string* a, const string* b) noexcept { return *a == *b; }
  static bool equal(const string* a, std::string_view b) noexcept { return *a == b; }
};

template <class K, class V, class Traits = map_traits<K>>
class map {
  using table = detail::map_table<K, V, Traits>;
  using directory = array<field<table>>;  // by the first bits of the hash; a table may stand there many times in a row
  using key_part = detail::entry_part<K>;
  using value_part = detail::entry_part<V>;
  using key_argument = typename key_part::argument;
  using value_argument = typename value_part::argument;

 public:
  // What `find` gives: std::optional<V>; of field<U> local<U>, null if the key is not there.
  using found = typename value_part::found;
  class cursor;

  constexpr map() noexcept = default;
  map(const map&) = delete;
  map& operator=(const map&) = delete;

  std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }  // relaxed: a number on its own
  bool empty() const noexcept { return size() == 0; }

  found find(key_argument key) const noexcept { return look_up(key); }
  bool contains(key_argument key) const noexcept { return holds(key); }
  // Throws std::out_of_range.
  typename value_part::given at(key_argument key) const {
    typename value_part::given value{};
    if (!read(key, hash_of(key), value)) detail::throw_out_of_range("umber::map::at");
    return value;
  }
  // By what the traits take as well as a key.
  template <class Q>
  requires(!std::is_convertible_v<const Q&, key_argument>) found find(const Q& key)
  const noexcept { return look_up(key); }
  template <class Q>
  requires(!std::is_convertible_v<const Q&, key_argument>) bool contains(const Q& key) const noexcept {
    return holds(key);
  }

  // True if the key was not there. These throw std::bad_alloc, and then nothing has changed.
  bool insert(key_argument key, value_argument value) { return put(key, value, false); }
  bool insert_or_assign(key_argument key, value_argument value) { return put(key, value, true); }
  // True if the key was there. These are no safepoints.
  bool erase(key_argument key) noexcept { return take_out(key); }
  bool assign(key_argument key, value_argument value) noexcept { return change(key, value); }
  template <class Q>
  requires(!std::is_convertible_v<const Q&, key_argument>) bool erase(const Q& key) noexcept { return take_out(key); }
  template <class Q>
  requires(!std::is_convertible_v<const Q&, key_argument>) bool assign(const Q& key, value_argument value) noexcept {
    return change(key, value);
  }
  void clear() noexcept {
    directory_ = nullptr;
    count(0);
  }

  cursor begin() const noexcept {
    cursor c(*this);
    c.next();
    return c;
  }
  std::default_sentinel_t end() const noexcept { return {}; }

 private:
  static constexpr std::size_t most_places = table::most_places;
  static constexpr unsigned most_depth = 40;

  template <class Q>
  static std::uint64_t hash_of(const Q& key) noexcept {
    return detail::mix(Traits::hash(key));
  }
  static std::size_t first_bits(std::uint64_t hash, unsigned n) noexcept { return n == 0 ? 0 : hash >> (64 - n); }
  static unsigned depth_of(const directory& d) noexcept { return static_cast<unsigned>(std::countr_zero(d.size())); }
  static table* table_in(directory& d, std::uint64_t hash) noexcept { return d[first_bits(hash, depth_of(d))]; }
  table* table_of(std::uint64_t hash) const noexcept {
    directory* d = directory_;
    return d == nullptr ? nullptr : table_in(*d, hash);
  }
  void count(std::size_t n) noexcept { size_.store(n, std::memory_order_relaxed); }  // relaxed: a number on its own

  // Any thread: the value of a key; false if it is not there.
  template <class Q>
  bool read(const Q& key, std::uint64_t hash, typename value_part::given& value) const noexcept {
    for (;;) {
      table* t = table_of(hash);
      if (t == nullptr) return false;
      const typename table::place p = t->find(key, hash);
      if (!p) return false;
      value = t->load(p);
      // A field that was erased meanwhile is null; the key may be there again.
      if (!value_part::is_field || p.is_full()) return true;
    }
  }
  template <class Q>
  found look_up(const Q& key) const noexcept {
    if constexpr (value_part::is_field) {
      found value;
      return read(key, hash_of(key), value) ? value : found();
    } else {
      typename value_part::given value;
      return read(key, hash_of(key), value) ? found(value) : std::nullopt;
    }
  }
  template <class Q>
  bool holds(const Q& key) const noexcept {
    const std::uint64_t hash = hash_of(key);
    table* t = table_of(hash);
    return t != nullptr && t->find(key, hash);
  }
  template <class Q>
  bool take_out(const Q& key) noexcept {
    const std::uint64_t hash = hash_of(key);
    table* t = table_of(hash);
    if (t == nullptr) return false;
    const typename table::place p = t->find(key, hash);
    if (!p) return false;
    t->erase(p);
    count(size() - 1);
    return true;
  }
  template <class Q>
  bool change(const Q& key, value_argument value) noexcept {
    const std::uint64_t hash = hash_of(key);
    table* t = table_of(hash);
    if (t == nullptr) return false;
    const typename table::place p = t->find(key, hash);
    if (p) t->replace(p, value);
    return static_cast<bool>(p);
  }

  bool put(key_argument key, value_argument value, bool replace) {
    const std::uint64_t hash = hash_of(key);
    table* t = table_of(hash);
    if (t != nullptr) {
      if (const typename table::place p = t->find(key, hash)) {
        if (replace) t->replace(p, value);
        return false;
      }
    }
    if (t == nullptr || !t->has_room()) {
      [[maybe_unused]] const typename key_part::held held_key(key);
      [[maybe_unused]] const typename value_part::held held_value(value);
      t = make_room(hash);
    }
    t->add(hash, key, value);
    count(size() + 1);
    return true;
  }

  // How many places `live` entries are given: they fill half of them, or less.
  static std::size_t places_for(std::size_t live) noexcept { return std::max<std::size_t>(8, std::bit_ceil(live * 2)); }

  // The table for one more entry with this hash.
  [[gnu::noinline]] table* make_room(std::uint64_t hash) {
    if (table_of(hash) == nullptr) begin_directory();
    for (;;) {
      const local<table> t(table_of(hash));
      if (t->has_room()) return t;
      const std::size_t places = places_for(t->live());
      if (places <= most_places || !may_split(*t))
        write_anew(t, hash, places);
      else
        split(t, hash);
    }
  }
  void begin_directory() {
    const local<table> t = table::make(8, 0);
    const local<directory> d = make_array<field<table>>(1);
    (*d)[0] = t;
    directory_ = d;
  }
  // A good hash keeps the directory far smaller than this.
  bool may_split(table& t) const noexcept {
    const directory& d = *directory_;
    const unsigned depth = t.state().depth();
    return depth < depth_of(d) || (depth < most_depth && d.size() <= 4 + size() / 32);
  }
  void write_anew(const local<table>& old, std::uint64_t hash, std::size_t places) {
    const unsigned depth = old->state().depth();
    const local<table> t = table::make(places, depth);
    move(*old, [&](std::uint64_t) { return t.get(); });
    publish(t, hash, depth);
  }
  void split(const local<table>& old, std::uint64_t hash) {
    const unsigned depth = old->state().depth();
    if (depth == depth_of(*directory_)) double_directory();
    const local<table> low = table::make(most_places, depth + 1), high = table::make(most_places, depth + 1);
    const std::uint64_t bit = std::uint64_t{1} << (63 - depth);
    move(*old, [&](std::uint64_t h) { return (h & bit) == 0 ? low.get() : high.get(); });
    publish(low, hash & ~bit, depth + 1);
    publish(high, hash | bit, depth + 1);
  }
  template <class Choose>
  static void move(table& from, Choose to) noexcept {
    from.for_each([&](typename table::place p) {
      const auto& key = p.load_key();
      const std::uint64_t hash = hash_of(key);
      to(hash)->add(hash, key, from.load(p));
    });
  }
  // The table is that of all hashes that begin with `depth` bits of this one.
  void publish(table* t, std::uint64_t hash, unsigned depth) noexcept {
    directory& d = *directory_;
    const unsigned more = depth_of(d) - depth;
    const std::size_t first = first_bits(hash, depth) << more;
    for (std::size_t i = first; i < first + (std::size_t{1} << more); ++i) d[i] = t;
  }
  void double_directory() {
    constexpr std::size_t step = 4096;
    const local<directory> old(directory_);
    const local<directory> doubled = make_array<field<table>>(old->size() * 2);
    for (std::size_t i = 0; i < doubled->size(); ++i) {
      if (i % step == step - 1) safepoint();
      (*doubled)[i] = (*old)[i / 2].get();
    }
    directory_ = doubled;
  }

  field<directory> directory_;
  std::atomic<std::size_t> size_{0};

 public:
  static constexpr auto pointers = umber::pointers(&map::directory_);

  // Where an iteration is: the table it is in, and which of its entries were there when it came. The map is held by who
  // iterates. Advancing allocates only where the hash is bad.
  class cursor {
   public:
    struct entry {
      const typename key_part::given& key;
      const typename value_part::given& value;
    };

    // From a position on, as `position` has given it: also of another cursor, or of a map that has changed since.
    explicit cursor(const map& m, std::uint64_t from = 0) noexcept : map_(&m), from_(from) {}
    // To the next entry, or the first; false if there is none.
    bool next() {
      do {
        while (place_ < end_) {
          const std::size_t at = place_++;
          if ((seen_full(at / 8) >> at % 8 & 1) == 0) continue;
          if (meet({&(*table_)[at / 8], static_cast<unsigned>(at % 8)})) return true;
        }
      } while (enter_next_table());
      return false;
    }
    const typename key_part::given& key() const noexcept { return key_; }
    const typename value_part::given& value() const noexcept { return value_; }
    // The same for many entries in a row, then larger. An iteration that goes on from here meets this entry and all
    // that come after it, of those that are in the map all the while.
    std::uint64_t position() const noexcept { return lowest_; }

    cursor& operator++() {
      next();
      return *this;
    }
    entry operator*() const noexcept { return {key_, value_}; }
    friend bool operator==(const cursor& c, std::default_sentinel_t) noexcept { return c.table_ == nullptr; }

   private:
    std::uint8_t& seen_full(std::size_t group) noexcept { return many_ != nullptr ? (*many_)[group] : few_[group]; }

    // The table of the hashes from `from_` on.
    bool enter_next_table() {
      table_ = ended_ ? nullptr : map_->table_of(from_);
      place_ = end_ = 0;
      ended_ = true;
      if (table_ == nullptr) return false;
      const unsigned depth = table_->state().depth();
      lowest_ = from_;
      first_ = depth == 0 ? 0 : first_bits(from_, depth) << (64 - depth);
      from_ = depth == 0 ? 0 : first_ + (std::uint64_t{1} << (64 - depth));
      ended_ = from_ == 0;
      many_ = nullptr;
      if (table_->capacity() > sizeof few_) many_ = make_array<std::uint8_t>(table_->capacity());
      for (std::size_t i = 0; i < table_->capacity(); ++i) {
        // acquire: pairs with the release in add.
        seen_full(i) = detail::control::all_full((*table_)[i].control.load(std::memory_order_acquire));
      }
      end_ = table_->places();
      return true;
    }
    // Takes over the entry if it is still in the map, and was not met before.
    bool meet(const typename table::place& p) {
      if (!p.is_full()) return false;
      const auto& key = p.load_key();
      if (key_part::is_gone(key)) return false;
      key_ = key;
      const bool is_current = map_->table_of(first_) == table_.get();
      if (is_current && lowest_ == first_) {
        value_ = table_->load(p);
        return !table::scanned || p.is_full();
      }
      const std::uint64_t hash = hash_of(key);
      return hash >= lowest_ && map_->read(key, hash, value_);
    }

    const map* map_;
    local<table> table_{};
    local<array<std::uint8_t>> many_{};       // what few_ has no room for
    std::uint8_t few_[most_places / 8] = {};  // a bit for each place that was full on entering
    std::size_t place_ = 0, end_ = 0;         // of table_
    std::uint64_t first_ = 0;                 // hash of the table
    std::uint64_t lowest_ = 0;                // hash of what was not met in another table
    std::uint64_t from_ = 0;                  // the first hash of the next table
    bool ended_ = false;                      // there is none
    typename key_part::given key_{};
    typename value_part::given value_{};
  };
};

}  // namespace umber

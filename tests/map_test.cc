#include <umber/map.h>

#include "heaps.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <stdexcept>
#include <string>
#include <unordered_map>

namespace umber::testing {
namespace {

// Three numbers that must be seen together.
struct triple {
  std::uint64_t a, b, c;
  static triple of(std::uint64_t n) { return {n, ~n, n * 3}; }
  bool whole() const { return b == ~a && c == a * 3; }
};
struct odd_size {
  char text[11];
};

// How a test's map makes keys and values of numbers.
struct plain_numbers {
  using map = umber::map<std::uint64_t, std::uint64_t>;
  static std::uint64_t key(std::uint64_t n) { return n; }
  static std::uint64_t value(std::uint64_t n) { return n; }
  static std::uint64_t number_of_key(std::uint64_t key) { return key; }
  static std::uint64_t number_of(std::uint64_t value) { return value; }
  static bool is(const map& m, std::uint64_t key, std::uint64_t n) { return m.find(key) == n; }
};
struct large_values {
  using map = umber::map<int, triple>;
  static int key(std::uint64_t n) { return static_cast<int>(n); }
  static triple value(std::uint64_t n) { return triple::of(n); }
  static std::uint64_t number_of_key(int key) { return static_cast<std::uint64_t>(key); }
  static std::uint64_t number_of(const triple& value) { return value.whole() ? value.a : UINT64_MAX; }
  static bool is(const map& m, std::uint64_t k, std::uint64_t n) { return number_of(m.find(key(k)).value()) == n; }
};
struct strings_to_objects {
  using map = umber::map<field<string>, field<boxed>>;
  static local<string> key(std::uint64_t n) { return make_string("key " + std::to_string(n)); }
  static local<boxed> value(std::uint64_t n) { return make_boxed(n); }
  static std::uint64_t number_of_key(const local<string>& key) { return std::stoull(key->c_str() + 4); }
  static std::uint64_t number_of(const local<boxed>& value) { return value->number; }
  static bool is(const map& m, std::uint64_t k, std::uint64_t n) {
    const local<boxed> found = m.find("key " + std::to_string(k));
    return found != nullptr && found->number == n;
  }
};
struct few_hashes {
  static std::uint64_t hash(std::uint64_t key) { return key % 3; }
  static bool equal(std::uint64_t a, std::uint64_t b) { return a == b; }
};
struct bad_hashes : plain_numbers {
  using map = umber::map<std::uint64_t, std::uint64_t, few_hashes>;
  static bool is(const map& m, std::uint64_t key, std::uint64_t n) { return m.find(key) == n; }
};

using model = std::unordered_map<std::uint64_t, std::uint64_t>;

template <class Kind>
void agrees(const typename Kind::map& m, const model& expected) {
  REQUIRE(m.size() == expected.size());
  for (const auto& [key, value] : expected) {
    safepoint();
    REQUIRE(Kind::is(m, key, value));
  }
  model met;
  for (const auto& [key, value] : m) {
    safepoint();
    REQUIRE(met.emplace(Kind::number_of_key(key), Kind::number_of(value)).second);
  }
  REQUIRE(met == expected);
}

template <class Kind>
void random_operations(std::size_t rounds, std::uint64_t range) {
  under_heaps([&](heap& h, std::mt19937_64& random, std::size_t scale) {
    const local<typename Kind::map> m = make<typename Kind::map>();
    model expected;
    for (std::size_t i = 1; i < rounds * scale; ++i) {
      const std::uint64_t key = random() % (range * scale);
      const auto what = random() % 2000;
      if (what < 800) {
        REQUIRE(m->insert(Kind::key(key), Kind::value(i)) == expected.emplace(key, i).second);
      } else if (what < 1400) {
        REQUIRE(m->insert_or_assign(Kind::key(key), Kind::value(i)) == (expected.count(key) == 0));
        expected[key] = i;
      } else if (what < 1800) {
        REQUIRE(m->erase(Kind::key(key)) == (expected.erase(key) == 1));
      } else if (what < 1999) {
        REQUIRE(m->contains(Kind::key(key)) == (expected.count(key) == 1));
      } else {
        m->clear();
        expected.clear();
      }
      if (i % 499 == 0) agrees<Kind>(*m, expected);
    }
    h.collect();
    agrees<Kind>(*m, expected);
  });
}

TEST_CASE("map: of numbers behaves as a std::unordered_map") { random_operations<plain_numbers>(2000, 500); }
TEST_CASE("map: of large values behaves as a std::unordered_map") { random_operations<large_values>(1500, 400); }
TEST_CASE("map: of strings and objects behaves as a std::unordered_map") {
  random_operations<strings_to_objects>(1000, 400);
}
TEST_CASE("map: with a bad hash behaves as a std::unordered_map") { random_operations<bad_hashes>(300, 90); }

TEST_CASE("map: without fields it is not scanned, with fields it is found") {
  STATIC_CHECK(!detail::has_fields<detail::map_group<int, triple>>());
  STATIC_CHECK(!detail::has_fields<detail::map_group<double, odd_size>>());
  STATIC_CHECK(detail::has_fields<detail::map_group<int, field<boxed>>>());
  STATIC_CHECK(detail::has_fields<detail::map_group<field<boxed>, int>>());
  STATIC_CHECK(sizeof(plain_numbers::map) == 16);
  struct holder {
    map<int, int> numbers;
  };
  STATIC_CHECK(detail::has_fields<holder>());
}

TEST_CASE("map: grows to many tables, and keeps all") {
  heap h({.minimum = 1 << 20});
  const mutator attached(h);
  const local<plain_numbers::map> m = make<plain_numbers::map>();
  for (std::uint64_t i = 0; i < 300000; ++i) REQUIRE(m->insert(i * 8, i));
  CHECK(m->size() == 300000);
  for (std::uint64_t i = 0; i < 300000; ++i) REQUIRE(m->find(i * 8) == i);
  CHECK(!m->find(1).has_value());
  h.collect();
  CHECK(h.statistics().live_bytes < 300000 * 40);
  std::uint64_t met = 0, sum = 0;
  for (const auto& [key, value] : *m) ++met, sum += value;
  CHECK(met == 300000);
  CHECK(sum == 300000ull * 299999 / 2);
  for (std::uint64_t i = 0; i < 300000; ++i) REQUIRE(m->erase(i * 8));
  CHECK(m->empty());
  CHECK(m->begin() == m->end());
}

TEST_CASE("map: churn at one size does not make it larger") {
  heap h({.minimum = 1 << 20});
  const mutator attached(h);
  const local<plain_numbers::map> m = make<plain_numbers::map>();
  for (std::uint64_t i = 0; i < 200000; ++i) {
    m->insert(i, i);
    if (i >= 1000) REQUIRE(m->erase(i - 1000));
  }
  h.collect();
  CHECK(m->size() == 1000);
  CHECK(h.statistics().live_bytes < 200000);
}

TEST_CASE("map: values of odd sizes, enums and floating keys") {
  enum class colour : std::uint8_t { red, green };
  heap h;
  const mutator attached(h);
  const local<map<colour, odd_size>> m = make<map<colour, odd_size>>();
  m->insert(colour::green, {"green"});
  CHECK(std::string(m->at(colour::green).text) == "green");
  CHECK_THROWS_AS(m->at(colour::red), std::out_of_range);
  const local<map<double, char>> d = make<map<double, char>>();
  d->insert(0.5, 'h');
  CHECK(d->find(0.5) == 'h');
  CHECK(d->find(0.25) == std::nullopt);
}

TEST_CASE("map: objects are keys by identity, and what is erased is not kept alive") {
  under_heaps([](heap& h, std::mt19937_64&, std::size_t scale) {
    using object_map = map<field<boxed>, field<boxed>>;
    const local<object_map> m = make<object_map>();
    const local<array<field<boxed>>> keys = make_array<field<boxed>>(100 * scale);
    for (std::size_t i = 0; i < keys->size(); ++i) {
      (*keys)[i] = make_boxed(7);
      m->insert((*keys)[i], make_boxed(i));
    }
    for (std::size_t i = 0; i < keys->size(); ++i) REQUIRE(m->find((*keys)[i])->number == i);
    const weak<boxed> key((*keys)[3].get()), value(m->at((*keys)[3]));
    h.collect();
    CHECK(key.lock() != nullptr);
    CHECK(m->erase((*keys)[3]));
    (*keys)[3] = nullptr;
    h.collect();
    CHECK(key.lock() == nullptr);
    CHECK(value.lock() == nullptr);
    const weak<boxed> other(m->at((*keys)[4]));
    m->clear();
    h.collect();
    CHECK(other.lock() == nullptr);
  });
}

// What an iteration met, while somebody changed the map.
template <class Kind, class Change>
std::multiset<std::uint64_t> iterate(typename Kind::map& m, Change change) {
  std::multiset<std::uint64_t> met;
  typename Kind::map::cursor c(m);
  while (c.next()) {
    const std::uint64_t number = Kind::number_of_key(c.key());
    met.insert(number);
    change(number);
  }
  return met;
}

template <class Kind>
void iterate_under_changes() {
  under_heaps([](heap&, std::mt19937_64& random, std::size_t scale) {
    const std::uint64_t stable = 150 * scale, volatile_range = 600 * scale;
    const local<typename Kind::map> m = make<typename Kind::map>();
    for (std::uint64_t i = 0; i < stable; ++i) m->insert(Kind::key(i), Kind::value(i));
    for (int round = 0; round < 4; ++round) {
      std::multiset<std::uint64_t> met = iterate<Kind>(*m, [&](std::uint64_t now) {
        if (now >= stable) REQUIRE(m->contains(Kind::key(now)));
        for (int i = 0; i < 4; ++i) {
          const std::uint64_t n = stable + random() % volatile_range;
          if (random() % 2 == 0)
            m->insert_or_assign(Kind::key(n), Kind::value(n));
          else
            m->erase(Kind::key(n));
          const std::uint64_t again = random() % stable;
          m->insert_or_assign(Kind::key(again), Kind::value(again));
        }
        if (now >= stable) {  // erased and put back: not to be met again
          m->erase(Kind::key(now));
          m->insert(Kind::key(now), Kind::value(now));
        }
      });
      for (std::uint64_t i = 0; i < stable; ++i) REQUIRE(met.count(i) == 1);
      for (const std::uint64_t n : met) {
        safepoint();
        REQUIRE(met.count(n) == 1);
      }
    }
  });
}

TEST_CASE("map: iteration meets what stays once, and all else at most once") {
  iterate_under_changes<plain_numbers>();
  iterate_under_changes<large_values>();
}
TEST_CASE("map: iteration over strings and objects, too") { iterate_under_changes<strings_to_objects>(); }
TEST_CASE("map: iteration with a bad hash, too") {
  under_heaps([](heap&, std::mt19937_64&, std::size_t) {
    const local<bad_hashes::map> m = make<bad_hashes::map>();
    for (std::uint64_t i = 0; i < 2000; ++i) m->insert(i, i);
    std::uint64_t next = 2000;
    const auto met = iterate<bad_hashes>(*m, [&](std::uint64_t) {
      if (next < 2300) m->insert(next++, 0);
    });
    for (std::uint64_t i = 0; i < 2000; ++i) REQUIRE(met.count(i) == 1);
    for (const std::uint64_t n : met) REQUIRE(met.count(n) == 1);
  });
}

TEST_CASE("map: cleared and filled during an iteration, no entry is met twice") {
  under_heaps([](heap&, std::mt19937_64& random, std::size_t) {
    const local<plain_numbers::map> m = make<plain_numbers::map>();
    for (std::uint64_t i = 0; i < 3000; ++i) m->insert(i, i);
    for (int round = 0; round < 20; ++round) {
      const auto met = iterate<plain_numbers>(*m, [&](std::uint64_t) {
        if (random() % 500 != 0) return;
        m->clear();
        const std::uint64_t count = random() % 3000;
        for (std::uint64_t i = 0; i < count; ++i) m->insert(i, i);
      });
      for (const std::uint64_t n : met) REQUIRE(met.count(n) == 1);
    }
  });
}

TEST_CASE("map: what is found by its text is replaced and erased by it, too, without a string of its own") {
  heap h;
  const mutator attached(h);
  const local<map<field<string>, int>> m = make<map<field<string>, int>>();
  m->insert(make_string("one"), 1);
  CHECK(m->assign(std::string_view("one"), 11));
  CHECK(m->find(std::string_view("one")) == 11);
  CHECK_FALSE(m->assign(std::string_view("two"), 2));
  CHECK(m->size() == 1);
  CHECK(m->erase(std::string_view("one")));
  CHECK_FALSE(m->erase(std::string_view("one")));
  CHECK(m->empty());
}

// Visits the entries of one table; where the next one begins, or 0.
template <class Visit>
std::uint64_t visit_a_table(const map<int, int>& m, std::uint64_t from, Visit visit) {
  map<int, int>::cursor c(m, from);
  std::uint64_t here = 0;
  for (bool first = true; c.next(); first = false) {
    if (!first && c.position() != here) return c.position();
    here = c.position();
    visit(c.key());
  }
  return 0;
}

TEST_CASE("map: iterations that go on from a position meet what stays once, however the map grows between them") {
  heap h;
  const mutator attached(h);
  const local<map<int, int>> m = make<map<int, int>>();
  constexpr int staying = 5000;
  for (int i = 0; i < staying; ++i) m->insert(i, i);
  std::vector<int> met(staying);
  int size = staying, steps = 0;
  std::uint64_t position = 0;
  do {
    position = visit_a_table(*m, position, [&](int key) {
      if (key < staying) ++met[static_cast<std::size_t>(key)];
    });
    for (int n = 0; n < 500; ++n) m->insert(size++, 0);
  } while (++steps < 10000 && position != 0);
  CHECK(steps > 10);
  CHECK(std::count(met.begin(), met.end(), 1) == staying);
}

TEST_CASE("map: what is inserted is held while the map grows") {
  heap h({.torture = 1});
  const mutator attached(h);
  using object_map = map<field<string>, field<boxed>>;
  const local<object_map> m = make<object_map>();
  for (std::uint64_t i = 0; i < 100; ++i) {
    const local<string> held_key = make_string("held " + std::to_string(i));
    boxed* const value = make_boxed(i);
    m->insert(held_key, value);
    const local<boxed> held_value = make_boxed(i + 1000);
    string* const key = make_string("key " + std::to_string(i));
    m->insert(key, held_value);
  }
  for (std::uint64_t i = 0; i < 100; ++i) {
    REQUIRE(m->at(make_string("held " + std::to_string(i)))->number == i);
    REQUIRE(m->at(make_string("key " + std::to_string(i)))->number == i + 1000);
  }
}

TEST_CASE("map: too large a map is bad_alloc, and keeps what it has") {
  heap h({.hard_limit = 8 << 20});
  const mutator attached(h);
  const local<plain_numbers::map> m = make<plain_numbers::map>();
  std::uint64_t n = 0;
  CHECK_THROWS_AS(
      [&] {
        for (;; ++n) m->insert(n, n);
      }(),
      std::bad_alloc);
  CHECK(n > 10000);
  CHECK(m->size() == n);
  for (std::uint64_t i = 0; i < n; ++i) REQUIRE(m->find(i) == i);
}

// One thread changes; the others look up, and iterate: what was put before they began stays.
template <class Kind>
void read_while_changing() {
  under_heaps([](heap& h, std::mt19937_64& random, std::size_t scale) {
    const std::uint64_t stable = 100, range = 100 + 500 * scale;
    const local<typename Kind::map> m = make<typename Kind::map>();
    for (std::uint64_t i = 0; i < stable; ++i) m->insert(Kind::key(i), Kind::value(i));
    typename Kind::map* const shared = m;
    std::atomic<std::uint64_t> wrong{0}, looks{0};
    {
      beside readers(h, 2, [&](unsigned i) {
        if (i == 0) {
          for (std::uint64_t n = 0; n < stable; ++n) (Kind::is(*shared, n, n) ? looks : wrong).fetch_add(1);
        } else {
          std::uint64_t met = 0;
          typename Kind::map::cursor c(*shared);
          while (c.next()) {
            safepoint();
            const std::uint64_t key = Kind::number_of_key(c.key());
            if (Kind::number_of(c.value()) % 1000000 != key) wrong.fetch_add(1);
            met += key < stable;
          }
          (met == stable ? looks : wrong).fetch_add(1);
        }
        return true;
      });
      for (std::uint64_t i = 0; i < 800 * scale; ++i) {
        const std::uint64_t n = stable + random() % (range - stable);
        if (random() % 3 != 0)
          m->insert_or_assign(Kind::key(n), Kind::value(n + 1000000 * (i % 100)));
        else
          m->erase(Kind::key(n));
      }
    }
    CHECK(wrong.load() == 0);
    CHECK(looks.load() > 0);
  });
}

TEST_CASE("map: a value that is replaced and erased all the time is seen whole, or not") {
  struct wide {
    std::uint64_t words[30];
  };
  heap h({.minimum = 256 << 10});
  const mutator attached(h);
  const local<map<int, wide>> wides = make<map<int, wide>>();
  const local<map<int, field<boxed>>> boxes = make<map<int, field<boxed>>>();
  const local<boxed> one = make_boxed(1);
  map<int, wide>* const shared_wides = wides;
  map<int, field<boxed>>* const shared_boxes = boxes;
  std::atomic<std::uint64_t> wrong{0}, seen{0}, gone{0};
  wides->insert(1, {});
  beside readers(h, 2, [&](unsigned i) {
    if (i == 0) {
      const wide now = shared_wides->at(1);
      for (const std::uint64_t word : now.words) (word == now.words[0] ? seen : wrong).fetch_add(1);
    } else {
      try {
        (shared_boxes->at(1) != nullptr ? seen : wrong).fetch_add(1);
      } catch (const std::out_of_range&) {
        gone.fetch_add(1);
      }
    }
    return true;
  });
  for (std::uint64_t n = 0; n < 300000; ++n) {
    wide next;
    std::fill(std::begin(next.words), std::end(next.words), n);
    wides->insert_or_assign(1, next);
    boxes->insert(1, one);
    safepoint();
    boxes->erase(1);
  }
  readers.finish();
  CHECK(wrong.load() == 0);
  CHECK(seen.load() > 0);
}

TEST_CASE("map: readers beside a writer, numbers") { read_while_changing<plain_numbers>(); }
TEST_CASE("map: readers beside a writer, large values") { read_while_changing<large_values>(); }
TEST_CASE("map: readers beside a writer, strings and objects") { read_while_changing<strings_to_objects>(); }

}  // namespace
}  // namespace umber::testing

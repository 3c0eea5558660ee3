#include <umber/vector.h>

#include "heaps.h"

#include <stdexcept>

namespace umber::testing {
namespace {

struct pair_of {
  field<boxed> first;
  std::uint64_t number = 0;
};
struct holder {
  vector<field<boxed>> boxes;
  vector<std::uint64_t> numbers;
};

struct counted {
  explicit counted(std::atomic<int>* c) : count(c) { count->fetch_add(1); }
  counted(const counted&) = delete;
  ~counted() { count->fetch_sub(1); }
  std::atomic<int>* count;
  static constexpr auto pointers = umber::pointers();
};

std::uint64_t number_in(std::uint64_t value) { return value; }
std::uint64_t number_in(const field<boxed>& value) { return value->number; }
std::uint64_t number_in(const pair_of& value) { return value.first->number == value.number ? value.number : 0; }

void push(vector<std::uint64_t>& v, std::uint64_t n) { v.push_back(n); }
void push(vector<field<boxed>>& v, std::uint64_t n) { v.push_back(make_boxed(n)); }
void push(vector<pair_of>& v, std::uint64_t n) {
  const local<boxed> b = make_boxed(n);
  v.emplace_back(b, n);
}

template <class T>
void agrees(const vector<T>& v, const std::vector<std::uint64_t>& model) {
  REQUIRE(v.size() == model.size());
  REQUIRE(v.capacity() >= v.size());
  std::size_t i = 0;
  for (const T& value : v) REQUIRE(number_in(value) == model[i++]);
  REQUIRE(i == model.size());
}

template <class T>
void random_operations() {
  under_heaps([](heap& h, std::mt19937_64& random, std::size_t scale) {
    const local<vector<T>> v = make<vector<T>>();
    std::vector<std::uint64_t> model;
    for (std::size_t i = 1; i < 400 * scale; ++i) {
      const auto what = random() % 100;
      if (what < 60) {
        push(*v, i);
        model.push_back(i);
      } else if (what < 85 && !model.empty()) {
        v->pop_back();
        model.pop_back();
      } else if (what < 98 && !model.empty()) {
        const std::size_t at = random() % model.size();
        REQUIRE(number_in((*v)[at]) == model[at]);
        (*v)[at] = (*v)[model.size() - 1];
        model[at] = model.back();
      } else if (what == 98) {
        v->reserve(random() % 500);
      } else if (random() % 10 == 0) {
        v->clear();
        model.clear();
      }
      if (i % 97 == 0) agrees(*v, model);
    }
    h.collect();
    agrees(*v, model);
  });
}

TEST_CASE("vector: of numbers behaves as a std::vector") { random_operations<std::uint64_t>(); }
TEST_CASE("vector: of fields behaves as a std::vector") { random_operations<field<boxed>>(); }
TEST_CASE("vector: of structs with fields behaves as a std::vector") { random_operations<pair_of>(); }

TEST_CASE("vector: a member of an object, of eight bytes") {
  STATIC_CHECK(sizeof(holder) == 16);
  STATIC_CHECK(detail::has_fields<holder>());
  under_heaps([](heap& h, std::mt19937_64&, std::size_t) {
    const local<holder> owner = make<holder>();
    for (std::uint64_t i = 0; i < 100; ++i) {
      owner->boxes.push_back(make_boxed(i));
      owner->numbers.push_back(i);
    }
    h.collect();
    for (std::uint64_t i = 0; i < 100; ++i) {
      REQUIRE(owner->boxes[i]->number == i);
      REQUIRE(owner->numbers.at(i) == i);
    }
    CHECK_THROWS_AS(owner->numbers.at(100), std::out_of_range);
    CHECK(owner->numbers.front() == 0);
    CHECK(owner->boxes.back()->number == 99);
  });
}

TEST_CASE("vector: what is pushed is held while the vector grows") {
  heap h({.torture = 1});
  const mutator attached(h);
  const local<vector<field<boxed>>> v = make<vector<field<boxed>>>();
  for (std::uint64_t i = 0; i < 200; ++i) {
    boxed* const raw = make_boxed(i);
    v->push_back(raw);
    const local<boxed> other = make_boxed(0);
    REQUIRE(v->back()->number == i);
  }
  const local<vector<std::uint64_t>> n = make<vector<std::uint64_t>>();
  n->push_back(5);
  for (std::size_t i = 0; i < 200; ++i) n->push_back((*n)[i]);
  for (const std::uint64_t number : *n) REQUIRE(number == 5);
}

TEST_CASE("vector: iteration goes over what was there when it began") {
  under_heaps([](heap&, std::mt19937_64&, std::size_t) {
    const local<vector<std::uint64_t>> v = make<vector<std::uint64_t>>();
    for (std::uint64_t i = 0; i < 10; ++i) v->push_back(i);
    const local_slice<std::uint64_t> before = v->snapshot();
    std::uint64_t met = 0;
    for (const std::uint64_t n : *v) {
      REQUIRE(n == met++);
      for (int i = 0; i < 10; ++i) v->push_back(100);
      if (met == 8) v->clear();
    }
    CHECK(met == 10);
    CHECK(v->size() == 20);
    CHECK(before.size() == 10);
    CHECK(before.back() == 9);
    for (const std::uint64_t& n : vector<std::uint64_t>()) FAIL("an empty vector has " << n);
  });
}

TEST_CASE("vector: what is popped or cleared is not kept alive") {
  heap h;
  const mutator attached(h);
  std::atomic<int> count{0};
  const local<vector<field<counted>>> v = make<vector<field<counted>>>();
  for (int i = 0; i < 100; ++i) v->push_back(make<counted>(&count));
  for (int i = 0; i < 40; ++i) v->pop_back();
  h.collect();
  CHECK(count.load() == 60);
  v->clear();
  h.collect();
  CHECK(count.load() == 0);
}

TEST_CASE("vector: too many elements are bad_alloc, and change nothing") {
  heap h({.hard_limit = 8 << 20});
  const mutator attached(h);
  const local<vector<std::uint64_t>> v = make<vector<std::uint64_t>>();
  v->push_back(1);
  CHECK_THROWS_AS(v->reserve(SIZE_MAX / 8), std::bad_alloc);
  CHECK_THROWS_AS(
      [&] {
        for (;;) v->push_back(v->size() + 1);
      }(),
      std::bad_alloc);
  CHECK(v->size() > 1000);
  CHECK(v->back() == v->size());
}

TEST_CASE("vector: readers see a block with its own count while it grows") {
  under_heaps([](heap& h, std::mt19937_64&, std::size_t scale) {
    const local<holder> owner = make<holder>();
    holder* const shared = owner;
    std::atomic<std::uint64_t> wrong{0}, looks{0};
    {
      beside readers(h, 2, [&](unsigned i) {
        const auto check = [&](bool ok) { ok ? looks.fetch_add(1) : wrong.fetch_add(1); };
        std::uint64_t n = 0;
        if (i == 0) {
          for (const std::uint64_t number : shared->numbers) check(number == n++);
          const std::size_t size = shared->numbers.size();
          if (size != 0) check(shared->numbers.snapshot().at(size / 2) == size / 2 || shared->numbers.size() < size);
        } else {
          for (const field<boxed>& b : shared->boxes) {
            const local<boxed> kept(b);
            if (n % 16 == 0) (void)make_boxed(0);
            check(kept == nullptr || kept->number == n);
            ++n;
          }
        }
        return true;
      });
      for (std::size_t round = 0; round < scale; ++round) {
        for (std::uint64_t i = 0; i < 200 * scale; ++i) {
          owner->numbers.push_back(i);
          owner->boxes.push_back(make_boxed(i));
          if (i % 50 == 49) owner->boxes.pop_back(), owner->boxes.push_back(make_boxed(i));
        }
        owner->numbers.clear();
        owner->boxes.clear();
      }
    }
    CHECK(wrong.load() == 0);
    INFO("looks: " << looks.load());
    CHECK(owner->numbers.empty());
  });
}

TEST_CASE("vector: an element is there before it is counted") {
  heap h({.minimum = 1 << 20});
  const mutator attached(h);
  const local<vector<std::uint64_t>> v = make<vector<std::uint64_t>>();
  vector<std::uint64_t>* const shared = v;
  std::atomic<std::uint64_t> wrong{0};
  beside reader(h, 1, [&](unsigned) {
    for (int i = 0; i < 1000; ++i) {
      const auto seen = shared->snapshot();
      if (!seen.empty() && seen.back() != seen.size()) wrong.fetch_add(1);
    }
    return true;
  });
  for (std::uint64_t i = 1; i < 3000000; ++i) {
    v->push_back(i);
    if (i % 1024 == 0) safepoint();
  }
  reader.finish();
  CHECK(wrong.load() == 0);
}

}  // namespace
}  // namespace umber::testing

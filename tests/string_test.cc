#include <umber/string.h>
#include <umber/vector.h>

#include "heaps.h"

#include <set>
#include <string>

namespace umber::testing {
namespace {

std::string random_text(std::mt19937_64& random) {
  std::string text(random() % 60, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

TEST_CASE("string: holds any bytes, and a zero behind them") {
  under_heaps([](heap& h, std::mt19937_64& random, std::size_t scale) {
    const local<vector<field<string>>> strings = make<vector<field<string>>>();
    std::vector<std::string> model;
    for (std::size_t i = 0; i < 100 * scale; ++i) {
      model.push_back(random_text(random));
      strings->push_back(make_string(model.back()));
    }
    h.collect();
    for (std::size_t i = 0; i < model.size(); ++i) {
      const string& s = *(*strings)[i];
      REQUIRE(s.view() == model[i]);
      REQUIRE(s.c_str()[s.size()] == '\0');
      REQUIRE(std::string(s.begin(), s.end()) == model[i]);
    }
  });
}

TEST_CASE("string: compares as its text does") {
  under_heaps([](heap&, std::mt19937_64& random, std::size_t scale) {
    for (std::size_t i = 0; i < 50 * scale; ++i) {
      const std::string a = random_text(random), b = random() % 3 == 0 ? a : random_text(random);
      const local<string> x = make_string(a), y = make_string(b);
      REQUIRE((*x == *y) == (a == b));
      REQUIRE((*x < *y) == (a < b));
      REQUIRE((*x == b) == (a == b));
      REQUIRE((b == *x) == (a == b));
      REQUIRE((*x >= b) == (a >= b));
      REQUIRE((x->compare(b) < 0) == (a.compare(b) < 0));
    }
  });
}

TEST_CASE("string: concatenates strings and text, and keeps what it is made from meanwhile") {
  under_heaps([](heap&, std::mt19937_64& random, std::size_t scale) {
    struct named {
      field<string> name;
    };
    const local<named> object = make<named>();
    std::string model;
    object->name = make_string("");
    for (std::size_t i = 0; i < 30 * scale && model.size() < 100000; ++i) {
      const std::string more = random_text(random);
      const local<string> part = make_string(more);
      object->name = concat(object->name, "<", part, std::string_view(more), ">", part.get());
      model += "<" + more + more + ">" + more;
      REQUIRE(object->name->view() == model);
    }
  });
  heap h({.torture = 1});
  const mutator attached(h);
  for (int i = 0; i < 20; ++i) {
    string* const raw = make_string("abc").get();
    REQUIRE(concat(raw, "/", raw)->view() == "abc/abc");
  }
}

TEST_CASE("string: equal texts have equal hashes, others nearly never") {
  under_heaps([](heap&, std::mt19937_64& random, std::size_t scale) {
    std::set<std::string> texts;
    std::set<std::uint32_t> hashes;
    for (std::size_t i = 0; i < 100 * scale; ++i) {
      const std::string text = random_text(random) + std::to_string(i);
      const local<string> s = make_string(text), t = make_string(text);
      REQUIRE(s->hash() == t->hash());
      REQUIRE(s->hash() == s->hash());
      REQUIRE(s->hash() == string::hash_of(text));
      texts.insert(text);
      hashes.insert(s->hash());
    }
    CHECK(hashes.size() + 2 >= texts.size());
  });
}

TEST_CASE("string: hashes differ in every bit for texts of every short length") {
  for (std::size_t size = 1; size < 70; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      std::uint64_t changed = 0;
      for (int c = 0; c < 64; ++c) {
        std::string text(size, 'a');
        const std::uint64_t before = detail::hash_bytes(text.data(), size);
        text[at] = static_cast<char>('b' + c);
        changed |= before ^ detail::hash_bytes(text.data(), size);
      }
      REQUIRE(changed == UINT64_MAX);
    }
  }
}

TEST_CASE("string: what is too long is bad_alloc") {
  heap h;
  const mutator attached(h);
  char* text;
  CHECK_THROWS_AS(string::make(SIZE_MAX, text), std::bad_alloc);
  CHECK_THROWS_AS(string::make(SIZE_MAX / 2, text), std::bad_alloc);
}

TEST_CASE("string: threads share one, and its hash") {
  heap h({.minimum = 256 << 10});
  const mutator attached(h);
  const local<string> shared = make_string("shared by all");
  string* const raw = shared;
  std::atomic<int> wrong{0}, looks{0};
  beside readers(h, 3, [&](unsigned) {
    const local<string> made = concat(raw, "!");
    if (made->view() != "shared by all!" || raw->hash() != string::hash_of("shared by all")) wrong.fetch_add(1);
    return looks.fetch_add(1) < 20000;
  });
  readers.wait_for_all();
  CHECK(wrong.load() == 0);
}

}  // namespace
}  // namespace umber::testing

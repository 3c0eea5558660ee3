#include <umber/members.h>

#include <any>
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace umber::detail {
namespace {

using place_list = std::vector<std::size_t>;

// The offsets of the members of a T, none of which is made.
template <class T>
place_list places_in() {
  static_assert(obstacle_of<T>() == obstacle::none);
  alignas(T) static constinit std::byte room[sizeof(T)] = {};
  return visit_members(reinterpret_cast<const T&>(room), [](auto, const auto&... members) {
    return place_list{static_cast<std::size_t>(reinterpret_cast<const std::byte*>(&members) - room)...};
  });
}

template <class T>
using types_in = decltype(visit_members(std::declval<const T&>(), [](auto types, const auto&...) { return types; }));

struct empty {};
struct other_empty {};
struct without_default {
  explicit without_default(int v) : text(std::to_string(v)) {}
  std::string text;
};
struct explicit_default {
  explicit explicit_default() {}
  int value = 0;
};
struct split {
  int a, b;
};

}  // namespace
}  // namespace umber::detail

template <>
struct std::tuple_size<umber::detail::split> : std::integral_constant<std::size_t, 1> {};

namespace umber::detail {

TEST_CASE("members: each member is found, with its type") {
  struct mixed {
    char a;
    const int b;
    std::string c;
    mutable bool d : 3;
    std::mutex e;
    std::any f;
    empty g;
  };
  struct shorter {
    char a;
    const int b;
    std::string c;
  };
  CHECK(std::is_same_v<types_in<mixed>, type_list<const char, const int, const std::string, bool, const std::mutex,
                                                  const std::any, const empty>>);
  CHECK(places_in<shorter>() == place_list{0, offsetof(shorter, b), offsetof(shorter, c)});
  CHECK(std::is_same_v<types_in<empty>, type_list<>>);
}

TEST_CASE("members: an array is one member, whatever its size") {
  struct arrays {
    char page[4096];
    std::string words[5];
    int grid[2][3];
    std::array<int, 4> four;
    std::byte megabyte[1 << 20];
    double last;
  };
  CHECK(places_in<arrays>() == place_list{0, offsetof(arrays, words), offsetof(arrays, grid), offsetof(arrays, four),
                                          offsetof(arrays, megabyte), offsetof(arrays, last)});
}

TEST_CASE("members: those without a default constructor are counted among the others") {
  struct first {
    without_default a;
    char text[5];
    int b;
    int c[2][2];
    std::pair<int, int> d[2];
  };
  struct last {
    char text[100];
    std::array<int, 3> numbers;
    without_default a;
  };
  struct all {
    explicit_default a;
    without_default b[1], c;
    split d;
    empty e;
    std::mutex f;
    std::reference_wrapper<int> g;
    std::unique_ptr<int> h;
    int i : 3;
  };
  CHECK(places_in<first>() ==
        place_list{0, offsetof(first, text), offsetof(first, b), offsetof(first, c), offsetof(first, d)});
  CHECK(places_in<last>() == place_list{0, offsetof(last, numbers), offsetof(last, a)});
  CHECK(std::is_same_v<
        types_in<all>,
        type_list<const explicit_default, const without_default[1], const without_default, const split, const empty,
                  const std::mutex, const std::reference_wrapper<int>, const std::unique_ptr<int>, const int>>);
}

TEST_CASE("members: those without a default are not counted beside a large array, or if they have an initialiser") {
  struct large {
    char text[most_values];
    without_default a;
  };
  struct initialised {
    int a;
    explicit_default b = explicit_default();
    char text[1000];
  };
  CHECK(obstacle_of<large>() == obstacle::uncountable);
  CHECK(obstacle_of<initialised>() == obstacle::uncountable);
}

TEST_CASE("members: empty bases are passed by, others are in the way") {
  struct one_base : empty {
    int number;
    std::string text;
  };
  struct middle : empty {};
  struct two_bases : middle, other_empty {
    std::string text;
    without_default a{3};
  };
  struct needs_value : middle, other_empty {
    char text[3];
    without_default a;
  };
  struct any_first {
    std::any a;
    int b;
  };
  struct base {
    int a;
  };
  struct derived : base {
    int b;
  };
  struct nothing_added : empty, base {};
  CHECK(places_in<one_base>() == place_list{0, 8});
  CHECK(std::is_same_v<types_in<two_bases>, type_list<const std::string, const without_default>>);
  CHECK(places_in<needs_value>() == place_list{0, 8});
  CHECK(places_in<any_first>() == place_list{0, offsetof(any_first, b)});
  CHECK(obstacle_of<derived>() == obstacle::base);
  CHECK(obstacle_of<nothing_added>() == obstacle::base);
}

TEST_CASE("members: 64 are found, 65 are too many") {
#define EIGHT(b) b##0, b##1, b##2, b##3, b##4, b##5, b##6, b##7
  struct most {
    long EIGHT(a), EIGHT(b), EIGHT(c), EIGHT(d), EIGHT(e), EIGHT(f), EIGHT(g), EIGHT(h);
  };
  struct some {
    long EIGHT(a), EIGHT(b), EIGHT(c), i, j, k;
  };
  struct too_many {
    long EIGHT(a), EIGHT(b), EIGHT(c), EIGHT(d), EIGHT(e), EIGHT(f), EIGHT(g), EIGHT(h), one_more[1];
  };
#undef EIGHT
  place_list expected(64);
  for (std::size_t i = 0; i < expected.size(); ++i) expected[i] = 8 * i;
  CHECK(places_in<most>() == expected);
  expected.resize(27);
  CHECK(places_in<some>() == expected);
  CHECK(obstacle_of<too_many>() == obstacle::too_many);
}

TEST_CASE("members: references, and what a class says of its own binding, are in the way") {
  struct reference {
    int a;
    int& b;
  };
  struct moved {
    int a;
    int&& b;
  };
  CHECK(obstacle_of<reference>() == obstacle::uncountable);
  CHECK(std::is_same_v<types_in<moved>, type_list<const int, int&&>>);
  CHECK(obstacle_of<split>() == obstacle::uncountable);
}

}  // namespace umber::detail

// The members of an aggregate that says nothing about them: how many there are, and each with its type and its place.
// The way is that of Boost.PFR: brace initialisation counts them, a structured binding finds them.
//
// `visit_members` gives the members of an object; `obstacle_of` tells whether it can.
//
// Counting: T{{}, {}, {}} is well-formed if T has three elements (base classes and members) or more and all have
// defaults. If not all do, elements are counted by how many values, convertible to anything, initialise T. A C array
// then takes as many as it has elements; how many, is how many fewer may follow if it is given one {}.
#pragma once

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>

namespace umber::detail {

template <class... Types>
struct type_list {};

inline constexpr std::size_t most_members = 64;
inline constexpr std::size_t most_values = 128;
inline constexpr std::size_t unknown = SIZE_MAX;

template <std::size_t N>
using number = std::integral_constant<std::size_t, N>;

template <class M, class T>
concept part_of = !std::is_same_v<M, T>;
template <class M, class T>
concept base_of = std::is_base_of_v<M, T> && !std::is_same_v<M, T>;
template <class M, class T>
concept empty_base_of = base_of<M, T> && std::is_empty_v<M>;

// Stand for a value of any type, a variable of any type, and a base class of T.
template <class T>
struct any_value {
  template <part_of<T> M>
  operator M() const noexcept;
};
struct any_variable {
  template <class M>
  operator M&() const noexcept;
};
template <class T>
struct any_base {
  any_base() noexcept;
  any_base(const any_base&) = delete;  // so that a member like std::any does not take it for a value
  template <base_of<T> M>
  operator M() const noexcept;
};
template <class T>
struct any_empty_base {
  any_empty_base() noexcept;
  any_empty_base(const any_empty_base&) = delete;
  template <empty_base_of<T> M>
  operator M() const noexcept;
};

// Whether T{{}, {}, ..., Last{}...}, with Count {}, is well-formed.
template <class T, std::size_t Count, class... Last>
inline constexpr bool takes_defaults = false;
template <class T, class... Last>
inline constexpr bool takes_defaults<T, 0, Last...> = requires {
  T{Last{}...};
};

template <class T, class Visit>
constexpr auto with_members(number<0>, const T&, Visit visit) {
  return visit(type_list<>{});
}

// A structured binding names every member. These macros write the names (and as many {}): eights and some more of them,
// each through the macro X. If the compiler reports an error here, it cannot find the members of the type.
// clang-format off
#define UMBER_EIGHT(X, b) X(b##0), X(b##1), X(b##2), X(b##3), X(b##4), X(b##5), X(b##6), X(b##7),
#define UMBER_EIGHTS_0(X)
#define UMBER_EIGHTS_1(X) UMBER_EIGHT(X, a)
#define UMBER_EIGHTS_2(X) UMBER_EIGHTS_1(X) UMBER_EIGHT(X, b)
#define UMBER_EIGHTS_3(X) UMBER_EIGHTS_2(X) UMBER_EIGHT(X, c)
#define UMBER_EIGHTS_4(X) UMBER_EIGHTS_3(X) UMBER_EIGHT(X, d)
#define UMBER_EIGHTS_5(X) UMBER_EIGHTS_4(X) UMBER_EIGHT(X, e)
#define UMBER_EIGHTS_6(X) UMBER_EIGHTS_5(X) UMBER_EIGHT(X, f)
#define UMBER_EIGHTS_7(X) UMBER_EIGHTS_6(X) UMBER_EIGHT(X, g)
#define UMBER_MORE_1(X) X(z0)
#define UMBER_MORE_2(X) UMBER_MORE_1(X), X(z1)
#define UMBER_MORE_3(X) UMBER_MORE_2(X), X(z2)
#define UMBER_MORE_4(X) UMBER_MORE_3(X), X(z3)
#define UMBER_MORE_5(X) UMBER_MORE_4(X), X(z4)
#define UMBER_MORE_6(X) UMBER_MORE_5(X), X(z5)
#define UMBER_MORE_7(X) UMBER_MORE_6(X), X(z6)
#define UMBER_MORE_8(X) UMBER_MORE_7(X), X(z7)
#define UMBER_NAME(name) name
#define UMBER_TYPE(name) decltype(name)
#define UMBER_DEFAULT(name) {}
#define UMBER_MEMBERS(n, EIGHTS, MORE)                                                                            \
  template <class T, class... Last>                                                                               \
  inline constexpr bool takes_defaults<T, n, Last...> =                                                           \
      requires { T{EIGHTS(UMBER_DEFAULT) MORE(UMBER_DEFAULT), Last{}...}; };                                      \
  template <class T, class Visit>                                                                                 \
  constexpr auto with_members(number<n>, const T& object, Visit visit) {                                          \
    const auto& [EIGHTS(UMBER_NAME) MORE(UMBER_NAME)] = object;                                                   \
    return visit(type_list<EIGHTS(UMBER_TYPE) MORE(UMBER_TYPE)>{}, EIGHTS(UMBER_NAME) MORE(UMBER_NAME));          \
  }
#define UMBER_EIGHT_MEMBERS(k)                                                                                    \
  UMBER_MEMBERS(8 * k + 1, UMBER_EIGHTS_##k, UMBER_MORE_1) UMBER_MEMBERS(8 * k + 2, UMBER_EIGHTS_##k, UMBER_MORE_2) \
  UMBER_MEMBERS(8 * k + 3, UMBER_EIGHTS_##k, UMBER_MORE_3) UMBER_MEMBERS(8 * k + 4, UMBER_EIGHTS_##k, UMBER_MORE_4) \
  UMBER_MEMBERS(8 * k + 5, UMBER_EIGHTS_##k, UMBER_MORE_5) UMBER_MEMBERS(8 * k + 6, UMBER_EIGHTS_##k, UMBER_MORE_6) \
  UMBER_MEMBERS(8 * k + 7, UMBER_EIGHTS_##k, UMBER_MORE_7) UMBER_MEMBERS(8 * k + 8, UMBER_EIGHTS_##k, UMBER_MORE_8)
UMBER_EIGHT_MEMBERS(0)
UMBER_EIGHT_MEMBERS(1)
UMBER_EIGHT_MEMBERS(2)
UMBER_EIGHT_MEMBERS(3)
UMBER_EIGHT_MEMBERS(4)
UMBER_EIGHT_MEMBERS(5)
UMBER_EIGHT_MEMBERS(6)
UMBER_EIGHT_MEMBERS(7)
// clang-format on
#undef UMBER_EIGHT
#undef UMBER_EIGHTS_0
#undef UMBER_EIGHTS_1
#undef UMBER_EIGHTS_2
#undef UMBER_EIGHTS_3
#undef UMBER_EIGHTS_4
#undef UMBER_EIGHTS_5
#undef UMBER_EIGHTS_6
#undef UMBER_EIGHTS_7
#undef UMBER_MORE_1
#undef UMBER_MORE_2
#undef UMBER_MORE_3
#undef UMBER_MORE_4
#undef UMBER_MORE_5
#undef UMBER_MORE_6
#undef UMBER_MORE_7
#undef UMBER_MORE_8
#undef UMBER_NAME
#undef UMBER_TYPE
#undef UMBER_DEFAULT
#undef UMBER_MEMBERS
#undef UMBER_EIGHT_MEMBERS

// The elements of T; unknown if not all have defaults.
template <class T, std::size_t Count = 0>
consteval std::size_t count_by_defaults() {
  if constexpr (!takes_defaults<T, Count>) {
    return unknown;
  } else if constexpr (takes_defaults<T, Count + 1>) {
    return count_by_defaults<T, Count + 1>();
  } else if constexpr (takes_defaults<T, Count, any_value<T>> || takes_defaults<T, Count, any_variable>) {
    return Count == most_members ? most_members + 1 : unknown;
  } else {
    return Count;
  }
}

template <class Any, std::size_t>
using repeated = Any;

// Whether T{Any{}..., any_value...} is well-formed.
template <class T, class Any, std::size_t... First, std::size_t... Rest>
consteval bool takes(std::index_sequence<First...>, std::index_sequence<Rest...>) {
  return requires { T{repeated<Any, First>{}..., repeated<any_value<T>, Rest>{}...}; };
}

// Whether T{any_value..., {}, any_value...} is well-formed.
template <class T, std::size_t... Before, std::size_t... After>
consteval bool takes_one_default(std::index_sequence<Before...>, std::index_sequence<After...>) {
  return requires { T{repeated<any_value<T>, Before>{}..., {}, repeated<any_value<T>, After>{}...}; };
}

// The most values that initialise T; unknown if that is most_values or more, or if none do.
template <class T, std::size_t Count = most_values>
consteval std::size_t count_values() {
  if constexpr (takes<T, any_value<T>>(std::make_index_sequence<Count>(), std::index_sequence<>())) {
    return Count == most_values ? unknown : Count;
  } else if constexpr (Count == 0) {
    return unknown;
  } else {
    return count_values<T, Count - 1>();
  }
}

// How many of the values go to the element whose first one is number First.
template <class T, std::size_t Values, std::size_t First, std::size_t Count = 1>
consteval std::size_t values_of_element() {
  if constexpr (First + Count > Values) {
    return 1;
  } else if constexpr (takes_one_default<T>(std::make_index_sequence<First>(),
                                            std::make_index_sequence<Values - First - Count>())) {
    return Count;
  } else {
    return values_of_element<T, Values, First, Count + 1>();
  }
}

template <class T, std::size_t Values, std::size_t First = 0>
consteval std::size_t count_by_values() {
  if constexpr (First == Values) {
    return 0;
  } else {
    return 1 + count_by_values<T, Values, First + values_of_element<T, Values, First>()>();
  }
}

// How many values must be given to a T: none if there are defaults; unknown if there is no telling.
template <class T>
consteval std::size_t values_needed() {
  if constexpr (count_by_defaults<T>() != unknown)
    return 0;
  else
    return count_values<T>();
}

template <class T>
consteval std::size_t count_elements() {
  if constexpr (values_needed<T>() == 0)
    return count_by_defaults<T>();
  else
    return count_by_values<T, values_needed<T>()>();
}

// How many elements of T are what Any stands for.
template <class T, class Any, std::size_t Count = 0>
consteval std::size_t count_bases() {
  constexpr std::size_t values = values_needed<T>(), rest = values > Count ? values - Count - 1 : 0;
  if constexpr (takes<T, Any>(std::make_index_sequence<Count + 1>(), std::make_index_sequence<rest>())) {
    return count_bases<T, Any, Count + 1>();
  } else {
    return Count;
  }
}

// What keeps the members of an aggregate from being found. `uncountable` is a member that is a reference, or a C array
// beside one without a default constructor, or a class whose structured binding is something else.
enum class obstacle { none, uncountable, base, too_many };

template <class T>
concept is_tuple = requires {
  std::tuple_size<T>::value;
};

template <class T>
consteval obstacle obstacle_of() {
  if constexpr (values_needed<T>() == unknown || is_tuple<T>) {
    return obstacle::uncountable;
  } else {
    constexpr std::size_t bases = count_bases<T, any_base<T>>();
    if (bases != count_bases<T, any_empty_base<T>>()) return obstacle::base;
    return count_elements<T>() - bases > most_members ? obstacle::too_many : obstacle::none;
  }
}

// The members of a T without obstacle, each const; of an object that need not be constructed, if it is all zero. Calls
// visit(type_list<types of the members>{}, members...) and returns what it does.
template <class T, class Visit>
constexpr auto visit_members(const T& object, Visit visit) {
  return with_members(number<count_elements<T>() - count_bases<T, any_base<T>>()>(), object, visit);
}

}  // namespace umber::detail

// What a type consists of, as far as fields may be in it. layout.h tells the rules; this is what they look at.
#pragma once

#include <umber/members.h>

#include <array>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

namespace umber {

template <class T>
class field;
template <class T>
class weak_field;
template <class T>
class persistent;
template <class T>
class weak;
class visitor;

namespace detail {

template <class... Members>
struct pointer_list {
  std::tuple<Members...> members;
};

template <class M>
inline constexpr bool is_slot = false;
template <class U>
inline constexpr bool is_slot<field<U>> = true;
template <class U>
inline constexpr bool is_slot<weak_field<U>> = true;

template <class M>
inline constexpr bool is_handle = false;
template <class U>
inline constexpr bool is_handle<persistent<U>> = true;
template <class U>
inline constexpr bool is_handle<weak<U>> = true;

template <class M>
struct elements_of {
  static constexpr bool is_array = false;
};
template <class E, std::size_t N>
struct elements_of<E[N]> {
  static constexpr bool is_array = true;
  static constexpr std::size_t count = N;
  using type = std::remove_cv_t<E>;
};
template <class E, std::size_t N>
struct elements_of<std::array<E, N>> : elements_of<E[N]> {};
template <class E>
struct elements_of<std::array<E, 0>> {
  static constexpr bool is_array = true;
  static constexpr std::size_t count = 0;
  using type = std::remove_cv_t<E>;
};

template <class M>
struct member_pointer;
template <class Member, class C>
struct member_pointer<Member C::*> {
  using member = std::remove_cv_t<Member>;
  using owner = C;
};

template <class M>
concept has_trace = requires(const M& m, visitor& v) {
  m.trace(v);
};
template <class M>
concept has_mutable_trace = !has_trace<M> && requires(M & m, visitor& v) {
  m.trace(v);
};

template <class List>
inline constexpr bool is_pointer_list = false;
template <class... Members>
inline constexpr bool is_pointer_list<const pointer_list<Members...>> = true;

template <class M>
concept has_pointers = std::is_class_v<M> && is_pointer_list<decltype(M::pointers)>;

// Fields have copying to do, so that what is copied without any has none.
template <class M>
inline constexpr bool is_plain_bytes =
    std::is_trivially_copy_constructible_v<M> || std::is_trivially_move_constructible_v<M>;

// What is known of a type, its parts, and whether it has fields.

enum class shape { slot, traced, declared, array, plain, bare_union, opaque, members, unseen };

template <class M>
consteval shape shape_of() {
  if constexpr (is_slot<M>) {
    static_assert(!is_plain_bytes<M>, "umber: fields must be told from plain bytes");
    return shape::slot;
  } else if constexpr (has_trace<M>) {
    return shape::traced;
  } else if constexpr (has_pointers<M>) {
    return shape::declared;
  } else if constexpr (elements_of<M>::is_array) {
    return shape::array;
  } else if constexpr ((!std::is_class_v<M> && !std::is_union_v<M>) || is_plain_bytes<M> || is_handle<M>) {
    return shape::plain;
  } else if constexpr (std::is_union_v<M>) {
    return shape::bare_union;
  } else if constexpr (!std::is_aggregate_v<M>) {
    return shape::opaque;
  } else {
    return obstacle_of<M>() == obstacle::none ? shape::members : shape::unseen;
  }
}

struct take_types {
  template <class... Types>
  constexpr auto operator()(type_list<Types...>, const auto&...) const {
    return type_list<std::remove_cv_t<Types>...>{};
  }
};

template <class... Members>
consteval auto named_by(const pointer_list<Members...>&) {
  return type_list<typename member_pointer<Members>::member...>{};
}

// Types of what M consists of, as far as fields may be in it; none for a type that is not looked into.
template <class M>
consteval auto parts_of() {
  constexpr shape s = shape_of<M>();
  if constexpr (s == shape::declared) {
    return named_by(M::pointers);
  } else if constexpr (s == shape::array) {
    return std::conditional_t<elements_of<M>::count == 0, type_list<>, type_list<typename elements_of<M>::type>>{};
  } else if constexpr (s == shape::members) {
    return decltype(visit_members(std::declval<const M&>(), take_types())){};
  } else {
    return type_list<>{};
  }
}

// Whether M is, or has a part that is, a field or a type with `trace`.
template <class M>
consteval bool has_fields() {
  constexpr shape s = shape_of<M>();
  const auto any = []<class... Parts>(type_list<Parts...>) { return (has_fields<Parts>() || ...); };
  return s == shape::slot || s == shape::traced || any(parts_of<M>());
}

// Whether M is, or has a part that is, a type with `trace`.
template <class M>
consteval bool is_traced() {
  const auto any = []<class... Parts>(type_list<Parts...>) { return (is_traced<Parts>() || ...); };
  return shape_of<M>() == shape::traced || any(parts_of<M>());
}

}  // namespace detail
}  // namespace umber

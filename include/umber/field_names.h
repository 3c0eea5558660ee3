// What the fields of a type are called, as the compiler knows them: for those who look at a heap from outside.
//
// A member that is named in `pointers` has its name in the constant that it is there. The members of an aggregate are
// found by a structured binding, and the address of each, within an object that is never made, is a constant whose text
// ends with the name of the member. (The way is that of Boost.PFR.)
#pragma once

#include <umber/shape.h>

#include <cstdint>
#include <memory>
#include <string_view>

namespace umber::detail {

template <class T>
constexpr std::string_view name_of_function() noexcept {
  return __PRETTY_FUNCTION__;
}
// The compiler's name of a type: of a function, cut to its template argument by where it stands in a name that is
// known.
template <class T>
constexpr std::string_view name_of() noexcept {
  constexpr std::string_view known = name_of_function<double>(), name = name_of_function<T>();
  constexpr std::size_t before = known.find("double"), around = known.size() - std::string_view("double").size();
  return name.substr(before, name.size() - around);
}

template <auto Constant>
constexpr std::string_view text_of_function() noexcept {
  return __PRETTY_FUNCTION__;
}
struct known_member {
  int member_whose_name_is_known;
};

template <class M>
struct place {
  const M* at;
};
template <class T>
struct never_made {
  const T object;
};
#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wundefined-internal"
#pragma clang diagnostic ignored "-Wundefined-var-template"
#endif
template <class T>
extern const never_made<T> nowhere;

template <class T, std::size_t I>
consteval auto place_of_member() {
  return visit_members(nowhere<T>.object, [](auto, const auto&... members) {
    return place<std::remove_cvref_t<decltype(std::get<I>(std::tie(members...)))>>{
        std::addressof(std::get<I>(std::tie(members...)))};
  });
}

// The name that the text of a constant ends with, but for what follows it in `known`.
consteval std::string_view last_name(std::string_view text, std::string_view known) {
  constexpr std::string_view name = "member_whose_name_is_known";
  text.remove_suffix(known.size() - known.rfind(name) - name.size());
  std::size_t start = text.size();
  const auto belongs = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' || c < 0;
  };
  while (start != 0 && belongs(text[start - 1])) --start;
  return text.substr(start);
}

// A bit-field among the members has no address, and the others then have none that the compiler knows.
template <class T, std::size_t I>
concept has_known_member = requires {
  text_of_function<place_of_member<T, I>()>();
};
template <class T, std::size_t I>
consteval std::string_view name_of_member() {
  return last_name(text_of_function<place_of_member<T, I>()>(), text_of_function<place_of_member<known_member, 0>()>());
}
#ifdef __clang__
#pragma clang diagnostic pop
#endif
template <auto Member>
consteval std::string_view name_of_declared() {
  return last_name(text_of_function<Member>(), text_of_function<&known_member::member_whose_name_is_known>());
}

// "outer.inner[3]": a name or an index, and what comes before it.
struct field_path {
  static constexpr std::size_t no_index = SIZE_MAX;

  const field_path* outer;  // null: this is the object
  std::string_view name;
  std::size_t index = no_index;
};
using named_pointer = void (*)(void* context, std::size_t offset, const field_path& path);

template <class M, class Found>
void name_parts(const M& part, const field_path& path, const Found& found);

template <class M, class Found, std::size_t... I>
void name_declared(const M& part, const field_path& path, const Found& found, std::index_sequence<I...>) {
  (name_parts(part.*std::get<I>(M::pointers.members),
              field_path{&path, name_of_declared<std::get<I>(M::pointers.members)>()}, found),
   ...);
}

template <class T, std::size_t I, class M, class Found>
void name_member(const M& member, const field_path& path, const Found& found) {
  if constexpr (has_fields<M>() && has_known_member<T, I>)
    name_parts(member, field_path{&path, name_of_member<T, I>()}, found);
}
template <class T, class Found, std::size_t... I, class... Members>
void name_members(const field_path& path, const Found& found, std::index_sequence<I...>, const Members&... members) {
  (name_member<T, I>(members, path, found), ...);
}

// Calls found(address of the slot, path) for each slot with a name that is known; none may be in a type with `trace`.
template <class M, class Found>
void name_parts(const M& part, const field_path& path, const Found& found) {
  constexpr shape s = shape_of<M>();
  if constexpr (s == shape::slot) {
    found(static_cast<const void*>(std::addressof(part)), path);
  } else if constexpr (s == shape::declared) {
    using members = std::remove_cvref_t<decltype(M::pointers.members)>;
    name_declared(part, path, found, std::make_index_sequence<std::tuple_size_v<members>>());
  } else if constexpr (s == shape::array) {
    std::size_t i = 0;
    for (const auto& element : part) name_parts(element, field_path{&path, {}, i++}, found);
  } else if constexpr (s == shape::members) {
    visit_members(part, [&](auto, const auto&... members) {
      name_members<M>(path, found, std::make_index_sequence<sizeof...(members)>(), members...);
    });
  }
}

// As find_pointers: there is room for a T, all zero, but no T.
template <class T>
void name_pointers(named_pointer found, void* context) {
  if constexpr (has_fields<T>() && !is_traced<T>()) {
    alignas(T) static constinit std::byte room[sizeof(T)] = {};
    name_parts(reinterpret_cast<const T&>(room), field_path{nullptr, {}},
               [&](const void* slot, const field_path& path) {
                 found(context, static_cast<std::size_t>(static_cast<const std::byte*>(slot) - room), path);
               });
  }
}

}  // namespace umber::detail

// Where the fields of a managed type are. The collector must know every `field` and `weak_field` of an object; most
// types need to say nothing.
//
//   struct node {  // An aggregate: its members are found, in arrays and nested aggregates too.
//     umber::field<node> next;
//     std::string text;
//     umber::field<node> children[4];
//   };
//
//   class account {  // Any other class names the members that are, or hold, fields: after they are declared.
//    public:
//     explicit account(node* owner) : owner_(owner) {}
//
//    private:
//     umber::field<node> owner_;
//
//    public:
//     static constexpr auto pointers = umber::pointers(&account::owner_);
//   };
//
//   struct value {  // What is a field at times shows it while it is one.
//     value() : number(0) {}
//     std::atomic<bool> is_node = false;
//     union {
//       std::atomic<double> number;
//       umber::field<node> object;
//     };
//     void trace(umber::visitor& visit) const {
//       if (is_node) visit.overlaid(object);
//     }
//   };
//
// The first that applies:
//
// 1. A type with `void trace(umber::visitor&) const` is asked, object by object, and so is each type with such a part.
// It
//    gives the visitor whatever holds fields: a field, an array, an aggregate. The collector's threads ask while the
//    program runs: what trace decides by is atomic, and a field is null when it begins to be shown and when it ends.
//    What becomes something else at the same place is shown as `overlaid`, and what it becomes is atomic: the collector
//    may read it a moment late.
//    A large object is asked once for each 16 KiB of it, and what lies outside of these is passed over: an array that
//    is shown as a whole at once, one that is shown element by element at a compare each.
// 2. A type with a public `static constexpr auto pointers = umber::pointers(...)` has those fields; none, if it says
//    `pointers()`. Neither this nor `trace` is inherited: a derived class says its own.
// 3. A field is one. An array or std::array has those of its elements.
// 4. The members of an aggregate are found by the compiler, up to 64, and those of members that are aggregates. It
// cannot
//    see past base classes that have members, references, anonymous unions (name them), volatile bit-fields, members
//    with constructors but no default one if there is a C array of them or one of 128 elements beside them. Such a type
//    does not compile until it says `pointers`.
// 5. Nothing else is looked into. Scalars, raw pointers and classes copied as plain bytes hold no fields, nor do
// handles
//    (`persistent`, `weak`), which are roots. A managed object of any other class does not compile. A member of such a
//    class (a std::string, a mutex) is taken to hold none; what is plainly wrong does not compile: a union that is not
//    plain bytes, a class derived from a field, or a template over fields such as std::vector<field<node>>.
// 6. Unless it is trivial, the destructor runs when the object is swept.
#pragma once

#include <umber/field_names.h>
#include <umber/shape.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace umber {

// The members, each given as &T::member, that are or hold all fields of a T.
template <class... Members>
constexpr auto pointers(Members... members) {
  static_assert((std::is_member_object_pointer_v<Members> && ...), "umber: pointers(...) takes members: &T::member");
  return detail::pointer_list<Members...>{{members...}};
}

namespace detail {

enum class flaw {
  none,
  not_aggregate,
  hidden_fields,
  bare_union,
  base,
  too_many,
  uncountable,
  reference,
  mutable_trace,
  inherited,
  no_field,
};

// What is wrong with a type.

template <class M>
concept complete_object = std::is_object_v<M> && requires {
  sizeof(M);
};

template <class U>
void take_field(const field<U>&);
template <class U>
void take_field(const weak_field<U>&);

// Whether M is derived from a field, or a template whose arguments have fields.
template <class M>
inline constexpr bool hides_fields = requires(const M& m) {
  take_field(m);
};

template <class Argument>
consteval bool argument_has_fields() {
  using M = std::remove_cv_t<std::remove_all_extents_t<Argument>>;
  if constexpr (!complete_object<M>) {
    return false;
  } else {
    return shape_of<M>() == shape::opaque ? hides_fields<M> : has_fields<M>();
  }
}
template <template <class...> class Template, class... Arguments>
inline constexpr bool hides_fields<Template<Arguments...>> = (argument_has_fields<Arguments>() || ...);
template <template <class, std::size_t> class Template, class Argument, std::size_t N>
inline constexpr bool hides_fields<Template<Argument, N>> = argument_has_fields<Argument>();

// Whether the declaration that M has is that of the base class Owner.
template <class M, class Owner>
consteval bool is_declared_by() {
  if constexpr (std::is_same_v<Owner, M> || !has_pointers<Owner>) {
    return false;
  } else {
    return static_cast<const void*>(&Owner::pointers) == &M::pointers;
  }
}
template <class M, class... Members>
consteval bool is_inherited(const pointer_list<Members...>&) {
  return (is_declared_by<M, typename member_pointer<Members>::owner>() || ...);
}

template <class M>
consteval bool is_inherited() {
  if constexpr (shape_of<M>() == shape::declared) {
    return is_inherited<M>(M::pointers);
  } else if constexpr (shape_of<M>() == shape::traced && requires { &M::trace; }) {
    return !std::is_same_v<typename member_pointer<decltype(&M::trace)>::owner, M>;
  } else {
    return false;
  }
}

template <class M>
consteval bool names_no_field() {
  const auto all = []<class... Parts>(type_list<Parts...>) { return (has_fields<Parts>() && ...); };
  return shape_of<M>() == shape::declared && !all(parts_of<M>());
}

constexpr flaw flaw_of(obstacle o) {
  return o == obstacle::base ? flaw::base : o == obstacle::too_many ? flaw::too_many : flaw::uncountable;
}

// A flaw of M itself. Managed: M is the type of an object, and not of a part of one.
template <class M, bool Managed>
consteval flaw own_flaw() {
  constexpr shape s = shape_of<M>();
  if constexpr (std::is_reference_v<M>) return flaw::reference;
  if constexpr (s == shape::bare_union) return flaw::bare_union;
  if constexpr (s == shape::unseen) return flaw_of(obstacle_of<M>());
  if constexpr (s != shape::traced && has_mutable_trace<M>) return flaw::mutable_trace;
  if constexpr (is_inherited<M>()) return flaw::inherited;
  if constexpr (names_no_field<M>()) return flaw::no_field;
  if constexpr (s != shape::opaque) return flaw::none;
  if constexpr (Managed) return flaw::not_aggregate;
  return hides_fields<M> ? flaw::hidden_fields : flaw::none;
}

template <flaw Flaw, class Part>
struct finding {
  static constexpr flaw what = Flaw;
  using part = Part;
};

// The first flaw in M and its parts.
template <class M, bool Managed = true>
consteval auto find_flaw();
consteval auto find_first_flaw(type_list<>) { return finding<flaw::none, void>{}; }
template <class First, class... Rest>
consteval auto find_first_flaw(type_list<First, Rest...>) {
  constexpr auto found = find_flaw<First, false>();
  if constexpr (found.what != flaw::none) {
    return found;
  } else {
    return find_first_flaw(type_list<Rest...>());
  }
}
template <class M, bool Managed>
consteval auto find_flaw() {
  constexpr flaw own = own_flaw<M, Managed>();
  if constexpr (own != flaw::none) {
    return finding<own, M>{};
  } else {
    return find_first_flaw(parts_of<M>());
  }
}

// Compiles if Found is none. What is to be looked at is Part, in a managed Type.
template <class Type, class Part, flaw Found>
consteval void accept() {
  static_assert(Found != flaw::not_aggregate,
                "umber: the type is not an aggregate: say which members are fields with "
                "`static constexpr auto pointers = umber::pointers(...)`, public, or `pointers()` for none");
  static_assert(Found != flaw::hidden_fields, "umber: fields inside this part cannot be found, and would be lost");
  static_assert(Found != flaw::bare_union, "umber: which member a union holds is not known: write a `trace` member");
  static_assert(Found != flaw::base, "umber: members beside a base class cannot be found: say `pointers`");
  static_assert(Found != flaw::too_many, "umber: an aggregate of more than 64 members is to say `pointers`");
  static_assert(Found != flaw::reference, "umber: an object with a member that is a reference is to say `pointers`");
  static_assert(Found != flaw::uncountable,
                "umber: the members of this aggregate cannot be found (is one a reference?): say `pointers`");
  static_assert(Found != flaw::mutable_trace, "umber: trace is to be const: void trace(umber::visitor&) const");
  static_assert(Found != flaw::inherited, "umber: `trace` and `pointers` are not inherited: say them here again");
  static_assert(Found != flaw::no_field, "umber: a member named in `pointers` holds no fields");
}

template <class M>
void visit_parts(const M& object, visitor& visit);

}  // namespace detail

// What a `trace` member is given.
class visitor {
 public:
  using slot_visitor = void (*)(void* context, const void* slot_address);

  // Of what it is shown it visits the slots whose addresses are in [first, end).
  visitor(slot_visitor visit, void* context, std::uintptr_t first = 0, std::uintptr_t end = UINTPTR_MAX,
          slot_visitor visit_overlaid = nullptr) noexcept
      : visit_(visit),
        visit_overlaid_(visit_overlaid == nullptr ? visit : visit_overlaid),
        context_(context),
        first_(first),
        end_(end) {}

  // Shows a field, or all fields of an array, an aggregate, or an object that has declared them.
  template <class M>
  void operator()(const M& part) {
    static_assert(detail::has_fields<M>(), "umber: a visitor is shown what has fields");
    const auto at = reinterpret_cast<std::uintptr_t>(std::addressof(part));
    if (at >= end_ || at + sizeof(M) <= first_) return;
    if constexpr (detail::elements_of<M>::is_array) {
      const std::size_t each = sizeof(M) / detail::elements_of<M>::count;
      const std::size_t skipped = first_ > at ? (first_ - at) / each : 0;
      const std::size_t last = std::min(detail::elements_of<M>::count - 1, (end_ - at - 1) / each);
      for (std::size_t i = skipped; i <= last; ++i) (*this)(part[i]);
    } else if constexpr (detail::is_slot<M>) {
      visit_(context_, std::addressof(part));
    } else {
      detail::visit_parts(part, *this);
    }
  }

  // Shows a field that shares its memory with other things, when it is one: it may have become one of them before it is
  // read, so an address is looked up before it is believed.
  template <class T>
  void overlaid(const T& part) {
    static_assert(detail::is_slot<T>, "umber: a field is overlaid, not what holds fields");
    const auto at = reinterpret_cast<std::uintptr_t>(std::addressof(part));
    if (at < end_ && at + sizeof(part) > first_) visit_overlaid_(context_, std::addressof(part));
  }

 private:
  slot_visitor visit_;
  slot_visitor visit_overlaid_;
  void* context_;
  std::uintptr_t first_;
  std::uintptr_t end_;
};

namespace detail {

template <class M>
void visit_part(const M& part, visitor& visit) {
  if constexpr (has_fields<M>()) visit(part);
}

template <class M>
void visit_parts(const M& object, visitor& visit) {
  constexpr shape s = shape_of<M>();
  if constexpr (s == shape::traced) {
    object.trace(visit);
  } else if constexpr (s == shape::declared) {
    std::apply([&](auto... member) { (visit(object.*member), ...); }, M::pointers.members);
  } else {
    visit_members(object, [&](auto, const auto&... members) { (visit_part(members, visit), ...); });
  }
}

using found_pointer = void (*)(void* context, std::size_t offset);

// Fields have addresses and no contents here: there is room for a T, all zero, but no T.
template <class T>
void find_pointers(found_pointer found, void* context) {
  if constexpr (has_fields<T>() && !is_traced<T>()) {
    alignas(T) static constinit std::byte room[sizeof(T)] = {};
    struct finder {
      found_pointer found;
      void* context;

      static void visit(void* self, const void* slot) {
        const auto* finding = static_cast<const finder*>(self);
        finding->found(finding->context, static_cast<std::size_t>(static_cast<const std::byte*>(slot) - room));
      }
    } finding{found, context};
    visitor visit(finder::visit, &finding);
    visit(reinterpret_cast<const T&>(room));
  }
}

template <class T>
void trace_object(const void* object, visitor& visit) {
  visit_part(*static_cast<const T*>(object), visit);
}

template <class T>
void destroy_object(void* object) {
  std::destroy_at(static_cast<T*>(object));
}

// What the collector knows of a type.
struct type_description {
  const char* name;  // not zero-terminated
  std::size_t name_length;
  std::uint32_t size;
  std::uint32_t alignment;
  void (*find_pointers)(found_pointer found, void* context);            // all slots, if trace is null
  void (*trace)(const void* object, visitor& visit);                    // null: every object has the same slots
  void (*destroy)(void* object);                                        // null: nothing to do
  void (*name_pointers)(named_pointer found, void* context) = nullptr;  // all slots, if their names are known
  std::atomic<std::uint32_t> id{0};                                     // given by the collector at first use
};

template <class T>
inline constinit type_description description{
    .name = name_of<T>().data(),
    .name_length = name_of<T>().size(),
    .size = sizeof(T),
    .alignment = alignof(T),
    .find_pointers = find_pointers<T>,
    .trace = is_traced<T>() ? trace_object<T> : nullptr,
    .destroy = std::is_trivially_destructible_v<T> ? nullptr : destroy_object<T>,
    .name_pointers = has_fields<T>() && !is_traced<T>() ? name_pointers<T> : nullptr,
};

template <class T>
type_description& description_of() noexcept {
  using type = std::remove_cv_t<T>;
  static_assert(complete_object<type>, "umber: a managed object is of a complete object type");
  using found = decltype(find_flaw<type>());
  accept<type, typename found::part, found::what>();
  return description<type>;
}

}  // namespace detail
}  // namespace umber

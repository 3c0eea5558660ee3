#include <umber/heap.h>
#include <umber/layout.h>

#include <algorithm>
#include <any>
#include <array>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace umber::detail {
namespace {

struct leaf {
  int value;
};
using slot_offsets = std::vector<std::size_t>;

template <class T>
slot_offsets offsets_of() {
  slot_offsets result;
  const auto append = [](void* into, std::size_t offset) { static_cast<slot_offsets*>(into)->push_back(offset); };
  description_of<T>().find_pointers(append, &result);
  std::sort(result.begin(), result.end());
  return result;
}

// Offsets of what the type's `trace` shows of an object.
template <class T>
slot_offsets traced_in(const T& object) {
  struct traced {
    const T* object;
    slot_offsets offsets;
  } result{&object, {}};
  visitor visit(
      [](void* context, const void* slot) {
        auto* self = static_cast<traced*>(context);
        const auto distance = static_cast<const std::byte*>(slot) - reinterpret_cast<const std::byte*>(self->object);
        self->offsets.push_back(static_cast<std::size_t>(distance));
      },
      &result);
  description_of<T>().trace(&object, visit);
  return result.offsets;
}

template <class T>
constexpr flaw flaw_in = decltype(find_flaw<T>())::what;

template <class T>
bool has_no_fields() {
  return offsets_of<T>().empty() && description_of<T>().trace == nullptr && !has_fields<T>();
}

enum class colour : std::uint8_t { red, green };
struct empty {};
struct other_empty {};
class with_constructor {
 public:
  with_constructor() {}
  with_constructor(const with_constructor&) {}
};

}  // namespace

TEST_CASE("layout: scalars, strings and plain bytes hold no fields") {
  struct plain {
    int number;
    double real;
    void* pointer;
    leaf* target;
    std::string text;
    colour kind;
    std::vector<std::string> words;
    std::map<int, std::string> names;
    std::byte bytes[100];
  };
  union number {
    int i;
    double d;
  };
  struct anonymous_union {
    int tag;
    union {
      int i;
      double d;
    };
  };
  CHECK(has_no_fields<int>());
  CHECK(has_no_fields<colour>());
  CHECK(has_no_fields<leaf*>());
  CHECK(has_no_fields<leaf>());
  CHECK(has_no_fields<empty>());
  CHECK(has_no_fields<number>());
  CHECK(has_no_fields<anonymous_union>());
  CHECK(has_no_fields<plain>());
  CHECK(has_no_fields<std::string_view>());
  CHECK(has_no_fields<std::array<std::string, 3>>());
}

TEST_CASE("layout: a field itself, arrays of fields, and types with fields of their own type are managed types") {
  struct node {
    field<node> left, right;
    weak_field<node> parent;
  };
  CHECK(offsets_of<node>() == slot_offsets{0, 8, 16});
  CHECK(offsets_of<field<leaf>>() == slot_offsets{0});
  CHECK(offsets_of<weak_field<leaf>>() == slot_offsets{0});
  CHECK(offsets_of<field<leaf>[3]>() == slot_offsets{0, 8, 16});
  CHECK(offsets_of<std::array<field<leaf>, 3>>() == slot_offsets{0, 8, 16});
  CHECK(offsets_of<const field<leaf>>() == slot_offsets{0});
  CHECK(has_no_fields<std::array<field<leaf>, 0>>());
}

TEST_CASE("layout: fields are found between members of every kind") {
  struct mixed {
    char c;
    field<leaf> first;
    std::string text;
    const weak_field<leaf> second;
    std::mutex lock;
    std::atomic<int> count;
    mutable field<leaf> third;
    const int constant = 3;
    std::unique_ptr<int> owned;
    std::optional<int> maybe;
    std::any anything;
    std::function<void(field<leaf>&)> call;
    std::variant<int, std::string> either;
    std::pair<int, std::string> both;
    std::vector<std::any> list;
    with_constructor opaque;
    colour kind;
    int (*function)(int);
    int leaf::*member;
    bool flag;
    field<leaf> last;
  };
  const mixed m{};
  const auto at = [&](const auto& member) {
    return static_cast<std::size_t>(reinterpret_cast<const char*>(&member) - reinterpret_cast<const char*>(&m));
  };
  CHECK(offsets_of<mixed>() == slot_offsets{at(m.first), at(m.second), at(m.third), at(m.last)});
}

TEST_CASE("layout: arrays of any size and depth are looked into") {
  struct pair {
    int key;
    field<leaf> value;
  };
  struct arrays {
    char page[4096];
    field<leaf> one;
    field<leaf> grid[2][3];
    std::string words[5];
    pair pairs[2];
    std::array<pair, 2> more;
    std::byte megabyte[1 << 20];
    std::array<std::array<field<leaf>, 1>, 2> deep[1];
    field<leaf> last;
  };
  slot_offsets expected{offsetof(arrays, one)};
  for (std::size_t i = 0; i < 6; ++i) expected.push_back(offsetof(arrays, grid) + 8 * i);
  for (std::size_t i = 0; i < 4; ++i) expected.push_back(offsetof(arrays, pairs) + 16 * i + 8);
  for (std::size_t i = 0; i < 2; ++i) expected.push_back(offsetof(arrays, deep) + 8 * i);
  expected.push_back(offsetof(arrays, last));
  CHECK(offsets_of<arrays>() == expected);
}

TEST_CASE("layout: nested aggregates are looked into") {
  struct inner {
    empty nothing;
    field<leaf> a;
  };
  struct middle {
    inner first;
    int number;
    inner second;
  };
  struct outer {
    field<leaf> a;
    middle b, c;
    empty nothing;
    inner d;
  };
  CHECK(offsets_of<outer>() == slot_offsets{offsetof(outer, a), offsetof(outer, b) + 8, offsetof(outer, b.second) + 8,
                                            offsetof(outer, c) + 8, offsetof(outer, c.second) + 8,
                                            offsetof(outer, d) + 8});
}

TEST_CASE("layout: bit-fields are passed by") {
  struct packed {
    unsigned a : 3;
    bool b : 1;
    unsigned : 0;
    const colour c : 2 = colour::red;
    mutable unsigned long d : 40 = 0;
    field<leaf> first;
    int e : 5;
    int : 7;
    int f : 5;
    field<leaf> second;
  };
  CHECK(offsets_of<packed>() == slot_offsets{offsetof(packed, first), offsetof(packed, second)});
}

TEST_CASE("layout: members without address and members of great alignment are found in their place") {
  struct inner {
    field<leaf> a;
  };
  struct places {
    [[no_unique_address]] empty nothing;
    [[no_unique_address]] field<leaf> first;
    [[no_unique_address]] other_empty nothing_more;
    [[no_unique_address]] inner second;
    alignas(64) field<leaf> third;
    alignas(32) char c;
    field<leaf> fourth;
  };
  static_assert(sizeof(places) == 128);
  CHECK(offsets_of<places>() == slot_offsets{0, 8, 64, 104});
}

namespace {

class account {
 public:
  explicit account(int n) : number_(n) {}
  virtual ~account() = default;

 private:
  struct entry {
    int key;
    field<leaf> value;
  };
  [[maybe_unused]] int number_;
  entry entries_[2];
  field<account> owner_;

 public:
  static constexpr auto pointers = umber::pointers(&account::owner_, &account::entries_);
};

class savings : public account {
 public:
  using account::account;
  field<leaf> bonus;
};

struct list_head {
  field<leaf> head;
};
struct list : list_head {
  field<leaf> tail;
  static constexpr auto pointers = umber::pointers(&list::tail, &list::head);
};

class no_fields {
 public:
  explicit no_fields(int) {}
  ~no_fields() {}
  static constexpr auto pointers = umber::pointers();
};

struct wrong_name {
  int number;
  field<leaf> a;
  static constexpr auto pointers = umber::pointers(&wrong_name::a, &wrong_name::number);
};

struct member_of_that_name {
  field<leaf> pointers[2];
  int trace;
};

class variant {
 public:
  variant() : is_node_(false) {}
  ~variant() {}
  void hold() {
    new (&object_) field<leaf>();
    is_node_ = true;
  }
  void trace(visitor& visit) const {
    if (is_node_) visit(object_);
  }

 private:
  std::atomic<bool> is_node_;
  union {
    double number_;
    field<leaf> object_;
  };
};

struct array_tracer {
  std::vector<field<leaf>> hidden;
  std::array<field<leaf>, 2> shown;
  void trace(visitor& visit) const { visit(shown); }
};
struct derived_tracer : array_tracer {
  field<leaf> more;
};
struct mutable_tracer {
  field<leaf> a;
  void trace(visitor& visit) { visit(a); }
};

}  // namespace

TEST_CASE("layout: a class has the fields that it declares, private ones and those of its bases too") {
  CHECK(offsets_of<account>() == slot_offsets{24, 40, 48});
  CHECK(offsets_of<list>() == slot_offsets{0, 8});
  CHECK(offsets_of<std::array<list, 2>>() == slot_offsets{0, 8, 16, 24});
  CHECK(has_no_fields<no_fields>());
  CHECK(offsets_of<member_of_that_name>() == slot_offsets{0, 8});
}

TEST_CASE("layout: a type with trace is asked object by object") {
  variant v;
  CHECK(offsets_of<variant>().empty());
  CHECK(traced_in(v).empty());
  v.hold();
  CHECK(traced_in(v) == slot_offsets{8});
  CHECK(traced_in(array_tracer{}) == slot_offsets{24, 32});
}

TEST_CASE("layout: a type that has a member with trace is asked too, and shows its other fields") {
  struct owner {
    field<leaf> first;
    int number : 3;
    variant values[2];
    field<leaf> last;
  };
  owner o;
  o.values[1].hold();
  CHECK(offsets_of<owner>().empty());
  CHECK(traced_in(o) == slot_offsets{0, offsetof(owner, values) + 24, offsetof(owner, last)});
}

TEST_CASE("layout: pointers that name fields, a const trace, and neither inherited: all else is refused") {
  CHECK(flaw_in<savings> == flaw::inherited);
  CHECK(flaw_in<wrong_name> == flaw::no_field);
  CHECK(flaw_in<mutable_tracer> == flaw::mutable_trace);
  CHECK(flaw_in<derived_tracer> == flaw::inherited);
}

namespace {

class derived_field : public field<leaf> {
 public:
  derived_field() {}
};
union field_or_number {
  field_or_number() : number(0) {}
  ~field_or_number() {}
  int number;
  field<leaf> a;
};
class pinned {
 public:
  pinned() = default;
  pinned(const pinned&) = delete;
  pinned& operator=(const pinned&) = delete;
  field<leaf> a;
};
template <class T, std::size_t N>
class small_vector {
  alignas(T) std::byte room_[N * sizeof(T)];

 public:
  ~small_vector() { room_[0] = {}; }
};
struct holder {
  field<leaf> a;
  std::vector<holder> children;
};
struct tree {
  std::vector<tree> children;
  std::shared_ptr<struct unknown_to_all> secret;
};
struct destroyed {
  explicit destroyed(bool& done) : done_(&done) {}
  ~destroyed() { *done_ = true; }
  bool* done_;
  static constexpr auto pointers = umber::pointers();
};
struct split {
  field<leaf> a, b;
};
template <class M>
struct with {
  int before;
  M member;
};

}  // namespace
}  // namespace umber::detail

template <>
struct std::tuple_size<umber::detail::split> : std::integral_constant<std::size_t, 1> {};

namespace umber::detail {

TEST_CASE("layout: a managed class that is not an aggregate is to say what its fields are") {
  CHECK(flaw_in<with_constructor> == flaw::not_aggregate);
  CHECK(flaw_in<pinned> == flaw::not_aggregate);
  CHECK(flaw_in<std::string> == flaw::not_aggregate);
  CHECK(flaw_in<std::vector<field<leaf>>> == flaw::not_aggregate);
  CHECK(flaw_in<with<with_constructor>> == flaw::none);
  CHECK(flaw_in<std::string[2]> == flaw::none);
}

TEST_CASE("layout: fields that are plainly hidden in a member are refused") {
  CHECK(flaw_in<with<std::vector<field<leaf>>>> == flaw::hidden_fields);
  CHECK(flaw_in<with<std::optional<field<leaf>>>> == flaw::hidden_fields);
  CHECK(flaw_in<with<std::pair<int, field<leaf>>>> == flaw::hidden_fields);
  CHECK(flaw_in<with<std::tuple<weak_field<leaf>>>> == flaw::hidden_fields);
  CHECK(flaw_in<with<std::variant<int, variant>>> == flaw::hidden_fields);
  CHECK(flaw_in<with<std::map<int, std::pair<int, list>>>> == flaw::hidden_fields);
  CHECK(flaw_in<with<std::unique_ptr<field<leaf>[]>>> == flaw::hidden_fields);
  CHECK(flaw_in<with<std::vector<std::array<field<leaf>, 2>>>> == flaw::hidden_fields);
  CHECK(flaw_in<with<small_vector<field<leaf>, 2>>> == flaw::hidden_fields);
  CHECK(flaw_in<with<with<std::vector<list>>>> == flaw::hidden_fields);
  CHECK(flaw_in<with<derived_field>> == flaw::hidden_fields);
  CHECK(flaw_in<holder> == flaw::hidden_fields);
  CHECK(flaw_in<with<field_or_number>> == flaw::bare_union);
  CHECK(std::is_same_v<decltype(find_flaw<with<with<std::vector<list>>[2]>>())::part, std::vector<list>>);
}

TEST_CASE("layout: templates over types without fields, raw pointers, and handles are let pass") {
  CHECK(has_no_fields<tree>());
  CHECK(has_no_fields<with<std::vector<no_fields>>>());
  CHECK(has_no_fields<with<std::vector<field<leaf>*>>>());
  CHECK(has_no_fields<with<std::function<field<leaf>(list&)>>>());
  CHECK(flaw_in<with<persistent<list>>> == flaw::none);
  CHECK(flaw_in<with<std::vector<weak<list>>>> == flaw::none);
}

TEST_CASE("layout: what a structured binding cannot see is refused") {
  struct reference {
    field<leaf> a;
    int& b;
  };
  struct given_reference {
    field<leaf> a;
    const colour& b = colour::red;
  };
  struct moved_reference {
    field<leaf> a;
    std::string&& b;
  };
  struct derived : split {
    field<leaf> c;
  };
  CHECK(flaw_in<reference> == flaw::uncountable);
  CHECK(flaw_in<given_reference> == flaw::reference);
  CHECK(flaw_in<moved_reference> == flaw::reference);
  CHECK(flaw_in<derived> == flaw::base);
  CHECK(flaw_in<split> == flaw::uncountable);
  CHECK(flaw_in<with<split>> == flaw::uncountable);
}

TEST_CASE("layout: a description says what the collector is to know, once for each type") {
  type_description& described = description_of<destroyed>();
  CHECK(described.size == sizeof(destroyed));
  CHECK(described.alignment == alignof(destroyed));
  CHECK(described.id == 0);
  CHECK(&described == &description_of<destroyed>());
  CHECK(&described == &description_of<const destroyed>());
  CHECK(&described != &description_of<leaf>());
  CHECK(description_of<leaf>().destroy == nullptr);
  CHECK(description_of<field<leaf>>().destroy == nullptr);
  bool done = false;
  alignas(destroyed) std::byte room[sizeof(destroyed)];
  described.destroy(new (room) destroyed(done));
  CHECK(done);
}

TEST_CASE("layout: a type's name is the compiler's") {
  CHECK(name_of<int>() == "int");
  CHECK(name_of<double>() == "double");
  CHECK(name_of<std::byte>() == "std::byte");
  const type_description& described = description_of<with<int>>();
  CHECK(std::string_view(described.name, described.name_length).ends_with("with<int>"));
}

}  // namespace umber::detail

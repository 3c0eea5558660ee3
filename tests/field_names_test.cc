#include <umber/heap.h>

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <map>
#include <string>

namespace umber::detail {
namespace {

struct leaf {
  int value;
};
struct named_fields {
  field<leaf> first;
  int flags;
  field<leaf> several[2];
  struct part {
    char letter;
    field<leaf> deep;
  } inner;
  std::array<part, 2> parts;
};
class declared_fields {
  field<leaf> owner_;
  field<leaf> peers_[2];

 public:
  static constexpr auto pointers = umber::pointers(&declared_fields::owner_, &declared_fields::peers_);
};
struct beside_bits {
  field<leaf> some;
  int bits : 3;
};

std::string text_of(const field_path& path) {
  if (path.outer == nullptr) return "";
  const std::string outer = text_of(*path.outer);
  if (path.index != field_path::no_index) return outer + "[" + std::to_string(path.index) + "]";
  return outer + (outer.empty() ? "" : ".") + std::string(path.name);
}
template <class T>
std::map<std::size_t, std::string> names_of() {
  std::map<std::size_t, std::string> result;
  description_of<T>().name_pointers(
      [](void* into, std::size_t offset, const field_path& path) {
        static_cast<std::map<std::size_t, std::string>*>(into)->emplace(offset, text_of(path));
      },
      &result);
  return result;
}

}  // namespace

TEST_CASE("field_names: fields have the names that the program gives them, where the compiler tells") {
  CHECK(names_of<named_fields>() == std::map<std::size_t, std::string>{{0, "first"},
                                                                       {16, "several[0]"},
                                                                       {24, "several[1]"},
                                                                       {40, "inner.deep"},
                                                                       {56, "parts[0].deep"},
                                                                       {72, "parts[1].deep"}});
  CHECK(names_of<declared_fields>() ==
        std::map<std::size_t, std::string>{{0, "owner_"}, {8, "peers_[0]"}, {16, "peers_[1]"}});
  CHECK(names_of<beside_bits>().empty());
  CHECK(description_of<leaf>().name_pointers == nullptr);
}

}  // namespace umber::detail

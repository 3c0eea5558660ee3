#include "gc/type.h"

#include "gc_testing.h"

namespace umber::testing {
namespace {

using namespace gc;

struct mixed {
  std::uint64_t number;
  field<mixed> first;
  char text[16];
  field<mixed> rest[2];
};
struct beyond_mask {
  field<beyond_mask> first;
  std::uint64_t numbers[60];
  field<beyond_mask> last;
};
struct plain {
  std::uint64_t numbers[3];
};
struct asked {
  std::atomic<bool> full{false};
  field<asked> next;
  void trace(visitor& visit) const {
    if (full) visit(next);
  }
};
struct with_destructor {
  field<mixed> next;
  ~with_destructor() {}
};
struct swapped {
  std::uint64_t number;
  field<swapped> low;
  field<swapped> high;
  static constexpr auto pointers = umber::pointers(&swapped::high, &swapped::low);
};
template <int>
struct numbered {
  field<mixed> next;
};

template <class T>
const type_layout& layout() {
  const type_layout* found = layout_for(detail::description_of<T>());
  REQUIRE(found != nullptr);
  return *found;
}

}  // namespace

TEST_CASE("type: a layout says where the fields are") {
  const type_layout& l = layout<mixed>();
  CHECK(l.size == sizeof(mixed));
  CHECK(l.pointer_count == 3);
  CHECK(l.mask == (page_word::mask_bit(1) | page_word::mask_bit(4) | page_word::mask_bit(5)));
  CHECK(l.all_in_mask);
  CHECK(l.pointers[0] == 1);
  CHECK(l.pointers[1] == 4);
  CHECK(l.pointers[2] == 5);
  CHECK(l.destroy == nullptr);
}

TEST_CASE("type: fields beyond the mask are in the list, and the layout says so") {
  const type_layout& l = layout<beyond_mask>();
  CHECK_FALSE(l.all_in_mask);
  CHECK(l.mask == page_word::mask_bit(0));
  CHECK(l.pointer_count == 2);
  CHECK(l.pointers[1] == 61);
}

TEST_CASE("type: the list is ascending, whatever the order of the declaration") {
  const type_layout& l = layout<swapped>();
  REQUIRE(l.pointer_count == 2);
  CHECK(l.pointers[0] == 1);
  CHECK(l.pointers[1] == 2);
}

TEST_CASE("type: what has no pointers, what is asked, and what is destroyed") {
  CHECK_FALSE(layout<plain>().has_pointers());
  CHECK(layout<asked>().has_pointers());
  CHECK(layout<asked>().pointer_count == 0);
  CHECK(layout<asked>().trace != nullptr);
  CHECK(layout<with_destructor>().destroy != nullptr);
}

TEST_CASE("type: a type has one layout, whoever asks first [type.1]") {
  const type_layout* seen[4][3] = {};
  std::vector<std::thread> threads;
  for (auto& mine : seen)
    threads.emplace_back([&mine] {
      mine[0] = layout_for(detail::description_of<numbered<0>>());
      mine[1] = layout_for(detail::description_of<numbered<1>>());
      mine[2] = layout_for(detail::description_of<numbered<2>>());
    });
  for (std::thread& thread : threads) thread.join();
  for (int type = 0; type < 3; ++type) {
    for (const auto& mine : seen) CHECK(mine[type] == seen[0][type]);
    REQUIRE(seen[0][type] != nullptr);
    CHECK(layout_of(seen[0][type]->id) == seen[0][type]);
    CHECK(seen[0][type]->id >= first_type_id);
  }
  CHECK(seen[0][0]->id != seen[0][1]->id);
}

TEST_CASE("type: without memory a type is not registered, and later it is") {
  struct late {
    field<mixed> next;
  };
  static detail::type_description kept{
      .name = "late",
      .name_length = 4,
      .size = 8,
      .alignment = 8,
      .find_pointers = detail::find_pointers<late>,
      .trace = nullptr,
      .destroy = nullptr,
  };
  {
    const failing_system none(0);
    // What metadata has left would last for some types.
    for (const std::size_t bytes : {64 * kib, 4 * kib, std::size_t{64}})
      while (metadata::allocate(bytes) != nullptr) continue;
    CHECK(layout_for(kept) == nullptr);
  }
  CHECK(layout_for(kept) != nullptr);
}

TEST_CASE("type: an array's header gives back what it was made of") {
  for (const std::size_t length : {std::size_t{0}, std::size_t{1}, array_header::most})
    for (const std::uint32_t id : {first_type_id, most_types - 1})
      for (const std::size_t bytes : {8U, 16U}) {
        const array_header header = array_header::make(length, id, bytes);
        CHECK(header.length() == length);
        CHECK(header.element_id() == id);
        CHECK(header.bytes() == bytes);
      }
}

TEST_CASE("type: array ids are below those of types, one for each class and half") {
  std::vector<std::uint32_t> ids;
  for (std::uint8_t c = 0; c < span_class_count / 2; ++c)
    for (const bool noscan : {false, true}) ids.push_back(array_id({c}, noscan));
  std::sort(ids.begin(), ids.end());
  CHECK(ids.front() == 1);
  CHECK(ids.back() == first_type_id - 1);
  CHECK(std::adjacent_find(ids.begin(), ids.end()) == ids.end());
}

}  // namespace umber::testing

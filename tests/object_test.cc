#include "gc/object.h"

#include "gc/refill.h"
#include "gc_testing.h"

namespace umber::testing {
namespace {

using namespace gc;

struct pair {
  field<pair> first, second;
};

struct node {
  field<node> left, right;
  std::uint64_t numbers[6] = {};
};

bool is_marked(const void* object) { return object_map::is_marked(address_of(object)); }

// Everything that the engine has beside the objects, and the pages that these lie in.
std::size_t metadata_bytes() { return alloc::heap.figures().metadata_bytes + object_map::bytes(); }

struct footprint {
  std::size_t objects, heap_bytes, metadata_bytes;
  double overhead() const {  // bytes an object
    return static_cast<double>(heap_bytes + metadata_bytes) / static_cast<double>(objects);
  }
  double metadata_share() const { return static_cast<double>(metadata_bytes) / static_cast<double>(heap_bytes); }
};

// Of 64 MiB of objects.
template <class T>
footprint footprint_of() {
  test_heap t;
  const std::size_t before = metadata_bytes();
  const std::size_t objects = 64 * mib / sizeof(T);
  for (std::size_t i = 0; i < objects; ++i) static_cast<void>(make<T>());
  return {objects, t.heap.statistics().heap_bytes, metadata_bytes() - before};
}

}  // namespace

TEST_CASE("object: what is known of an object of 16 bytes takes three at most, and of a heap of usual ones 3.5 %") {
  const footprint small = footprint_of<pair>();
  CHECK(small.overhead() <= sizeof(pair) + 3);
  // Something has to be known: of each 16 bytes a mark, and whether they are free.
  CHECK(small.metadata_bytes >= small.objects / 4);
  const footprint usual = footprint_of<node>();
  CHECK(usual.metadata_share() <= 0.035);
  CHECK(usual.overhead() <= sizeof(node) * 1.035);
}

TEST_CASE("object: a page's word gives back what it was made of") {
  for (const std::size_t size : {16U, 24U, 40U, 8192U}) {
    const page_word word = page_word::masked(size, page_word::mask_bit(0) | page_word::mask_bit(47));
    CHECK(word.kind() == page_kind::masked);
    CHECK(word.masked_size() == size);
    CHECK(word.mask() == (page_word::mask_bit(0) | page_word::mask_bit(47)));
  }
  for (const std::size_t size : {std::size_t{16}, 32 * kib, std::size_t{1} << 40}) {
    CHECK(page_word::noscan(size).kind() == page_kind::noscan);
    CHECK(page_word::noscan(size).slot_size() == size);
    CHECK(page_word::array(size).kind() == page_kind::array);
    CHECK(page_word::array(size).slot_size() == size);
  }
  alignas(8) static char layout;
  const auto* place = reinterpret_cast<const type_layout*>(&layout);
  CHECK(page_word::typed(place).kind() == page_kind::typed);
  CHECK(page_word::typed(place).layout() == place);
  CHECK(page_word{}.kind() == page_kind::nothing);
}

TEST_CASE("object: an object is marked once, and its neighbours are not") {
  const test_heap t;
  const local<pair> a = make<pair>(), b = make<pair>(), c = make<pair>();
  CHECK(object_map::mark(address_of(b.get())));
  CHECK_FALSE(object_map::mark(address_of(b.get())));
  CHECK(is_marked(b));
  CHECK_FALSE(is_marked(a));
  CHECK_FALSE(is_marked(c));
  object_map::mark_word(address_of(b.get())) = 0;
}

TEST_CASE("object: many threads mark one word, and each object is marked by one of them") {
  test_heap t;
  const local<array<std::uint64_t>> block = make_array<std::uint64_t>(127);
  const std::uintptr_t start = round_up(address_of(block.get()), 16);
  std::atomic<int> first{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i)
    threads.emplace_back([&] {
      for (std::uintptr_t object = start; object < start + 1000; object += 16) first += object_map::mark(object);
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(first == 63);
  for (std::uintptr_t object = start; object < start + 1000; object += 16) object_map::mark_word(object) = 0;
}

TEST_CASE("object: pages have their word while their span lives, and none afterwards [object.2]") {
  test_heap t;
  const void* small;
  const void* large;
  {
    const local<pair> object = make<pair>();
    const local<array<field<pair>>> many = make_array<field<pair>>(100'000);
    small = object.get();
    large = many.get();
    CHECK(object_map::word_of(address_of(small)).kind() == page_kind::masked);
    CHECK(object_map::word_of(address_of(small)).mask() == (page_word::mask_bit(0) | page_word::mask_bit(1)));
    CHECK(object_map::word_of(address_of(large)).kind() == page_kind::array);
  }
  t.heap.collect();
  CHECK(object_map::word_of(address_of(small)).kind() == page_kind::nothing);
  CHECK(object_map::word_of(address_of(large)).kind() == page_kind::nothing);
}

TEST_CASE("object: after a cycle no slot is marked, neither free nor live [object.1]") {
  test_heap t;
  std::vector<local<pair>> kept;
  for (int i = 0; i < 1000; ++i) {
    local<pair> object = make<pair>();
    if (i % 3 == 0) kept.emplace_back(object);
  }
  t.heap.collect();
  std::size_t marked = 0, live = 0;
  t.h.find_space(detail::description_of<pair>().id)->for_each_span([&](const mspan* s) {
    for (std::size_t slot = 0; slot < s->slots; ++slot) {
      marked += object_map::is_marked(s->address({slot}));
      live += !s->is_free({slot});
    }
  });
  CHECK(marked == 0);
  CHECK(live == kept.size());
}

TEST_CASE("object: what is covered stays so, and what lies beyond the window is not") {
  const test_heap t;
  const local<pair> object = make<pair>();
  const page_id page = window.page_of(address_of(object.get()));
  CHECK(object_map::covers(page));
  CHECK(object_map::cover(page));
  CHECK_FALSE(object_map::covers({window.capacity + 1}));
}

}  // namespace umber::testing

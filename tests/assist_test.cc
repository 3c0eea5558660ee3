#include "gc/assist.h"

#include "gc/mark.h"
#include "gc_testing.h"

namespace umber::testing {
namespace {

using namespace gc;

struct node {
  field<node> next;
  std::uint64_t number = 0;
};

// As if the heap were marking a list: its first node is listed, and a byte allocated owes a byte of marking.
struct marking_heap : test_heap {
  local<node> list;
  static constexpr std::size_t length = 500'000;

  marking_heap() {
    for (std::size_t i = 0; i < length; ++i) {
      const local<node> fresh = make<node>();
      fresh->next = list;
      list = fresh;
    }
    {
      marker first(h);
      first.add(address_of(list.get()));
    }
    h.marking = true;
    h.assist_ratio = 1;
    h.background_credit = 0;
  }
  ~marking_heap() {
    h.marking = false;
    while (work_chunk* chunk = h.work.take()) h.work.drop_chunk(chunk);
    for (node* n = list; n != nullptr; n = n->next) object_map::mark_word(address_of(n)) = 0;
    m.contributed = false;
    m.debt = 0;
  }
  std::size_t marked() const {
    std::size_t count = 0;
    for (node* n = list; n != nullptr; n = n->next) count += object_map::is_marked(address_of(n));
    return count;
  }
};

}  // namespace

TEST_CASE("assist: who allocates while the heap marks marks in proportion, in short steps") {
  marking_heap t;
  pay_for(t.m, 8 * kib);
  CHECK(t.marked() == 0);
  CHECK(t.m.debt == 8 * kib);
  pay_for(t.m, 24 * kib);
  const std::size_t first = t.marked();
  CHECK(first > 0);
  CHECK(first * sizeof(node) <= 40 * kib);  // what is owed, and what a step does before it looks how much that was
  CHECK(t.m.contributed);
  pay_for(t.m, t.length * sizeof(node));
  CHECK(t.marked() < t.length);  // the time of the steps was up first
  CHECK(t.m.debt > 0);
  for (int turns = 0; turns < 100'000 && t.marked() < t.length; ++turns) pay_for(t.m, 16 * kib);
  CHECK(t.marked() == t.length);
}

TEST_CASE("assist: between two steps all candidates are everybody's [assist.1]") {
  marking_heap t;
  for (int i = 0; i < 5; ++i) {
    pay_for(t.m, 32 * kib);
    CHECK(t.m.chunk == nullptr);
    CHECK_FALSE(t.h.work.empty());
  }
  CHECK(t.marked() < t.length);
  {
    marker rest(t.h);
    rest.drain(SIZE_MAX);
  }
  CHECK(t.marked() == t.length);
}

TEST_CASE("assist: credit is used up first") {
  marking_heap t;
  t.h.background_credit = 1 << 20;
  pay_for(t.m, 100 * kib);
  CHECK(t.marked() == 0);
  CHECK(t.m.debt == 0);
  CHECK(t.h.background_credit == (1 << 20) - static_cast<std::int64_t>(100 * kib));
}

TEST_CASE("assist: nothing is owed while the heap does not mark") {
  marking_heap t;
  t.h.marking = false;
  pay_for(t.m, 1 << 20);
  CHECK(t.marked() == 0);
  CHECK(t.m.debt == 0);
}

}  // namespace umber::testing

#include "gc/space.h"

#include "gc/refill.h"
#include "gc_testing.h"

namespace umber::testing {
namespace {

using namespace gc;

std::size_t index_of(gc::space& home, mspan* s) {
  return contains(home.partial, s) ? 1 : contains(home.full, s) ? 2 : contains(home.unswept, s) ? 3 : 0;
}

// A span that nobody else knows, all of it allocated.
struct full_span {
  test_heap& t;
  gc::space& home;
  mspan* s;

  full_span(test_heap& heap, span_class c) : t(heap), home(array_space(t.h, c)), s(make_span(home, t.m.stock)) {
    REQUIRE(s != nullptr);
    t.h.heap_bytes += s->run.count.bytes();
    for (std::size_t w = 0; w < s->words(); ++w) s->free[w] = 0;
  }
  ~full_span() {
    for (std::size_t w = 0; w < s->words(); ++w) s->free[w] = s->slot_bits(w);
    t.h.heap_bytes -= s->run.count.bytes();
    free_span(s, &t.m.stock);
  }
  full_span(const full_span&) = delete;
  full_span& operator=(const full_span&) = delete;
};

// Marks some slots and has them swept; what is wrong is named.
void sweep_some(test_heap& t, span_class c, std::mt19937_64& random) {
  const full_span span(t, c);
  mspan* const s = span.s;
  INFO("slots of " << s->slot_size);
  std::vector<bool> live(s->slots);
  std::size_t count = 0;
  for (std::size_t i = 0; i < s->slots; ++i) {
    live[i] = random() % 3 == 0;
    count += live[i];
    if (live[i]) object_map::mark(s->address({i}));
  }
  const swept result = sweep_span(s, random() % 2 == 0);
  CHECK(result.live == count);
  CHECK(result.freed == s->slots - count);
  std::size_t wrong = 0, marked = 0;
  for (std::size_t i = 0; i < s->slots; ++i) {
    wrong += s->is_free({i}) == live[i];
    marked += object_map::is_marked(s->address({i}));
  }
  CHECK(wrong == 0);
  CHECK(marked == 0);
  CHECK(s->valid());
}

// Objects are at least 16 bytes apart.
std::vector<span_class> classes_of_objects() {
  std::vector<span_class> classes = all_span_classes();
  std::erase_if(classes, [](span_class c) { return info(c).slot_size < object_map::granule; });
  return classes;
}

struct counted {
  std::uint64_t number = 0;
  static inline int gone = 0;
  ~counted() { ++gone; }
};

}  // namespace

TEST_CASE("space: sweeping frees exactly the unmarked slots of every class, 24 and 40 bytes among them [object.1]") {
  const std::uint64_t seed = new_seed();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  test_heap t;
  std::size_t odd_sizes = 0;
  for (const span_class c : classes_of_objects()) {
    sweep_some(t, c, random);
    odd_sizes += info(c).slot_size == 24 || info(c).slot_size == 40;
  }
  CHECK(odd_sizes == 4);
}

TEST_CASE("space: sweeping a span twice counts what it freed once") {
  test_heap t;
  const full_span span(t, span_class::noscan(class_for(48)));
  object_map::mark(span.s->address({3}));
  CHECK(sweep_span(span.s, false).freed == span.s->slots - 1U);
  object_map::mark(span.s->address({3}));
  const swept again = sweep_span(span.s, false);
  CHECK(again.freed == 0);
  CHECK(again.live == 1);
}

TEST_CASE("space: poison fills what is freed, and nothing else") {
  test_heap t;
  const full_span span(t, span_class::noscan(class_for(64)));
  for (std::size_t i = 0; i < span.s->slots; ++i) std::memset(pointer_to(span.s->address({i})), 7, 64);
  object_map::mark(span.s->address({1}));
  sweep_span(span.s, true);
  for (std::size_t i = 0; i < span.s->slots; ++i) {
    const auto* bytes = pointer_to<unsigned char>(span.s->address({i}));
    const unsigned char expected = i == 1 ? 7 : 0xdb;
    if (bytes[0] != expected || bytes[63] != expected) FAIL("slot " << i);
  }
}

TEST_CASE("space: its spans are managed, know it, and are freed whole [space.1]") {
  test_heap t;
  mspan* s;
  {
    const full_span span(t, span_class::scan(class_for(128)));
    s = span.s;
    CHECK(s->owner == span_owner::managed);
    CHECK(s->space == &span.home);
    CHECK(t.h.owns(s));
    CHECK(span_of(s->address({2})) == s);
  }
  CHECK(s->space == nullptr);
  CHECK(s->owner == span_owner::nobody);
}

TEST_CASE("space: spans are listed by whether they have room, and taken once") {
  test_heap t;
  const full_span full(t, span_class::scan(class_for(256))), partial(t, span_class::scan(class_for(256)));
  partial.s->free[0] = 1;
  full.home.put(full.s, t.m.epoch);
  full.home.put(partial.s, t.m.epoch);
  CHECK(index_of(full.home, full.s) == 2);
  CHECK(index_of(full.home, partial.s) == 1);
  CHECK(full.home.take_unswept(t.m.epoch) == nullptr);
  CHECK(full.home.take_partial(t.m.epoch) == partial.s);
  CHECK(full.home.take_partial(t.m.epoch) == nullptr);
  full.home.begin_sweep();
  CHECK(full.home.take_unswept(t.m.epoch + 1) == full.s);
  CHECK(full.home.take_unswept(t.m.epoch + 1) == nullptr);
  --full.home.epoch;
}

TEST_CASE("space: who has not answered for a sweep is given nothing, and what it lists is swept [space.3]") {
  test_heap t;
  const full_span a(t, span_class::scan(class_for(512))), b(t, span_class::scan(class_for(512)));
  a.s->free[0] = b.s->free[0] = 1;
  gc::space& home = a.home;
  const std::uint32_t before = t.m.epoch, after = before + 1;
  home.put(a.s, before);
  home.begin_sweep();
  CHECK(index_of(home, a.s) == 3);
  CHECK(home.take_unswept(before) == nullptr);
  CHECK(home.take_partial(before) == nullptr);
  home.put(b.s, before);
  CHECK(index_of(home, b.s) == 3);
  CHECK(home.take_unswept(after) == a.s);
  home.put(a.s, after);
  CHECK(index_of(home, a.s) == 1);
  CHECK(home.take_unswept(after) == b.s);
  CHECK(home.take_unswept(after) == nullptr);
  CHECK(home.take_partial(after) == a.s);
  --home.epoch;
}

TEST_CASE("space: after a cycle all is swept, and swept spans have no marks [space.2]") {
  struct node {
    field<node> next;
  };
  test_heap t;
  local<node> list;
  for (int i = 0; i < 5000; ++i) {
    local<node> fresh = make<node>();
    if (i % 2 == 0) fresh->next = list, list = fresh;
  }
  t.heap.collect();
  gc::space& home = *t.h.find_space(detail::description_of<node>().id);
  CHECK(home.unswept.empty());
  std::size_t marked = 0;
  home.partial.for_each([&](const mspan* s) {
    for (std::size_t i = 0; i < s->slots; ++i) marked += object_map::is_marked(s->address({i}));
  });
  CHECK(marked == 0);
  CHECK(length(home.partial) != 0);
}

TEST_CASE("space: a destructor is owed by what was constructed, and runs once") {
  test_heap t;
  counted::gone = 0;
  const local<counted> kept = make<counted>();
  for (int i = 0; i < 2000; ++i) static_cast<void>(make<counted>());
  // Allocated, and never constructed.
  CHECK(detail::allocate_slow(detail::description_of<counted>()) != nullptr);
  t.heap.collect();
  CHECK(counted::gone == 2000);
  t.heap.collect();
  CHECK(counted::gone == 2000);
}

TEST_CASE("space: slots of held words are marked and unmarked, none beside them") {
  test_heap t;
  for (const span_class c : classes_of_objects()) {
    const full_span span(t, c);
    INFO("slots of " << span.s->slot_size);
    for (std::size_t w = 0; w < span.s->words(); ++w) {
      const std::uint64_t some = span.s->slot_bits(w) & 0x9249'2492'4924'9249;
      mark_slots(span.s, w, some);
      std::size_t wrong = 0;
      for (std::size_t i = w * 64; i < span.s->slots && i < (w + 1) * 64; ++i)
        wrong += object_map::is_marked(span.s->address({i})) != ((some >> i % 64 & 1) != 0);
      CHECK(wrong == 0);
      unmark_slots(span.s, w, some);
      for (std::size_t i = 0; i < span.s->slots; ++i) wrong += object_map::is_marked(span.s->address({i}));
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("space: without memory there is no span, and the heap goes on") {
  test_heap t;
  gc::space& home = array_space(t.h, span_class::noscan(class_for(32 * kib)));
  std::vector<mspan*> spans;
  {
    const failing_system none(0);
    while (mspan* s = make_span(home, t.m.stock)) spans.push_back(s);
  }
  mspan* s = make_span(home, t.m.stock);
  CHECK(s != nullptr);
  spans.push_back(s);
  for (mspan* each : spans) free_span(each, &t.m.stock);
  CHECK(home.all_spans == nullptr);
}

}  // namespace umber::testing

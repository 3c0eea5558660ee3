#include "gc/sweep.h"

#include "gc_testing.h"

#include "alloc/os.h"

namespace umber::testing {
namespace {

using namespace gc;

struct node {
  field<node> next;
  std::uint64_t number = 0;
};
struct counted {
  field<counted> next;
  static inline std::atomic<int> gone{0};
  ~counted() { ++gone; }
};
struct huge {
  field<huge> next;
  char bytes[200'000];
  static inline std::atomic<int> gone{0};
  ~huge() { ++gone; }
};

struct busy {
  static constexpr std::uint64_t ns = 20'000;
  char bytes[16];
  ~busy() {
    for (const std::uint64_t start = os::thread_cpu_time(); os::thread_cpu_time() < start + ns;) continue;
  }
};

template <class T>
gc::space& space_of_type(managed_heap& h) {
  gc::space* s = h.find_space(detail::description_of<T>().id);
  if (s == nullptr) std::abort();
  return *s;
}

template <class T>
void make_garbage(int count) {
  for (int i = 0; i < count; ++i) static_cast<void>(make<T>());
}

// Has all spans of the heap unswept, with the marks of a cycle in which nothing was reached but `kept`.
void begin_sweep(test_heap& t, const std::vector<void*>& kept) {
  t.m.give_up_spans();
  for (void* object : kept) object_map::mark(address_of(object));
  const lock_guard guard(t.h.mutators_lock);
  t.h.begin_sweep();
  ++t.m.epoch;
}

}  // namespace

TEST_CASE("sweep: who needs slots is given a span with room, swept") {
  test_heap t;
  const local<node> kept = make<node>();
  make_garbage<node>(3000);
  begin_sweep(t, {kept.get()});
  gc::space& home = space_of_type<node>(t.h);
  std::size_t found = 0, live = 0;
  while (mspan* s = sweep_for(home, t.m, 1)) {
    ++found;
    live += s->slots - s->count_free();
    home.put(s, t.m.epoch);
  }
  CHECK(found > 2);
  CHECK(live == 1);
  CHECK(home.unswept.empty());
}

TEST_CASE("sweep: full spans are passed by, and listed as full") {
  test_heap t;
  std::vector<local<node>> kept;
  std::vector<void*> objects;
  do {
    kept.emplace_back(make<node>());
    objects.push_back(kept.back().get());
  } while (kept.size() < span_at(objects[0])->slots);
  REQUIRE(span_at(objects.back()) == span_at(objects[0]));
  begin_sweep(t, objects);
  CHECK(sweep_for(space_of_type<node>(t.h), t.m, 1) == nullptr);
  CHECK(length(space_of_type<node>(t.h).full) == 1);
}

TEST_CASE("sweep: spans in which nothing lives go back, and are not counted any more") {
  test_heap t;
  make_garbage<node>(10'000);
  make_garbage<counted>(10'000);
  make_garbage<huge>(5);
  CHECK(t.h.heap_bytes > 800 * kib);
  begin_sweep(t, {});
  span_stock stock;
  sweep_rest(t.h, stock);
  alloc::heap.empty_stock(stock);
  CHECK(t.h.heap_bytes == 0);
  CHECK(space_of_type<node>(t.h).all_spans == nullptr);
  CHECK(space_of_type<huge>(t.h).all_spans == nullptr);
}

TEST_CASE("sweep: what a mutator sweeps is counted as its, and a destructor by the time that it was busy") {
  test_heap t;
  make_garbage<node>(3000);
  make_garbage<busy>(100);
  const cpu_times before = t.heap.statistics().cpu;
  begin_sweep(t, {});
  CHECK(sweep_for(space_of_type<node>(t.h), t.m, 1) != nullptr);
  const std::uint64_t plain = t.heap.statistics().cpu.mutator_sweep_ns;
  CHECK(plain > before.mutator_sweep_ns);
  CHECK(sweep_for(space_of_type<busy>(t.h), t.m, 1) != nullptr);
  const cpu_times after = t.heap.statistics().cpu;
  CHECK(after.mutator_sweep_ns - plain >= 100 * busy::ns);
  CHECK(after.sweep_ns == before.sweep_ns);
  CHECK(t.heap.statistics().sweep_ns == after.sweep_ns + after.mutator_sweep_ns);
}

TEST_CASE("sweep: large objects live and die one by one, their destructors with them") {
  test_heap t;
  huge::gone = 0;
  const local<huge> kept = make<huge>();
  kept->bytes[199'999] = 7;
  make_garbage<huge>(3);
  t.heap.collect();
  CHECK(huge::gone == 3);
  CHECK(kept->bytes[199'999] == 7);
  CHECK(length(space_of_type<huge>(t.h).full) == 1);
  CHECK_FALSE(object_map::is_marked(address_of(kept.get())));
  t.heap.collect();
  CHECK(huge::gone == 3);
}

TEST_CASE("sweep: the end of the heap destroys all that there is, once") {
  counted::gone = 0;
  huge::gone = 0;
  {
    test_heap t;
    std::vector<local<counted>> kept;
    for (int i = 0; i < 1000; ++i) kept.emplace_back(make<counted>());
    make_garbage<counted>(1000);
    make_garbage<huge>(2);
    t.heap.collect();
    CHECK(counted::gone == 1000);
    CHECK(huge::gone == 2);
    const local<huge> large = make<huge>();
  }
  CHECK(counted::gone == 2000);
  CHECK(huge::gone == 3);
}

}  // namespace umber::testing

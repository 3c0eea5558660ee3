#include <umber/umber.h>

// In this order: no name of the engine is one of the public headers, whichever comes first.
#include "gc/managed_heap.h"

#include "heaps.h"

#include <set>

namespace umber::testing {
namespace {

struct holder {
  pool<boxed> boxes;
};
struct counted {
  counted() { alive.fetch_add(1); }
  counted(const counted&) = delete;
  ~counted() { alive.fetch_sub(1); }
  static inline std::atomic<int> alive{0};
  static constexpr auto pointers = umber::pointers();
};

TEST_CASE("pool: gives back what was put, the latest first") {
  heap h({.percent = heap_options::off});
  const mutator attached(h);
  const local<pool<boxed>> p = make<pool<boxed>>();
  CHECK(p->take() == nullptr);
  for (std::uint64_t i = 0; i < 200; ++i) p->put(make_boxed(i));
  for (std::uint64_t i = 200; i-- > 0;) REQUIRE(p->take()->number == i);
  CHECK(p->take() == nullptr);
  const local<boxed> made = p->get();
  CHECK(made->number == 0);
  p->put(nullptr);
  CHECK(p->take() == nullptr);
}

TEST_CASE("pool: a member of an object, too") {
  STATIC_CHECK(detail::has_fields<holder>());
  heap h;
  const mutator attached(h);
  const local<holder> owner = make<holder>();
  owner->boxes.put(make_boxed(3));
  CHECK(owner->boxes.get()->number == 3);
}

TEST_CASE("pool: what nobody uses for two collections is dropped, and nobody need ask") {
  heap h({.percent = heap_options::off, .finalizer_thread = false});
  const mutator attached(h);
  const local<pool<counted>> p = make<pool<counted>>();
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 100; ++i) p->put(make<counted>());
    for (int collections = 0; collections < 2; ++collections) {
      h.collect();
      CHECK(counted::alive.load() == 100);
      CHECK(run_finalizers(h) > 0);
    }
    h.collect();
    CHECK(counted::alive.load() == 0);
    CHECK(p->take() == nullptr);
    h.collect();
    run_finalizers(h);
    CHECK(run_finalizers(h) == 0);
  }
}

TEST_CASE("pool: dies like other objects, and what is in it with it") {
  heap h({.percent = heap_options::off, .finalizer_thread = false});
  const mutator attached(h);
  {
    const local<pool<counted>> p = make<pool<counted>>();
    p->put(make<counted>());
  }
  h.collect();
  CHECK(counted::alive.load() == 0);
  run_finalizers(h);
  h.collect();
  run_finalizers(h);
}

TEST_CASE("pool: a victim that is used is recent again") {
  heap h({.percent = heap_options::off});
  const mutator attached(h);
  const local<pool<boxed>> p = make<pool<boxed>>();
  boxed* const first = make_boxed(42);
  p->put(first);
  for (int i = 0; i < 10; ++i) {
    h.collect();
    const local<boxed> again = p->take();
    REQUIRE(again.get() == first);
    REQUIRE(again->number == 42);
    p->put(again);
  }
  h.collect();
  h.collect();
  CHECK(p->take() == nullptr);
}

TEST_CASE("pool: a thread takes what others have put") {
  heap h({.percent = heap_options::off});
  const mutator attached(h);
  const local<pool<boxed>> p = make<pool<boxed>>();
  pool<boxed>* const shared = p;
  beside writers(h, 4, [&](unsigned i) {
    for (std::uint64_t n = 0; n < 10; ++n) {
      const local<boxed> b = make_boxed(i * 10 + n);
      shared->put(b);
    }
    return false;
  });
  writers.wait_for_all();
  std::set<std::uint64_t> got;
  while (const local<boxed> b = p->take()) REQUIRE(got.insert(b->number).second);
  CHECK(got.size() <= 40);
  CHECK(got.size() >= 30);  // what was put while all shards were in use was dropped
}

TEST_CASE("pool: no object is given to two that ask at once") {
  struct owned {
    std::atomic<int> owners{0};
  };
  heap h({.minimum = 256 << 10});
  const mutator attached(h);
  const local<pool<owned>> p = make<pool<owned>>();
  pool<owned>* const shared = p;
  std::atomic<std::uint64_t> wrong{0}, rounds{0};
  beside users(h, 4, [&](unsigned) {
    for (int i = 0; i < 1000; ++i) {
      const local<owned> one = shared->get(), two = shared->get();
      if (one->owners.fetch_add(1) != 0) wrong.fetch_add(1);
      if (two->owners.fetch_add(1) != 0) wrong.fetch_add(1);
      one->owners.fetch_sub(1);
      shared->put(one);
      two->owners.fetch_sub(1);
      shared->put(two);
    }
    return rounds.fetch_add(1) < 1000;
  });
  users.wait_for_all();
  CHECK(wrong.load() == 0);
}

TEST_CASE("pool: no object is given to two, by random threads and beside collections") {
  under_heaps([](heap& h, std::mt19937_64& random, std::size_t scale) {
    struct owned {
      std::atomic<int> owners{0};
      field<boxed> content;
    };
    const local<pool<owned>> p = make<pool<owned>>();
    pool<owned>* const shared = p;
    std::atomic<std::uint64_t> wrong{0}, rounds{0}, recycled{0};
    const std::uint64_t seed = random();
    beside users(h, 3, [&](unsigned index) {
      thread_local std::mt19937_64 choose(seed + index);
      const local<array<field<owned>>> mine = make_array<field<owned>>(40);
      for (int i = 0; i < 100; ++i) {
        field<owned>& place = (*mine)[choose() % 40];
        if (place == nullptr) {
          const local<owned> got = shared->get();
          if (got->owners.fetch_add(1) != 0) wrong.fetch_add(1);
          if (got->content != nullptr) {
            recycled.fetch_add(1);
            if (got->content->number != reinterpret_cast<std::uintptr_t>(got.get())) wrong.fetch_add(1);
          }
          got->content = make_boxed(reinterpret_cast<std::uintptr_t>(got.get()));
          place = got;
        } else {
          const local<owned> put = place.get();
          place = nullptr;
          put->owners.fetch_sub(1);
          shared->put(put);
        }
      }
      return rounds.fetch_add(1) < 30 * scale;
    });
    users.wait_for_all();
    CHECK(wrong.load() == 0);
    CHECK(recycled.load() > 0);
  });
}

}  // namespace
}  // namespace umber::testing

#include "gc_testing.h"

#include <umber/umber.h>

#include <array>
#include <chrono>
#include <mutex>
#include <thread>

#include <pthread.h>

namespace umber::testing {

using umber::heap;

namespace {

std::atomic<int> destroyed{0};

struct node {
  field<node> next;
  int value = 0;
  int* runs = nullptr;

  node() = default;
  explicit node(int v, int* r = nullptr) : value(v), runs(r) {}
  ~node() { destroyed.fetch_add(1); }

  static constexpr auto pointers = umber::pointers(&node::next);
};

void count_run(local<node> n) { ++*n->runs; }

heap_options polled(unsigned torture = 0) {
  heap_options options;
  options.finalizer_thread = false;
  options.check_marks = true;
  options.torture = torture;
  return options;
}

// Objects that nothing but what `make` registers for them knows.
template <class Make>
[[gnu::noinline]] void drop(Make make) {
  make();
}

template <class Done>
bool happens(Done done) {
  for (int i = 0; i < 5000; ++i) {
    if (done()) return true;
    blocking wait;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

}  // namespace

TEST_CASE("cleanup: an object has as many cleanups as are added, and does not live for them") {
  heap h(polled());
  mutator attached(h);
  static int destroyed_before;
  int sum = 0;
  destroyed = 0;
  static int* into;
  into = &sum;
  std::array<int, 3> numbers{1, 20, 300};
  drop([&] {
    const local<node> n = make<node>();
    for (int& number : numbers)
      add_cleanup(
          n,
          [](void* argument) {
            *into += *static_cast<int*>(argument);
            destroyed_before = destroyed;
          },
          &number);
  });
  h.collect();
  CHECK(destroyed == 1);
  CHECK(run_finalizers(h) == 3);
  CHECK(sum == 321);
  CHECK(destroyed_before == 1);
  h.collect();
  CHECK(run_finalizers(h) == 0);
}

TEST_CASE("cleanup: none runs for what a local holds up to keep_alive, however long ago it was used") {
  heap h(polled());
  const mutator attached(h);
  static bool gone;
  gone = false;
  {
    const local<node> held = make<node>();
    add_cleanup(
        held, [](void*) { gone = true; }, nullptr);
    for (int i = 0; i < 3; ++i) h.collect();
    run_finalizers(h);
    CHECK_FALSE(gone);
    keep_alive(held);
  }
  h.collect();
  run_finalizers(h);
  CHECK(gone);
}

TEST_CASE("cleanup: cleanups wait until the finalizer has let the object go") {
  heap h(polled());
  mutator attached(h);
  int runs = 0;
  bool cleaned = false;
  drop([&] {
    const local<node> n = make<node>(0, &runs);
    n->next = make<node>();
    add_cleanup(
        n, [](void* flag) { *static_cast<bool*>(flag) = true; }, &cleaned);
    add_cleanup(
        local<node>(n->next), [](void* flag) { *static_cast<bool*>(flag) = true; }, &cleaned);
    set_finalizer(n, count_run);
  });
  h.collect();
  CHECK(run_finalizers(h) == 1);
  CHECK(runs == 1);
  CHECK_FALSE(cleaned);
  h.collect();
  CHECK(run_finalizers(h) == 2);
  CHECK(cleaned);
}

TEST_CASE("cleanup: a cancelled cleanup never runs, and only the first cancel succeeds") {
  heap h(polled());
  mutator attached(h);
  static int runs;
  runs = 0;
  cleanup first, second, never;
  drop([&] {
    const local<node> n = make<node>();
    first = add_cleanup(
        n, [](void*) { ++runs; }, nullptr);
    second = add_cleanup(
        n, [](void*) { ++runs; }, nullptr);
    CHECK(first.cancel());
    CHECK_FALSE(first.cancel());
    // The entry may be used again: the handle of the old one does not know.
    add_cleanup(
        n, [](void*) { ++runs; }, nullptr);
    CHECK_FALSE(first.cancel());
  });
  CHECK_FALSE(never.cancel());
  h.collect();
  CHECK_FALSE(second.cancel());
  CHECK(run_finalizers(h) == 2);
  CHECK(runs == 2);
  CHECK_FALSE(second.cancel());
}

TEST_CASE("cleanup: a managed argument of a cleanup lives until that has run [finalizer.3]") {
  for (const unsigned torture : {0U, 1U}) {
    heap h(polled(torture));
    mutator attached(h);
    static int seen;
    seen = 0;
    destroyed = 0;
    cleanup cancelled;
    const local<node> anchor = make<node>();
    drop([&] {
      add_cleanup(
          make<node>(1), [](local<node> kept) { seen += kept->value + kept->next->value; },
          [] {
            const local<node> argument = make<node>(40);
            argument->next = make<node>(2);
            return argument;
          }());
      cancelled = add_cleanup(
          anchor, [](local<node>) { seen += 1000; }, make<node>(3));
    });
    for (int i = 0; i < 3; ++i) h.collect();
    CHECK(destroyed == 1);
    CHECK(run_finalizers(h) == 1);
    CHECK(seen == 42);
    h.collect();
    CHECK(destroyed == 3);
    CHECK(cancelled.cancel());
    h.collect();
    CHECK(destroyed == 4);
  }
}

TEST_CASE("cleanup: ~heap runs what is due and all cleanups, but no other finalizers [finalizer_thread.2]") {
  for (const bool thread : {false, true}) {
    static std::atomic<int> due, other, cleaned;
    due = other = cleaned = 0;
    destroyed = 0;
    heap_options options;
    options.finalizer_thread = thread;
    {
      heap h(options);
      {
        mutator attached(h);
        drop([] {
          for (int i = 0; i < 200; ++i) {
            // What runs in ~heap may still make objects.
            set_finalizer(make<node>(1), [](local<node> n) {
              n->next = make<node>(2);
              due.fetch_add(1);
            });
            add_cleanup(
                make<node>(1), [](void*) { cleaned.fetch_add(1); }, nullptr);
          }
        });
        h.collect();
        drop([] {
          for (int i = 0; i < 100; ++i) {
            set_finalizer(make<node>(1), [](local<node>) { other.fetch_add(1); });
            add_cleanup(
                make<node>(1), [](local<node> n) { cleaned.fetch_add(n->value); }, make<node>(1));
          }
        });
      }
    }
    CHECK(due == 200);
    CHECK(other == 0);
    CHECK(cleaned == 300);
    CHECK(destroyed == 200 + 200 + 200 + 100 + 200);
  }
}

TEST_CASE("cleanup: what entries hold is recorded as it comes and goes while the heap marks [finalizer.3]") {
  test_heap t(polled());
  const local<node> object = make<node>(1), argument = make<node>(2);
  static const as_while_marking* seen;
  static const void* expected;
  static bool recorded;
  set_finalizer(object, [](local<node>) {});
  cleanup kept = add_cleanup(
      object, [](local<node>) {}, argument);
  drop([] {
    const local<node> dead = make<node>(3);
    expected = dead.get();
    set_finalizer(dead, [](local<node> n) { recorded = seen->recorded(n.get()); });
  });
  t.heap.collect();
  {
    const as_while_marking marking(t.m);
    seen = &marking;
    recorded = false;
    CHECK(run_finalizers(t.heap) == 1);
    CHECK(recorded);
    CHECK(marking.recorded(expected));
    marking.forget();
    CHECK(kept.cancel());
    CHECK(marking.recorded(argument));
    for (const bool black : {true, false}) {
      t.m.set_colour(t.m.barrier, black);
      marking.forget();
      kept = add_cleanup(
          object, [](local<node>) {}, argument);
      CHECK(marking.recorded(argument) == !black);
    }
  }
}

TEST_CASE("cleanup: a heap is destroyed by a thread that is attached to another one [attach.1]") {
  heap mine;
  mutator attached(mine);
  const local<node> n = make<node>(11);
  static int cleaned;
  cleaned = 0;
  static heap* first;
  first = &mine;
  for (int i = 0; i < 3; ++i) {
    heap other;
    std::thread([&] {
      mutator there(other);
      // The first heap waits for nobody meanwhile.
      const auto collect_first = [](local<node> kept) {
        std::thread([] { first->collect(); }).join();
        cleaned += kept->value;
      };
      add_cleanup(make<node>(), collect_first, make<node>(5));
    }).join();
  }
  CHECK(cleaned == 15);
  mine.collect();
  CHECK(n->value == 11);
  CHECK(make<node>(3)->value == 3);
}

}  // namespace umber::testing

#include <umber/umber.h>

#include "testing.h"

#include <thread>

// This program never makes a heap itself: each case does, in a child, because the child of a process with one may not.
namespace umber::testing {

using umber::heap;

namespace {

struct node {
  field<node> next;
  int value = 0;
};

void dies_saying(void (*body)(), const char* words) {
  const ending end = death_of(body);
  INFO(end.output);
  CHECK(end.aborted());
  CHECK(end.says(words));
  CHECK(end.lines() == 1);
}

void make_in_cleanup_of_destroyed_heap() {
  heap h;
  const mutator attached(h);
  add_cleanup(
      make<node>(), [](void*) { static_cast<void>(make<node>()); }, nullptr);
}
void make_array_in_cleanup_of_destroyed_heap() {
  heap h;
  const mutator attached(h);
  add_cleanup(
      make<node>(), [](void*) { static_cast<void>(make_array<char>(10 << 20)); }, nullptr);
}
void register_in_cleanup_of_destroyed_heap() {
  heap h;
  const mutator attached(h);
  add_cleanup(
      make<node>(), [](local<node> n) { set_finalizer(n, [](local<node>) {}); }, make<node>());
}
void finalizer_of_null() {
  heap h;
  const mutator attached(h);
  set_finalizer(local<node>(), [](local<node>) {});
}
void finalizer_of_something_else() {
  heap h;
  const mutator attached(h);
  node outside;
  set_finalizer(local<node>(&outside), [](local<node>) {});
}
void finalizer_of_another_heap() {
  heap h, other;
  const mutator attached(h);
  persistent<node> elsewhere;
  std::thread([&] {
    const mutator there(other);
    elsewhere = make<node>();
  }).join();
  set_finalizer(local<node>(elsewhere.get()), [](local<node>) {});
}
void cleanup_with_its_own_object() {
  heap h;
  const mutator attached(h);
  const local<node> n = make<node>();
  add_cleanup(
      n, [](local<node>) {}, n);
}
void run_for_another_heap() {
  heap h, other;
  const mutator attached(h);
  run_finalizers(other);
}
void mutator_left_beside_the_thread() {
  auto* h = new heap;
  const mutator attached(*h);
  set_finalizer(make<node>(), [](local<node>) {});
  delete h;
}

}  // namespace

TEST_CASE("finalizer_thread: what a cleanup may not do while its heap goes is one line") {
  dies_saying(make_in_cleanup_of_destroyed_heap, "because the heap is being destroyed");
  dies_saying(make_array_in_cleanup_of_destroyed_heap, "because the heap is being destroyed");
  dies_saying(register_in_cleanup_of_destroyed_heap, "set_finalizer(): the heap is being destroyed");
}

TEST_CASE("finalizer_thread: misuse of finalizers and cleanups is one line") {
  dies_saying(finalizer_of_null, "set_finalizer(): there is no object");
  dies_saying(finalizer_of_something_else, "is no object of the heap");
  dies_saying(finalizer_of_another_heap, "is no object of the heap");
  dies_saying(cleanup_with_its_own_object, "never die");
  dies_saying(run_for_another_heap, "attached to another heap");
  dies_saying(mutator_left_beside_the_thread, "still has mutators attached");
}

TEST_CASE("finalizer_thread: a call may take part in the cycle, for none runs under a lock [finalizer_thread.1]") {
  for (const bool thread : {false, true}) {
    INFO("thread " << thread);
    const ending end = run_in_child([thread] {
      heap_options options;
      options.finalizer_thread = thread;
      static std::atomic<int> ran{0};
      heap h(options);
      static heap* the_heap;
      the_heap = &h;
      const mutator attached(h);
      for (int i = 0; i < 10; ++i)
        set_finalizer(make<node>(), [](local<node> n) {
          add_cleanup(
              n, [](void*) { ran.fetch_add(1); }, nullptr);
          set_finalizer(n, nullptr);
          the_heap->collect();
          run_finalizers(*the_heap);
          ran.fetch_add(1);
        });
      for (int i = 0; i < 10'000 && ran.load() != 20; ++i) {
        h.collect();
        if (!thread) run_finalizers(h);
        const blocking wait;
        std::this_thread::yield();
      }
      return ran.load() == 20;
    });
    INFO(end.output);
    CHECK(end.succeeded());
  }
}

}  // namespace umber::testing

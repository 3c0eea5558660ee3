// Fields are checked when they are read, too.
#define UMBER_DEBUG

#include "gc/destroying.h"

#include "gc/sweep.h"
#include "gc_testing.h"

#include <umber/umber.h>

#include <cstdlib>
#include <memory>

// This program never makes a heap itself: each case does, in a child, because the child of a process with one may not.
namespace umber::testing {

namespace {

using heap = umber::heap;
using mutator = umber::mutator;

enum class deed { nothing, make, hold, load, store, lock, root, weaken, attach, collect, give_back, peek };
deed to_do = deed::nothing;
heap* the_heap = nullptr;
std::atomic<int> gone{0}, poisoned{0};

struct leaf {
  std::uint64_t number = 0;
};

// Does in its destructor what the test wants.
struct careless {
  field<leaf> other;
  weak_field<leaf> watched;
  weak<leaf> aside;
  persistent<leaf> held;
  void* outside = nullptr;

  ~careless() {
    ++gone;
    act();
  }
  void act();
};

void careless::act() {
  switch (to_do) {
    case deed::nothing:
      return;
    case deed::make:
      return static_cast<void>(make<leaf>());
    case deed::hold:
      return static_cast<void>(local<leaf>(nullptr));
    case deed::load:
      if (other->number == 0) return;
      return std::abort();
    case deed::store:
      other = nullptr;
      return;
    case deed::lock:
      return static_cast<void>(aside.lock());
    case deed::root:
      held = persistent<leaf>(held.get());
      return;
    case deed::weaken:
      aside = weak<leaf>(held.get());
      return;
    case deed::attach: {
      const mutator again(*the_heap);
      return;
    }
    case deed::collect:
      return the_heap->collect();
    case deed::give_back:
      account_external(this, -100);
      add_external_bytes(*the_heap, 100);
      std::free(outside);
      return;
    case deed::peek: {
      std::uintptr_t bits = 0;
      std::memcpy(&bits, static_cast<const void*>(&other), sizeof bits);
      poisoned += bits == 0xdbdbdbdbdbdbdbdb;
      return;
    }
  }
}

void leave_garbage() {
  const local<careless> c = make<careless>();
  c->other = make<leaf>();
  c->held = make<leaf>();
  c->aside = c->held.get();
  c->outside = std::malloc(100);
}

// Swept by the collector's thread.
void destroy_beside(deed what, const heap_options& options) {
  to_do = what;
  heap h(options);
  the_heap = &h;
  const mutator attached(h);
  leave_garbage();
  h.collect();
}

// Swept by this thread, as when it wants slots. It is attached, and has slots and locals at hand.
void destroy_here(deed what, const heap_options& options) {
  to_do = what;
  test_heap t(options);
  the_heap = &t.heap;
  leave_garbage();
  t.m.give_up_spans();
  const local<leaf> at_hand = make<leaf>();
  {
    const lock_guard guard(t.h.mutators_lock);
    t.h.begin_sweep();
    ++t.m.epoch;
  }
  gc::space* const home = t.h.find_space(detail::description_of<careless>().id);
  gc::mspan* const swept = gc::sweep_for(*home, t.m, 1);
  home->put(swept, t.m.epoch);
}

using way = void (*)(deed what, const heap_options& options);
constexpr way ways[] = {destroy_beside, destroy_here};

heap_options checked() {
  heap_options options = never_by_itself();
  options.check_barriers = true;
  return options;
}

void dies_of(deed what, const char* call, const heap_options& options = never_by_itself()) {
  for (const way destroy : ways) {
    const ending end = death_of([&] { destroy(what, options); });
    INFO(end.output);
    CHECK(end.aborted());
    CHECK(end.lines() == 1);
    CHECK(end.says((std::string("umber: ") + call + "(): is called by the destructor of a ").c_str()));
    CHECK(end.says("careless: it runs while the heap is swept, and must not touch managed objects"));
  }
}

}  // namespace

TEST_CASE("destroying: a destructor that needs a mutator ends in one line that names its type") {
  dies_of(deed::make, "make");
  dies_of(deed::hold, "local");
  dies_of(deed::root, "persistent");
  dies_of(deed::lock, "lock");
  dies_of(deed::weaken, "local");
  dies_of(deed::attach, "mutator");
  dies_of(deed::collect, "collect");
}

TEST_CASE("destroying: where threads attach by themselves, a destructor does not attach its thread") {
  heap_options options = never_by_itself();
  options.attach_threads = true;
  const ending end = death_of([&] {
    to_do = deed::make;
    heap h(options);
    leave_garbage();
    h.collect();
  });
  INFO(end.output);
  CHECK(end.aborted());
  CHECK(end.says("umber: make(): is called by the destructor of a "));
}

TEST_CASE("destroying: a destructor that stores is seen while barriers are on") {
  dies_of(deed::store, "store", checked());
  heap_options options = never_by_itself();
  options.torture = 1'000'000;
  dies_of(deed::store, "store", options);
}

TEST_CASE("destroying: a destructor that reads a field is seen in a program compiled for that") {
  dies_of(deed::load, "field::get");
}

TEST_CASE("destroying: under torture the fields of what is destroyed say nothing") {
  for (const way destroy : ways) {
    heap_options options = never_by_itself();
    for (const unsigned torture : {0U, 1'000'000U}) {
      INFO("torture " << torture);
      options.torture = torture;
      const ending end = run_in_child([&] {
        destroy(deed::peek, options);
        return gone == 1 && poisoned == (torture != 0);
      });
      INFO(end.output);
      CHECK(end.succeeded());
    }
  }
}

TEST_CASE("destroying: a destructor gives back what is outside of the heap, its handles with it") {
  for (const way destroy : ways) {
    const ending end = run_in_child([&] {
      destroy(deed::give_back, checked());
      return gone == 1;
    });
    INFO(end.output);
    CHECK(end.succeeded());
  }
}

}  // namespace umber::testing

#include <umber/umber_c.h>

#include "testing.h"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

namespace {

struct pair {
  pair* first;
  pair* second;
  std::size_t number;
};

std::atomic<int> destroyed{0};
void count_destroyed(void*) { ++destroyed; }

umber_type* pair_type() {
  const std::size_t pointers[] = {offsetof(pair, first), offsetof(pair, second)};
  static umber_type* const type = umber_type_create("pair", sizeof(pair), pointers, 2, nullptr);
  return type;
}

pair* new_pair() { return static_cast<pair*>(umber_new(pair_type())); }

// A heap with this thread attached, which collects at every third allocation.
struct attached_heap {
  attached_heap() {
    umber_heap_options options{};
    options.size = sizeof(options);
    options.torture = 3;
    heap = umber_heap_create(&options);
    REQUIRE(umber_attach(heap) == 0);
  }
  ~attached_heap() {
    umber_detach();
    umber_heap_destroy(heap);
  }
  umber_heap* heap;
};

std::size_t length(const pair* list) {
  std::size_t n = 0;
  for (; list != nullptr; list = static_cast<const pair*>(umber_load(&list->first))) ++n;
  return n;
}

using umber::testing::death_of;
using umber::testing::run_in_child;

// Each function that needs a thread with a heap, called without one.
struct early_call {
  const char* name;
  void (*call)();
};
constexpr early_call early_calls[] = {
    {"umber_detach", [] { umber_detach(); }},
    {"umber_safepoint", [] { umber_safepoint(); }},
    {"umber_blocking_enter", [] { umber_blocking_enter(); }},
    {"umber_blocking_leave", [] { umber_blocking_leave(); }},
    {"umber_new", [] { static_cast<void>(new_pair()); }},
    {"umber_new_array", [] { static_cast<void>(umber_new_array(pair_type(), 3)); }},
    {"umber_store",
     [] {
       void* slot = nullptr;
       umber_store(&slot, nullptr);
     }},
    {"umber_scope_open",
     [] {
       umber_scope scope;
       umber_scope_open(&scope);
     }},
    {"umber_scope_close",
     [] {
       umber_scope scope{};
       umber_scope_close(&scope);
     }},
    {"umber_handle", [] { static_cast<void>(umber_handle(nullptr)); }},
    {"umber_persistent_create", [] { static_cast<void>(umber_persistent_create(nullptr)); }},
    {"umber_weak_create", [] { static_cast<void>(umber_weak_create(nullptr)); }},
    {"umber_weak_lock", [] { static_cast<void>(umber_weak_lock(nullptr)); }},
    {"umber_weak_map_create", [] { static_cast<void>(umber_weak_map_create()); }},
    {"umber_weak_map_get", [] { static_cast<void>(umber_weak_map_get(nullptr, nullptr)); }},
    {"umber_weak_map_set", [] { static_cast<void>(umber_weak_map_set(nullptr, nullptr, nullptr)); }},
    {"umber_weak_map_remove", [] { static_cast<void>(umber_weak_map_remove(nullptr, nullptr)); }},
    {"umber_weak_map_size", [] { static_cast<void>(umber_weak_map_size(nullptr)); }},
    {"umber_weak_map_each", [] { static_cast<void>(umber_weak_map_each(nullptr, nullptr, nullptr)); }},
    {"umber_set_finalizer", [] { static_cast<void>(umber_set_finalizer(nullptr, nullptr, nullptr)); }},
    {"umber_add_cleanup", [] { static_cast<void>(umber_add_cleanup(nullptr, nullptr, nullptr, nullptr)); }},
    {"umber_add_cleanup_of", [] { static_cast<void>(umber_add_cleanup_of(nullptr, nullptr, nullptr, nullptr)); }},
    {"umber_cancel_cleanup",
     [] {
       const umber_cleanup id{};
       static_cast<void>(umber_cancel_cleanup(&id));
     }},
    {"umber_run_finalizers", [] { static_cast<void>(umber_run_finalizers(nullptr)); }},
};

umber_heap* make_tortured(bool attach_threads = false) {
  umber_heap_options options{};
  options.size = sizeof(options);
  options.torture = 3;
  options.attach_threads = attach_threads;
  return umber_heap_create(&options);
}

// One line.
void dies_saying(void (*body)(), const std::string& words) {
  const auto end = death_of(body);
  INFO(end.output);
  CHECK(end.aborted());
  CHECK(end.lines() == 1);
  CHECK(end.says(words.c_str()));
}

}  // namespace

// Deaths come first: the child of a process that has had a heap may have none.

TEST_CASE("c api: what needs an attached thread says so, by its name and with what to call") {
  for (const early_call& early : early_calls) {
    INFO(early.name);
    static const early_call* now;
    now = &early;
    const auto body = [] {
      static_cast<void>(make_tortured());
      now->call();
    };
    dies_saying(body,
                "umber: " + std::string(early.name) + "(): needs a thread that is attached: call umber_attach first\n");
  }
}

TEST_CASE("c api: attaching twice, and destroying a heap in use, is one line") {
  dies_saying(
      [] {
        umber_heap* const heap = make_tortured();
        umber_attach(heap);
        umber_attach(heap);
      },
      "this thread is attached already");
  dies_saying(
      [] {
        umber_heap* const heap = make_tortured();
        umber_attach(heap);
        umber_heap_destroy(heap);
      },
      "still has mutators attached");
  dies_saying(
      [] {
        umber_heap* const heap = make_tortured();
        umber_attach(heap);
        static_cast<void>(umber_persistent_create(new_pair()));
        umber_detach();
        umber_heap_destroy(heap);
      },
      "still has persistent or weak handles");
  dies_saying(
      [] {
        umber_heap* const heap = make_tortured();
        umber_attach(heap);
        umber_scope scope;
        umber_scope_open(&scope);
        umber_handle(new_pair());
        umber_detach();
      },
      "umber_detach(): scopes are still open");
}

TEST_CASE("c api: making an object in a cleanup that runs because the heap is destroyed is one line") {
  dies_saying(
      [] {
        umber_heap* const heap = make_tortured();
        umber_attach(heap);
        umber_add_cleanup(
            new_pair(), [](void*) { static_cast<void>(new_pair()); }, heap, nullptr);
        umber_detach();
        umber_heap_destroy(heap);
      },
      "because the heap is being destroyed");
}

TEST_CASE("c api: a destroy function that makes an object is one line with the name of its type") {
  dies_saying(
      [] {
        umber_heap* const heap = make_tortured();
        umber_attach(heap);
        umber_type* const type =
            umber_type_create("careless", 32, nullptr, 0, [](void*) { static_cast<void>(new_pair()); });
        static_cast<void>(umber_new(type));
        umber_collect(heap);
      },
      "umber: umber_new(): is called by the destructor of a careless:");
}

TEST_CASE("c api: where the heap says so, a thread is attached when it needs to be") {
  const auto end = run_in_child([] {
    umber_heap* const heap = make_tortured(true);
    bool made = false;
    std::thread([&] { made = new_pair() != nullptr; }).join();
    umber_heap_destroy(heap);
    return made;
  });
  INFO(end.output);
  CHECK(end.succeeded());
}

TEST_CASE("c api: what handles hold stays, and what fields hold of it") {
  attached_heap here;
  umber_scope scope;
  umber_scope_open(&scope);
  void** list = umber_handle(nullptr);
  for (std::size_t i = 0; i < 500; ++i) {
    umber_scope inner;
    umber_scope_open(&inner);
    void** link = umber_handle(new_pair());
    static_cast<pair*>(*link)->number = i;
    umber_store(&static_cast<pair*>(*link)->first, *list);
    *list = *link;
    umber_scope_close(&inner);
  }
  CHECK(length(static_cast<pair*>(*list)) == 500);
  std::size_t expected = 500;
  for (const auto* p = static_cast<pair*>(*list); p != nullptr; p = p->first) REQUIRE(p->number == --expected);
  umber_scope_close(&scope);
}

TEST_CASE("c api: scopes nest, and a thousand handles in one go with it") {
  attached_heap here;
  umber_scope outer;
  umber_scope_open(&outer);
  void** kept = umber_handle(new_pair());
  for (int round = 0; round < 5; ++round) {
    umber_scope inner;
    umber_scope_open(&inner);
    std::vector<void**> handles;
    for (std::size_t i = 0; i < 1000; ++i) {
      handles.push_back(umber_handle(new_pair()));
      static_cast<pair*>(*handles.back())->number = i;
    }
    for (std::size_t i = 0; i < 1000; ++i) REQUIRE(static_cast<pair*>(*handles[i])->number == i);
    umber_scope_close(&inner);
  }
  CHECK(static_cast<pair*>(*kept)->number == 0);
  umber_scope_close(&outer);
}

TEST_CASE("c api: an array keeps its elements' objects, and knows its length") {
  attached_heap here;
  umber_scope scope;
  umber_scope_open(&scope);
  void** array = umber_handle(umber_new_array(pair_type(), 300));
  REQUIRE(umber_array_length(*array) == 300);
  for (std::size_t i = 0; i < 300; ++i) {
    pair* fresh = new_pair();
    fresh->number = i;
    umber_store(&static_cast<pair*>(umber_array_data(*array))[i].second, fresh);
  }
  const auto* elements = static_cast<const pair*>(umber_array_data(*array));
  for (std::size_t i = 0; i < 300; ++i) REQUIRE(elements[i].second->number == i);
  umber_scope_close(&scope);
}

TEST_CASE("c api: a persistent keeps its object, a weak reference does not") {
  attached_heap here;
  umber_persistent* root = umber_persistent_create(new_pair());
  umber_persistent* weak_root = umber_persistent_create(umber_weak_create(umber_persistent_get(root)));
  umber_collect(here.heap);
  auto* weak = static_cast<umber_weak*>(umber_persistent_get(weak_root));
  CHECK(umber_weak_lock(weak) == umber_persistent_get(root));
  umber_persistent_set(root, nullptr);
  umber_collect(here.heap);
  weak = static_cast<umber_weak*>(umber_persistent_get(weak_root));
  CHECK(umber_weak_lock(weak) == nullptr);
  umber_persistent_destroy(root);
  umber_persistent_destroy(weak_root);
}

TEST_CASE("c api: destroy is called once for each dead object") {
  destroyed = 0;
  {
    attached_heap here;
    umber_type* type = umber_type_create("counted", 40, nullptr, 0, count_destroyed);
    for (int i = 0; i < 100; ++i) REQUIRE(umber_new(type) != nullptr);
    umber_collect(here.heap);
    CHECK(destroyed == 100);
    REQUIRE(umber_new(type) != nullptr);
  }
  CHECK(destroyed == 101);
}

TEST_CASE("c api: a type whose pointers lie beside a word or beyond its end is refused") {
  const std::size_t beside[] = {4};
  const std::size_t beyond[] = {16};
  CHECK(umber_type_create("beside", 16, beside, 1, nullptr) == nullptr);
  CHECK(umber_type_create("beyond", 16, beyond, 1, nullptr) == nullptr);
}

TEST_CASE("c api: a blocking thread does not hold up a collection") {
  attached_heap here;
  std::atomic<bool> blocked{false};
  std::atomic<bool> done{false};
  std::thread other([&] {
    REQUIRE(umber_attach(here.heap) == 0);
    umber_blocking_enter();
    blocked = true;
    while (!done) std::this_thread::yield();
    umber_blocking_leave();
    umber_detach();
  });
  while (!blocked) umber_safepoint();
  umber_collect(here.heap);
  done = true;
  // The other thread attaches and detaches by asking nobody: this one need not reach a safepoint.
  other.join();
}

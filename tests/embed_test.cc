#include "testing.h"

#include <umber/umber.h>

#include <sys/wait.h>

#include <cstring>
#include <memory>
#include <thread>

// This program never makes a heap itself: each case does, in a child, because the child of a process with one may not.
namespace umber::testing {
namespace {

using managed = umber::heap;  // beside alloc's
struct link {
  field<link> next;
  std::uint64_t number = 0;
};

// What a child says when it ends by misuse.
bool dies_saying(void (*body)(), const char* words) {
  const ending end = run_in_child([&] {
    body();
    return true;
  });
  INFO(end.output);
  return end.aborted() && end.says(words);
}

bool ends_well(bool (*body)()) {
  const ending end = run_in_child([&] { return body(); });
  INFO(end.output);
  return end.succeeded();
}

void make_unattached() {
  managed h;
  static_cast<void>(make<link>());
}
void local_unattached() {
  managed h;
  local<link> l;
}
void attach_twice() {
  managed h;
  mutator first(h);
  mutator second(h);
}
void leave_a_mutator() {
  auto h = std::make_unique<managed>();
  mutator attached(*h);
  h.reset();
}
void leave_a_persistent() {
  persistent<link> kept;
  managed h;
  mutator attached(h);
  kept = make<link>();
}
void leave_a_local() {
  managed h;
  auto attached = std::make_unique<mutator>(h);
  const local<link> kept = make<link>();
  attached.reset();
}
void free_managed() {
  managed h;
  mutator attached(h);
  const local<link> object = make<link>();
  umber::deallocate(object.get());
}

// A pointer of another heap, stored in a field or held by a handle of this one.
link* stranger(managed& other, persistent<link>& kept) {
  std::thread([&] {
    mutator attached(other);
    kept = make<link>();
  }).join();
  return kept.get();
}
void store_a_stranger() {
  managed mine;
  managed other;
  auto* kept = new persistent<link>;
  mutator attached(mine);
  const local<link> object = make<link>();
  object->next = stranger(other, *kept);
  mine.collect();
}
void hold_a_stranger() {
  managed mine;
  managed other;
  auto* kept = new persistent<link>;
  mutator attached(mine);
  const local<link> object(stranger(other, *kept));
  mine.collect();
}

// Handles where they do not belong: of an object of another heap, or used by a thread of another.
using weak_links = weak_map<link, link>;

void persistent_of_a_stranger() {
  managed mine, other;
  auto* kept = new persistent<link>;
  mutator attached(mine);
  const persistent<link> mistaken(stranger(other, *kept));
}
void persistent_of_no_object() {
  managed mine;
  mutator attached(mine);
  link outside;
  const persistent<link> mistaken(&outside);
}
void weak_of_a_stranger() {
  managed mine, other;
  auto* kept = new persistent<link>;
  mutator attached(mine);
  const weak<link> mistaken(stranger(other, *kept));
}
void assign_a_stranger() {
  managed mine(heap_options{.check_barriers = true}), other;
  auto* kept = new persistent<link>;
  mutator attached(mine);
  persistent<link> mistaken(make<link>());
  mistaken = stranger(other, *kept);
}
template <class Use>
void use_elsewhere(Use use) {
  managed mine, other;
  auto* held = new persistent<link>;
  auto* seen = new weak<link>;
  std::thread([&] {
    mutator attached(other);
    *held = make<link>();
    *seen = held->get();
  }).join();
  mutator attached(mine);
  use(held, seen);
}
void lock_elsewhere() {
  use_elsewhere([](auto*, weak<link>* seen) { static_cast<void>(seen->lock()); });
}
void drop_elsewhere() {
  use_elsewhere([](persistent<link>* held, auto*) { delete held; });
}
void map_a_stranger_as_key() {
  use_elsewhere([](persistent<link>* held, auto*) { make<weak_links>()->set(local<link>(held->get()), make<link>()); });
}
void map_a_stranger_as_value() {
  use_elsewhere([](persistent<link>* held, auto*) { make<weak_links>()->set(make<link>(), local<link>(held->get())); });
}

// By a thread that is attached to nothing, while nothing marks.
template <class Store>
void store_unattached(const heap_options& options, Store store) {
  managed h(options);
  mutator attached(h);
  persistent<link> held(make<link>());
  const local<link> object = make<link>();
  std::thread([&] { store(held, object.get()); }).join();
}
void store_unattached_to_a_field() {
  store_unattached({.check_barriers = true}, [](auto&, link* object) { object->next = object; });
}
void store_unattached_under_torture() {
  store_unattached({.torture = 1'000'000}, [](auto&, link* object) { object->next = nullptr; });
}
void store_unattached_to_a_persistent() {
  store_unattached({.check_barriers = true}, [](persistent<link>& held, link* object) { held = object; });
}

bool works_in_child_of_heapless() {
  managed h;
  mutator attached(h);
  const local<link> object = make<link>();
  h.collect();
  return object->number == 0;
}

// Forks while a heap exists and its collector runs; the grandchild does what it may.
bool fork_reads_and_mallocs() {
  managed h(heap_options{.minimum = 64 << 10});
  mutator attached(h);
  local<link> list;
  for (std::uint64_t i = 0; i < 10000; ++i) {
    local<link> fresh = make<link>();
    fresh->number = i;
    fresh->next = list;
    list = fresh;
  }
  const pid_t child = fork();
  if (child == 0) {
    std::uint64_t n = 0;
    for (link* l = list; l != nullptr; l = l->next) ++n;
    list->next = nullptr;
    void* p = umber::allocate(100);
    umber::deallocate(p);
    _exit(n == 10000 ? 0 : 1);
  }
  int status = 0;
  for (int i = 0; i < 100000; ++i) static_cast<void>(make<link>());
  return waitpid(child, &status, 0) == child && status == 0;
}

bool threads_attach_by_themselves() {
  heap_options options;
  options.attach_threads = true;
  options.minimum = 64 << 10;
  managed h(options);
  std::uint64_t right = 0;
  for (int i = 0; i < 4; ++i) {
    std::thread([&] {
      local<link> list;  // attaches
      const std::uint64_t before = h.statistics().cycles;
      std::uint64_t n = 0;
      for (; n < 20000 || h.statistics().cycles == before; ++n) {  // a cycle goes by
        local<link> fresh = make<link>();
        fresh->number = n;
        if (n % 2 == 0) fresh->next = list;
        list = fresh;
      }
      right += list->number == n - 1;
    }).join();
  }
  const local<link> mine = make<link>();
  h.collect();
  return right == 4 && mine->number == 0;
}
void two_heaps_attach() {
  heap_options options;
  options.attach_threads = true;
  managed h(options);
  managed other(options);
}

void make_in_forked_child() {
  managed h;
  mutator attached(h);
  const pid_t child = fork();
  if (child == 0) {
    static_cast<void>(make<link>());
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) std::abort();
}

bool keeps_working_below_live() {
  heap_options options;
  options.minimum = 64 << 10;
  options.limit = 256 << 10;
  managed h(options);
  mutator attached(h);
  local<array<field<link>>> kept = make_array<field<link>>(40000);
  for (int round = 0; round < 20; ++round)
    for (std::size_t i = 0; i < kept->size(); ++i) (*kept)[i] = make<link>();
  h.collect();
  return h.statistics().live_bytes > options.limit;
}

}  // namespace

TEST_CASE("embed: misuse of heaps and threads ends in one line that says what to do") {
  CHECK(dies_saying(make_unattached, "make(): needs a thread that is attached"));
  CHECK(dies_saying(local_unattached, "local(): needs a thread that is attached"));
  CHECK(dies_saying(attach_twice, "this thread is attached already"));
  CHECK(dies_saying(leave_a_mutator, "still has mutators attached"));
  CHECK(dies_saying(leave_a_persistent, "still has persistent or weak handles"));
  CHECK(dies_saying(leave_a_local, "still has locals"));
  CHECK(dies_saying(free_managed, "belongs to a managed heap"));
}

TEST_CASE("embed: where the heap says so, threads are attached when they need to be, and detached when they end") {
  CHECK(ends_well(threads_attach_by_themselves));
  CHECK(dies_saying(two_heaps_attach, "another heap attaches threads by itself already"));
}

TEST_CASE("embed: an object of another heap is found by the next cycle, in a field and in a handle") {
  CHECK(dies_saying(store_a_stranger, "is an object of another heap"));
  CHECK(dies_saying(hold_a_stranger, "is an object of another heap"));
}

TEST_CASE("embed: a handle of an object of another heap, or of a thread of another, is one line") {
  CHECK(dies_saying(persistent_of_a_stranger, " is no object of the heap that this thread is attached to"));
  CHECK(dies_saying(persistent_of_no_object, " is no object of the heap that this thread is attached to"));
  CHECK(dies_saying(weak_of_a_stranger, " is no object of the heap that this thread is attached to"));
  CHECK(dies_saying(assign_a_stranger, "is an object of another heap"));
  CHECK(dies_saying(lock_elsewhere, "umber: lock(): 0x"));
  CHECK(dies_saying(drop_elsewhere, "umber: ~persistent(): is a handle of another heap"));
  CHECK(dies_saying(map_a_stranger_as_key, "umber: weak_map(): 0x"));
  CHECK(dies_saying(map_a_stranger_as_value, "umber: weak_map(): 0x"));
}

TEST_CASE("embed: a store by a thread that is not attached is seen in a heap with checks, though nothing marks") {
  CHECK(dies_saying(store_unattached_to_a_field, "umber: store(): needs a thread that is attached"));
  CHECK(dies_saying(store_unattached_under_torture, "umber: store(): needs a thread that is attached"));
  CHECK(dies_saying(store_unattached_to_a_persistent, "umber: store(): needs a thread that is attached"));
}

TEST_CASE("embed: the child of a fork reads objects and uses malloc; making one there is an error that says so") {
  if (!may_fork_under_load) return;
  CHECK(ends_well(works_in_child_of_heapless));
  CHECK(ends_well(fork_reads_and_mallocs));
  CHECK(dies_saying(make_in_forked_child, "in the child of a fork"));
}

TEST_CASE("embed: a limit below what is live is said once, and the heap works on") {
  const ending end = run_in_child([] { return keeps_working_below_live(); });
  INFO(end.output);
  CHECK(end.succeeded());
  const std::size_t first = end.output.find("umber: the memory limit of 262144 bytes is below");
  REQUIRE(first != std::string::npos);
  CHECK(end.output.find("umber: the memory limit", first + 1) == std::string::npos);
}

}  // namespace umber::testing

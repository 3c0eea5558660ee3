#include "gc/verify.h"

#include "gc/handshake.h"
#include "gc/mark.h"
#include "gc/request.h"
#include "gc/shadow.h"
#include "testing.h"

#include <umber/umber.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>
#include <thread>

namespace umber::gc {
namespace {

using testing::death_of;

struct node {
  umber::field<node> left, right;
  std::uint64_t number = 0;
};

heap_options checked(unsigned workers = 1) {
  heap_options options;
  options.percent = heap_options::off;
  options.workers = workers;
  options.check_marks = true;
  return options;
}

std::size_t count(const node* n) { return n == nullptr ? 0 : 1 + count(n->left) + count(n->right); }

umber::local<node> tree(int depth) {
  auto root = make<node>();
  if (depth == 0) return root;
  root->left = tree(depth - 1);
  root->right = tree(depth - 1);
  return root;
}

// Deaths come first: the child of a process that has had a heap may have none.

TEST_CASE("verify: a pointer that outlived a safepoint without a handle is named with the way to it") {
  const auto end = death_of([] {
    umber::heap heap(checked());
    const umber::mutator attached(heap);
    const auto root = tree(2);
    node* plain = make<node>().get();
    heap.collect();
    root->right->left = plain;
    heap.collect();
  });
  INFO(end.output);
  CHECK(end.aborted());
  CHECK(end.says("is held, and is an object that was freed; the way to it:\n"));
  CHECK(end.says("umber:   a local of thread "));
  CHECK(end.says("node at 0x"));
  CHECK(end.says("umber:   +8 holds a "));
  CHECK(end.says("umber:   +0 holds 0x"));
}

TEST_CASE("verify: a long path is cut in its middle [retrace.1]") {
  const auto end = death_of([] {
    umber::heap heap(checked());
    const umber::mutator attached(heap);
    const auto list = make_array<umber::field<node>>(3);
    umber::local<node> last = make<node>();
    list[0][2] = last;
    for (int i = 0; i < 1000; ++i) {
      last->right = make<node>();
      last = last->right;
    }
    node* plain = make<node>().get();
    heap.collect();
    last->left = plain;
    last = nullptr;
    heap.collect();
  });
  INFO(end.output);
  CHECK(end.aborted());
  CHECK(end.says("holds an array of "));
  CHECK(end.says("umber:   [2] +0 holds a "));
  CHECK(end.says(" more ...\n"));
  CHECK(end.lines() < 40);
}

TEST_CASE("verify: an address that is no object is named") {
  const auto end = death_of([] {
    umber::heap heap(checked());
    const umber::mutator attached(heap);
    const auto root = make<node>();
    root->left = make<node>();
    root->number = 0;
    // The inside of an object: marking takes it, the check does not.
    const std::uintptr_t inside = address_of(root->left.get()) + 16;
    std::memcpy(static_cast<void*>(root.get()), &inside, sizeof inside);
    heap.collect();
  });
  INFO(end.output);
  CHECK(end.aborted());
  CHECK(end.says("an address inside of an object"));
}

question asked(const mutator& m) { return static_cast<question>(m.question.load(std::memory_order_acquire)); }

// A cycle that the test leads by the hand: the test's thread is one mutator, and another keeps the collector waiting in
// any round. Both threads run, one after the other, what the test has them do. Barriers are not checked: that stops the
// world in the middle of a cycle, and who comes back from that may be answered for, and is held no more.
class held_cycle {
 public:
  explicit held_cycle(umber::heap& heap) : mine_(this_mutator()), other_thread_([this, &heap] { be_other(heap); }) {
    drop_shadow(*mine_.heap);
    wait_for([this] { return other_.load(std::memory_order_acquire) != nullptr; });
  }
  ~held_cycle() {
    finish();
    leave_ = true;
    other_thread_.join();
  }

  // Starts a cycle that goes on until this thread has answered `last`; the other has answered what is before it.
  void run_until(question last) {
    held_at_ = static_cast<std::uint32_t>(last);
    end_ = mine_.heap->started.load(std::memory_order_acquire) + 1;
    start_cycle(*mine_.heap);
    while (!has_answered(last)) {
      answer_pending(mine_);
      std::this_thread::yield();
    }
  }
  // The other thread runs `what`, between two safepoints.
  void other_does(std::function<void()> what) {
    errand_ = std::move(what);
    has_errand_ = true;
    wait_for([this] { return !has_errand_; });
  }
  void let_go() { held_at_ = UINT32_MAX; }
  // Both answer until the cycle has ended.
  void finish() {
    let_go();
    while (end_ != mine_.heap->finished.load(std::memory_order_acquire)) {
      answer_pending(mine_);
      std::this_thread::yield();
    }
  }

 private:
  // By itself, or somebody did for it while the world was stopped.
  bool has_answered(question q) {
    const lock_guard guard(mine_.heap->mutators_lock);
    return mine_.heap->stage == q && !is_asked(mine_.question.load(std::memory_order_acquire));
  }
  template <class Condition>
  void wait_for(Condition condition) {
    while (!condition()) std::this_thread::yield();
  }
  void be_other(umber::heap& heap) {
    const umber::mutator attached(heap);
    other_.store(&this_mutator(), std::memory_order_release);
    while (!leave_) {
      const question q = asked(this_mutator());
      if (q == question::park || static_cast<std::uint32_t>(q) < held_at_) answer_pending(this_mutator());
      if (has_errand_) {
        errand_();
        has_errand_ = false;
      }
      std::this_thread::yield();
    }
  }

  mutator& mine_;
  std::atomic<mutator*> other_{nullptr};
  std::atomic<std::uint32_t> held_at_{UINT32_MAX};
  std::uint32_t end_ = mine_.heap->finished.load(std::memory_order_acquire);
  std::function<void()> errand_;
  std::atomic<bool> has_errand_{false};
  std::atomic<bool> leave_{false};
  std::thread other_thread_;
};

TEST_CASE("verify: a heap that is collected while it is used passes [verify.1] [cycle.1]") {
  umber::heap heap(checked(2));
  const umber::mutator attached(heap);
  const auto kept = tree(12);
  for (int round = 0; round < 5; ++round) {
    heap.collect();
    kept->left->left = tree(8);
    kept->right->right = kept->left;
  }
  CHECK(count(kept->left) > 500);
}

TEST_CASE("verify: what an overwritten field held is found by the flush") {
  umber::heap heap(checked());
  const umber::mutator attached(heap);
  const auto root = make<node>();
  root->left = make<node>();
  root->left->left = make<node>();
  held_cycle cycle(heap);
  cycle.run_until(question::scan);
  const umber::local<node> taken(root->left);
  root->left = nullptr;
  cycle.finish();
  CHECK(taken->left->number == 0);
}

TEST_CASE("verify: under torture every second object that the barrier records is handed over, and found") {
  heap_options options = checked();
  options.torture = 1;
  umber::heap heap(options);
  const umber::mutator attached(heap);
  const auto root = tree(2);
  held_cycle cycle(heap);
  cycle.run_until(question::scan);
  const umber::local<node> first(root->left), second(root->right);
  root->left = nullptr;
  root->right = nullptr;
  CHECK(this_mutator().buffered == 0);
  cycle.finish();
  CHECK(count(first) + count(second) == 6);
}

TEST_CASE("verify: what a thread not yet scanned stores into a black object is found") {
  umber::heap heap(checked(2));
  const umber::mutator attached(heap);
  const auto root = make<node>();
  held_cycle cycle(heap);
  std::unique_ptr<umber::local<node>> others;
  cycle.other_does([&] { others = std::make_unique<umber::local<node>>(make<node>()); });
  cycle.run_until(question::scan);
  while (!object_map::is_marked(address_of(root.get()))) std::this_thread::yield();
  cycle.other_does([&] {
    root->left = others->get();
    others.reset();
  });
  cycle.finish();
  CHECK(root->left->number == 0);
}

TEST_CASE("verify: every handle is a root") {
  umber::heap heap(checked());
  const umber::mutator attached(heap);
  const auto first = tree(3);
  const persistent<node> second(tree(3));
  const auto third = tree(3);
  heap.collect();
  CHECK(count(first) + count(second) + count(third) == 45);
}

TEST_CASE("verify: what a persistent handle held when it was dropped is found by the flush") {
  umber::heap heap(checked());
  const umber::mutator attached(heap);
  auto kept = std::make_unique<persistent<node>>(tree(2));
  held_cycle cycle(heap);
  cycle.run_until(question::scan);
  const umber::local<node> taken(kept->get());
  kept.reset();
  cycle.finish();
  CHECK(count(taken) == 7);
}

TEST_CASE("verify: what is made while the heap marks has a mark") {
  umber::heap heap(checked());
  const umber::mutator attached(heap);
  const auto before = make<node>();
  held_cycle cycle(heap);
  cycle.run_until(question::scan);
  // More than was at hand.
  const auto made = tree(9);
  cycle.finish();
  CHECK(count(made) == 1023);
  CHECK(before->number == 0);
}

TEST_CASE("verify: what was at hand when its thread became black has a mark") {
  umber::heap heap(checked());
  const umber::mutator attached(heap);
  const auto before = make<node>();
  held_cycle cycle(heap);
  cycle.run_until(question::scan);
  const auto made = make<node>();
  cycle.finish();
  CHECK(made->number == before->number);
}

TEST_CASE("verify: a thread that attaches while the heap marks takes part") {
  umber::heap heap(checked());
  const umber::mutator attached(heap);
  const persistent<node> root(tree(2));
  const persistent<node> place(make<node>());
  held_cycle cycle(heap);
  cycle.run_until(question::scan);
  std::atomic<bool> overwritten = false, ended = false;
  std::thread late([&] {
    const umber::mutator attached_late(heap);
    const umber::local<node> taken(root->left);
    root->left = nullptr;
    overwritten = true;
    while (!ended) safepoint();
    place->left = taken;
  });
  while (!overwritten) std::this_thread::yield();
  cycle.finish();
  ended = true;
  {
    const umber::blocking waits;
    late.join();
  }
  CHECK(count(place->left) == 3);
}

TEST_CASE("verify: what a thread has recorded stays when the thread leaves") {
  umber::heap heap(checked());
  const umber::mutator attached(heap);
  const persistent<node> root(tree(2));
  const auto other = make<node>();
  held_cycle cycle(heap);
  cycle.run_until(question::scan);
  const auto black = make<node>();
  std::thread brief([&] {
    const umber::mutator attached_briefly(heap);
    black->left = root->left;
    root->left = nullptr;
  });
  brief.join();
  cycle.finish();
  CHECK(count(black->left) == 3);
  CHECK(other->number == 0);
}

TEST_CASE("verify: a store under way when barriers go on has ended before a thread is scanned") {
  umber::heap heap(checked());
  const umber::mutator attached(heap);
  const persistent<node> root(make<node>());
  root->left = make<node>();
  held_cycle cycle(heap);
  std::unique_ptr<umber::local<node>> others;
  cycle.other_does([&] { others = std::make_unique<umber::local<node>>(make<node>()); });
  std::atomic<bool> taken = false, ended = false;
  std::atomic<int> attached_third = 0;
  std::thread third([&] {
    const umber::mutator attached_too(heap);
    attached_third = 1;
    while (!this_mutator().black && !ended) safepoint();
    const umber::local<node> found(root->left);
    taken = true;
    while (!ended) safepoint();
  });
  while (attached_third == 0) std::this_thread::yield();
  cycle.run_until(question::barrier_on);
  // The two halves of root->left = nullptr. Between them another thread, whose barrier is off, stores there.
  auto* slot = reinterpret_cast<std::atomic<void*>*>(&root->left);
  detail::barrier(slot, nullptr);
  cycle.other_does([&] {
    root->left = others->get();
    others.reset();
  });
  cycle.let_go();
  for (int tries = 0; tries < 100 && !taken; ++tries) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  CHECK_FALSE(taken);
  slot->store(nullptr, std::memory_order_release);
  cycle.finish();
  ended = true;
  third.join();
}

TEST_CASE("verify: a weak load waits for the verdict, or its object has a mark [weak.1]") {
  umber::heap heap(checked());
  const umber::mutator attached(heap);
  const weak<node> reference(make<node>());
  held_cycle cycle(heap);
  cycle.run_until(question::flush);
  std::thread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    cycle.let_go();
  });
  const auto loaded = reference.lock();
  CHECK(loaded == nullptr);
  cycle.finish();
  later.join();
}

TEST_CASE("verify: what a marker has not looked at when it stops is there for others [mark.1]") {
  umber::heap heap(checked());
  const umber::mutator attached(heap);
  const auto all = make_array<umber::field<array<char>>>(64);
  for (auto& each : *all) each = make_array<char>(4000);
  {
    marker first(*this_mutator().heap);
    for (const auto& each : *all) first.add(address_of(each.get()));
    first.drain(32);
  }
  {
    marker second(*this_mutator().heap);
    second.drain(SIZE_MAX);
  }
  for (const auto& each : *all) CHECK(object_map::is_marked(address_of(each.get())));
}

TEST_CASE("verify: a long array and far objects are marked to their ends") {
  umber::heap heap(checked(3));
  const umber::mutator attached(heap);
  constexpr std::size_t length = 20000;
  const auto all = make_array<umber::field<node>>(length);
  for (std::size_t i = 0; i < length; ++i) all[0][i * 7919 % length] = make<node>();
  for (int round = 0; round < 3; ++round) heap.collect();
  std::size_t n = 0;
  for (const auto& each : *all) n += each != nullptr;
  CHECK(n == length);
}

struct vast {
  umber::field<node> fields[40'000];
};
struct vast_asked : vast {
  void trace(visitor& visit) const { visit(fields); }
};

template <class T>
void check_large_object() {
  umber::heap heap(checked());
  const umber::mutator attached(heap);
  const auto large = make<T>();
  for (umber::field<node>& each : large->fields) each = make<node>();
  for (int round = 0; round < 3; ++round) heap.collect();
  CHECK(std::all_of(std::begin(large->fields), std::end(large->fields), [](auto& each) { return each != nullptr; }));
}

TEST_CASE("verify: all fields of a large object are marked") { check_large_object<vast>(); }

TEST_CASE("verify: all that a large object shows is marked") { check_large_object<vast_asked>(); }

TEST_CASE("verify: what has a mark survives the sweep") {
  umber::heap heap(checked());
  const umber::mutator attached(heap);
  const auto kept = tree(6);
  for (int round = 0; round < 3; ++round) heap.collect();
  CHECK(count(kept) == 127);
}

TEST_CASE("verify: weak references to the dead are cleared") {
  umber::heap heap(checked());
  const umber::mutator attached(heap);
  const weak<node> reference(make<node>());
  heap.collect();
  CHECK(reference.lock() == nullptr);
}

}  // namespace
}  // namespace umber::gc

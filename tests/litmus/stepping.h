// A cycle that moves only as its mutators answer. A test has two of them, A and B, each a thread that runs the steps it
// is given, one after the other, and answers a question only when it is told to. So a table is run as it stands.
//
// What is lost is found by the check-mark, which ends the process; the tests also look at the slot itself.
#pragma once

#include "../gc_testing.h"
#include "gc/request.h"

#include <memory>

namespace umber::litmus {

using namespace gc;
using testing::other_thread;

struct node {
  field<node> f;
  std::uint64_t number = 0;
};

template <class Condition>
void until(Condition condition) {
  while (!condition()) std::this_thread::yield();
}

// A thread of a heap, with one handle.
class actor {
 public:
  explicit actor(umber::heap& heap) : thread_(heap) {}
  // Its thread detaches only without handles.
  ~actor() { forgets(); }
  actor(const actor&) = delete;
  actor& operator=(const actor&) = delete;

  gc::mutator& mutator() { return thread_.mutator(); }
  void does(const std::function<void()>& step) { thread_.run(step); }
  // One that may wait for others.
  void begins(const std::function<void()>& step) { thread_.start(step); }
  bool has_ended() const { return thread_.done(); }
  void ends() { thread_.wait(); }

  // Holds what `get` gives, and nothing else.
  template <class Get>
  node* holds(Get get) {
    does([&] { hand_ = std::make_unique<local<node>>(get()); });
    return *hand_ == nullptr ? nullptr : hand_->get();
  }
  void forgets() {
    does([&] { hand_.reset(); });
  }

  question asked() { return static_cast<question>(mutator().question.load(std::memory_order_acquire)); }
  question next_question() {
    until([&] { return asked() != question::none; });
    return asked();
  }
  void answers(question q) {
    REQUIRE(next_question() == q);
    does([] { answer_pending(this_mutator()); });
  }

 private:
  other_thread thread_;
  std::unique_ptr<local<node>> hand_;
};

class stepped_heap {
 public:
  umber::heap heap;
  actor a, b;
  managed_heap& h;

  // With one worker nothing is marked before all have answered scan; with two a helper marks from the first answer on.
  explicit stepped_heap(unsigned workers = 1) : heap(options_for(workers)), a(heap), b(heap), h(*a.mutator().heap) {}
  ~stepped_heap() { ends(); }
  stepped_heap(const stepped_heap&) = delete;
  stepped_heap& operator=(const stepped_heap&) = delete;

  void begins() {
    last_ = h.started.load() + 1;
    start_cycle(h);
  }
  // Begins a cycle, and has both answer all that is asked before q, which is then asked. Before finish the world would
  // be stopped for the check, and who wakes from that may find itself answered for: so there is no check then.
  void begins_until(question q) {
    h.options.check_marks = q != question::finish;
    begins();
    for (const question each : {question::barrier_on, question::settle, question::scan}) {
      if (each == q) return asks(q);
      both_answer(each);
    }
    while (q == question::finish && a.next_question() == question::flush) both_answer(question::flush);
    asks(q);
  }
  void both_answer(question q) {
    a.answers(q);
    b.answers(q);
  }
  // Waits until q has been asked; both have yet to answer.
  void asks(question q) {
    REQUIRE(a.next_question() == q);
    REQUIRE(b.next_question() == q);
  }
  question stage() {
    const lock_guard guard(h.mutators_lock);
    return h.stage;
  }
  // Both answer all that is asked until the cycle has ended and all is swept.
  void ends() {
    const auto answer_all = [this] {
      while (h.finished.load() != last_) safepoint();
    };
    a.begins(answer_all);
    b.begins(answer_all);
    a.ends();
    b.ends();
  }
  void whole_cycle() {
    h.options.check_marks = true;
    begins();
    ends();
  }

  static bool is_marked(const void* object) { return object_map::is_marked(address_of(object)); }
  static bool lives(const void* object) {
    const mspan* s = span_of(address_of(object));
    slot_id slot;
    return s->owner == span_owner::managed && s->find_slot(address_of(object), slot) && !s->is_free(slot);
  }

 private:
  static heap_options options_for(unsigned workers) {
    heap_options options = testing::never_by_itself();
    options.workers = workers;
    options.check_marks = true;
    return options;
  }

  std::uint32_t last_ = 0;
};

}  // namespace umber::litmus

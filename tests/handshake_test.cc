#include "gc/handshake.h"

#include "gc/sweep.h"
#include "gc_testing.h"

#include <vector>

namespace umber::testing {
namespace {

using namespace gc;

struct node {
  field<node> next;
};

constexpr auto a_while = std::chrono::milliseconds(20);

// Asks from a thread of its own, as the collector does.
class asker {
 public:
  asker(managed_heap& h, question q) : thread_([this, &h, q] { ask_all(h, q), answered_ = true; }) {}
  ~asker() { thread_.join(); }
  asker(const asker&) = delete;
  asker& operator=(const asker&) = delete;
  bool answered() const { return answered_; }

 private:
  std::atomic<bool> answered_{false};
  std::thread thread_;
};

void answer_until_over(const asker& a) {
  while (!a.answered()) safepoint();
}

// Threads of a heap: `waiting` in `blocking` regions until they are called, `running` from safepoint to safepoint.
class crowd {
 public:
  static constexpr std::size_t running = 99, waiting = 900;

  explicit crowd(umber::heap& heap) {
    for (std::size_t i = 0; i < running; ++i) {
      threads_.emplace_back([this, &heap, i] {
        const umber::mutator here(heap);
        for (++attached_; !over_; ++turns_[i]) {
          safepoint();
          std::this_thread::yield();
        }
      });
    }
    for (std::size_t i = 0; i < waiting; ++i) {
      threads_.emplace_back([this, &heap] {
        const umber::mutator here(heap);
        {
          const blocking asleep;
          ++attached_;
          called_.wait(false);
        }
        ++back_;
        const blocking asleep;
        over_.wait(false);
      });
    }
    while (attached_ != running + waiting) std::this_thread::yield();
  }
  ~crowd() {
    over_ = true;
    over_.notify_all();
    call();
    for (std::thread& t : threads_) t.join();
  }
  crowd(const crowd&) = delete;
  crowd& operator=(const crowd&) = delete;

  // Until each that runs has been at another safepoint.
  void wait_for_turns() const {
    for (const std::atomic<std::uint64_t>& turns : turns_)
      for (const std::uint64_t before = turns; turns == before;) std::this_thread::yield();
  }
  // Has those that wait leave their `blocking` regions, and waits until they have.
  void wake_all() {
    call();
    while (back_ != waiting) std::this_thread::yield();
  }

 private:
  void call() {
    called_ = true;
    called_.notify_all();
  }

  std::atomic<bool> over_{false}, called_{false};
  std::atomic<std::size_t> attached_{0}, back_{0};
  std::atomic<std::uint64_t> turns_[running] = {};
  std::vector<std::thread> threads_;
};

std::size_t with_barrier(managed_heap& h) {
  const alloc::lock_guard guard(h.mutators_lock);
  std::size_t count = 0;
  for (const gc::mutator* m = h.mutators; m != nullptr; m = m->next) count += m->barrier;
  return count;
}

// All that a cycle asks, by this thread, which is answered for.
void ask(managed_heap& h, question q) {
  const blocking waiting;
  ask_all(h, q);
}
void finish(managed_heap& h) {
  while (work_chunk* chunk = h.work.take()) h.work.drop_chunk(chunk);
  ask(h, question::finish);
  span_stock stock;
  const blocking waiting;
  sweep_rest(h, stock);
  alloc::heap.empty_stock(stock);
}

}  // namespace

TEST_CASE("handshake: the round ends when all have answered, and not before [handshake.1]") {
  test_heap t;
  other_thread other(t.heap);
  {
    const asker asking(t.h, question::barrier_on);
    while (t.m.question == 0) std::this_thread::yield();
    std::this_thread::sleep_for(a_while);
    CHECK_FALSE(asking.answered());
    safepoint();
    CHECK(t.m.barrier);
    std::this_thread::sleep_for(a_while);
    CHECK_FALSE(asking.answered());
    CHECK_FALSE(other.mutator().barrier);
    other.run([] { safepoint(); });
    while (!asking.answered()) std::this_thread::yield();
    CHECK(other.mutator().barrier);
  }
  const asker finishing(t.h, question::finish);
  other.start([&] { answer_until_over(finishing); });
  answer_until_over(finishing);
  other.wait();
  CHECK_FALSE(other.mutator().barrier);
}

TEST_CASE("handshake: each question does what it says") {
  test_heap t;
  const local<node> a = make<node>();
  ask(t.h, question::barrier_on);
  CHECK(t.m.barrier);
  CHECK_FALSE(t.m.black);
  ask(t.h, question::settle);
  CHECK_FALSE(t.m.black);
  ask(t.h, question::scan);
  CHECK(t.m.black);
  CHECK_FALSE(t.h.work.empty());
  ask(t.h, question::flush);
  CHECK(t.h.found_grey);
  CHECK_FALSE(t.m.contributed);
  t.h.found_grey = false;
  ask(t.h, question::flush);
  CHECK_FALSE(t.h.found_grey);
  t.m.record(address_of(a.get()));
  ask(t.h, question::flush);
  CHECK(t.h.found_grey);
  const std::uint32_t epoch = t.m.epoch;
  object_map::mark(address_of(a.get()));
  finish(t.h);
  CHECK_FALSE(t.m.barrier);
  CHECK_FALSE(t.m.black);
  CHECK(t.m.epoch == epoch + 1);
  CHECK(t.m.epoch == t.h.epoch);
}

TEST_CASE("handshake: who is blocked is answered for, however deep [handshake.1]") {
  test_heap t;
  const blocking outer;
  {
    const blocking inner;
    ask_all(t.h, question::barrier_on);
    CHECK(t.m.barrier);
  }
  ask_all(t.h, question::finish);
  CHECK_FALSE(t.m.barrier);
}

TEST_CASE("handshake: in a heap that is tortured each poll hands over what was recorded, asked or not") {
  heap_options options = never_by_itself();
  options.torture = 1;
  test_heap t(options);
  const local<node> a = make<node>();
  ask(t.h, question::barrier_on);
  t.m.record(address_of(a.get()));
  CHECK(t.m.buffered == 1);
  safepoint();
  CHECK(t.m.buffered == 0);
  CHECK(t.h.found_grey);
  CHECK_FALSE(t.h.work.empty());
  finish(t.h);
}

TEST_CASE("handshake: in a heap that is tortured a poll answers what it is asked, whatever it is") {
  heap_options options = never_by_itself();
  options.torture = 1;
  test_heap t(options);
  for (const question q : {question::barrier_on, question::settle, question::scan, question::flush}) {
    const asker asking(t.h, q);
    answer_until_over(asking);
    CHECK(t.h.stage == q);
  }
  CHECK(t.m.black);
  {
    std::atomic<bool> stopped{false};
    std::thread collector([&] {
      const stopped_world world(t.h);
      stopped = true;
    });
    while (!stopped) safepoint();
    collector.join();
  }
  finish(t.h);
  CHECK_FALSE(t.m.barrier);
}

TEST_CASE(
    "handshake: of a thousand those that wait are answered for, and one that is late holds nobody [handshake.1]") {
  test_heap t;
  crowd others(t.heap);
  {
    const asker asking(t.h, question::barrier_on);
    // All have answered, or were answered for, but this thread.
    while (t.m.question == 0 || t.h.unanswered != 1) std::this_thread::yield();
    CHECK(with_barrier(t.h) == crowd::running + crowd::waiting);
    others.wait_for_turns();
    others.wake_all();
    CHECK_FALSE(asking.answered());
    safepoint();
    while (!asking.answered()) std::this_thread::yield();
  }
  CHECK(with_barrier(t.h) == crowd::running + crowd::waiting + 1);
  finish(t.h);
  CHECK(with_barrier(t.h) == 0);
  t.heap.collect();
  CHECK(t.heap.statistics().mutators == crowd::running + crowd::waiting + 1);
  others.wait_for_turns();
}

TEST_CASE("handshake: a mutator that attaches is as if it had answered [handshake.2] [managed_heap.1]") {
  test_heap t;
  struct expectation {
    question asked;
    bool barrier, black;
  };
  for (const expectation e : {expectation{question::barrier_on, true, false},
                              {question::settle, true, false},
                              {question::scan, true, true},
                              {question::flush, true, true},
                              {question::finish, false, false}}) {
    INFO("question " << static_cast<int>(e.asked));
    if (e.asked == question::finish) {
      finish(t.h);
    } else {
      ask(t.h, e.asked);
    }
    CHECK(t.h.stage == e.asked);
    other_thread fresh(t.heap);
    CHECK(fresh.mutator().barrier == e.barrier);
    CHECK(fresh.mutator().black == e.black);
    CHECK(fresh.mutator().epoch == t.m.epoch);
  }
}

TEST_CASE("handshake: a mutator that detaches answers first, and leaves what it has recorded [handshake.2]") {
  test_heap t;
  const local<node> a = make<node>();
  other_thread other(t.heap);
  {
    const asker asking(t.h, question::barrier_on);
    other.start([&] { answer_until_over(asking); });
    answer_until_over(asking);
    other.wait();
  }
  {
    const asker scanning(t.h, question::scan);
    while (other.mutator().question == 0) std::this_thread::yield();
    answer_pending(t.m);
    other.mutator().record(address_of(a.get()));
    CHECK_FALSE(scanning.answered());
    other.end();
    while (!scanning.answered()) std::this_thread::yield();
  }
  CHECK(t.h.found_grey);
  CHECK(t.h.mutator_count == 1);
  object_map::mark(address_of(a.get()));
  finish(t.h);
}

TEST_CASE("handshake: while the world is stopped all are blocked, and none attaches [handshake.3]") {
  test_heap t;
  other_thread other(t.heap);
  std::atomic<bool> over{false}, attached{false};
  std::atomic<std::uint64_t> turns{0};
  other.start([&] {
    while (!over) safepoint(), ++turns;
  });
  std::thread late;
  {
    const blocking waiting;
    stop_world(t.h);
    const std::uint64_t before = turns;
    late = std::thread([&] {
      const umber::mutator m(t.heap);
      attached = true;
    });
    std::this_thread::sleep_for(a_while);
    CHECK(turns == before);
    CHECK_FALSE(attached);
    CHECK(other.mutator().state != gc::mutator::running);
    start_world(t.h);
    late.join();
    CHECK(attached);
    while (turns == before) std::this_thread::yield();
  }
  over = true;
  other.wait();
}

TEST_CASE("handshake: threads that block and wake all the time answer each question once [handshake.1]") {
  test_heap t;
  other_thread one(t.heap), two(t.heap);
  std::atomic<bool> over{false};
  const auto block_often = [&] {
    while (!over) {
      const blocking waiting;
    }
  };
  one.start(block_often);
  two.start([&] {
    while (!over) {
      safepoint();
      const local<node> made = make<node>();
    }
  });
  for (int i = 0; i < 300; ++i) {
    const std::uint32_t epoch = t.h.epoch;
    for (const question q : {question::barrier_on, question::settle, question::scan, question::flush}) {
      ask(t.h, q);
      REQUIRE(t.h.unanswered == 0);
    }
    finish(t.h);
    REQUIRE(t.h.epoch == epoch + 1);
  }
  over = true;
  one.wait();
  two.wait();
  CHECK(one.mutator().epoch == t.h.epoch);
  CHECK(two.mutator().epoch == t.h.epoch);
}

}  // namespace umber::testing

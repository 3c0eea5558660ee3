// The tables of gc/handshake.h: what its atomics promise, to threads that race. Nothing else orders what the two
// threads do: they agree on a round by relaxed atomics alone, so that the thread sanitizer sees each promise broken as
// a race on plain memory.
#include "gc/handshake.h"

#include "../gc_testing.h"

#include <chrono>
#include <utility>

namespace umber::litmus {

namespace {

using namespace gc;

constexpr std::size_t most_rounds = 20'000;
constexpr std::size_t least_rounds = 200;

// Two threads in step: in each round both begin at about the same time, and each waits until the other is done.
class race {
 public:
  // Whether there is another round; the first side decides.
  bool first_begins() {
    const bool more = round_ < least_rounds || (round_ < most_rounds && std::chrono::steady_clock::now() < end_);
    started_.store(more ? round_ + 1 : SIZE_MAX, std::memory_order_relaxed);
    wait_for(second_ready_, round_ + 1);
    return more;
  }
  void first_ends() {
    first_done_.store(++round_, std::memory_order_relaxed);
    wait_for(second_done_, round_);
  }
  bool first_is_done(std::size_t round) const { return first_done_.load(std::memory_order_relaxed) > round; }
  bool second_begins(std::size_t round) {
    second_ready_.store(round + 1, std::memory_order_relaxed);
    wait_for(started_, round + 1);
    const bool more = started_.load(std::memory_order_relaxed) != SIZE_MAX;
    delay(round * 7919 % 1021);
    return more;
  }
  void second_ends(std::size_t round) { second_done_.store(round + 1, std::memory_order_relaxed); }
  // The second waits for the first, without a safepoint.
  void wait_for_first(std::size_t round) const { wait_for(first_done_, round + 1); }
  std::size_t round() const { return round_; }

 private:
  using counter = std::atomic<std::size_t>;
  static void wait_for(const counter& c, std::size_t value) {
    for (int spins = 0; c.load(std::memory_order_relaxed) < value; ++spins)
      if (spins > 1000) std::this_thread::yield();
  }
  // A nanosecond or less each, so that in some round the two meet.
  static void delay(std::size_t length) {
    for (std::size_t i = 0; i < length; ++i) std::atomic_signal_fence(std::memory_order_seq_cst);
  }

  std::size_t round_ = 0;  // the first side's
  const std::chrono::steady_clock::time_point end_ = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  alignas(64) counter started_{0};
  alignas(64) counter first_done_{0};
  alignas(64) counter second_ready_{0};
  alignas(64) counter second_done_{0};
};

// Stores to memory that is in no cache. What is stored next waits for them in the processor's buffer, and loads do not:
// so a pair that needs a fence and has none is seen to fail before long.
class slow_stores {
 public:
  void add() {
    for (int i = 0; i < 6; ++i) {
      place_ = (place_ + 1'048'583) % memory_.size();
      memory_[place_] = place_;
    }
  }

 private:
  std::vector<std::size_t> memory_ = std::vector<std::size_t>(std::size_t{4} << 20);
  std::size_t place_ = 0;
};

// A heap, with a mutator on a thread of its own; this thread asks, as the collector does.
struct raced_heap {
  umber::heap heap{testing::never_by_itself()};
  testing::other_thread other{heap};
  gc::mutator& m = other.mutator();
  managed_heap& h = *m.heap;
  race rounds;

  // Each round: `asks(round)` here, and `moves(round)` on the mutator's thread.
  template <class Asks, class Moves>
  std::size_t run(Asks asks, Moves moves) {
    other.start([&] {
      for (std::size_t round = 0; rounds.second_begins(round); ++round) {
        moves(round);
        rounds.second_ends(round);
      }
    });
    while (rounds.first_begins()) {
      asks(rounds.round());
      rounds.first_ends();
    }
    other.wait();
    return rounds.round();
  }
  // Answers what is asked next.
  void answer_one() const {
    for (int spins = 0; m.question.load(std::memory_order_relaxed) == 0; ++spins)
      if (spins > 1000) std::this_thread::yield();
    answer_pending(m);
  }
};

}  // namespace

TEST_CASE("litmus: block: who blocks as it is asked has seen the question, or has been seen to block [handshake.1]") {
  raced_heap t;
  // The asker has looked at all, and still waits for one, which is blocked.
  const auto is_forgotten = [&] {
    return t.h.unanswered.load() == 1 && t.m.question.load() != 0 && t.m.state.load() == gc::mutator::blocked;
  };
  slow_stores before;
  std::size_t forgotten = 0;
  const std::size_t rounds = t.run([&](std::size_t) { ask_all(t.h, question::settle); },
                                   [&](std::size_t round) {
                                     before.add();
                                     enter_blocking(t.m);
                                     while (!t.rounds.first_is_done(round) && !is_forgotten())
                                       std::this_thread::yield();
                                     forgotten += !t.rounds.first_is_done(round) && is_forgotten();
                                     leave_blocking(t.m);
                                     answer_pending(t.m);
                                   });
  CHECK(rounds >= least_rounds);
  CHECK(forgotten == 0);
}

TEST_CASE("litmus: stop: who leaves `blocking` as the world stops waits, or is waited for [handshake.3]") {
  raced_heap t;
  std::uint64_t moves = 0;  // plain: while the world is stopped nobody else changes it
  std::uint64_t made = 0;   // the mutator's own
  std::size_t moved = 0;
  const std::size_t rounds = t.run(
      [&](std::size_t) {
        stop_world(t.h);
        const std::uint64_t before = moves;
        for (int i = 0; i < 100; ++i) spin_pause();
        std::this_thread::yield();  // a mutator that does not wait needs a processor to be seen
        moved += std::exchange(moves, before) != before;
        start_world(t.h);
      },
      [&](std::size_t round) {
        enter_blocking(t.m);
        do {
          leave_blocking(t.m);
          ++moves;
          ++made;
          enter_blocking(t.m);
        } while (!t.rounds.first_is_done(round));
        leave_blocking(t.m);
      });
  CHECK(rounds >= least_rounds);
  CHECK(moved == 0);
  CHECK(moves == made);
}

TEST_CASE("litmus: answer: a question carries what was written before it, and so does an answer [handshake.1]") {
  raced_heap t;
  std::vector<std::size_t> told(most_rounds), said(most_rounds);
  std::size_t misheard = 0, missed = 0;
  t.run(
      [&](std::size_t round) {
        told[round] = round + 1;
        ask_all(t.h, question::settle);
        missed += said[round] != round + 2;
      },
      [&](std::size_t round) {
        said[round] = round + 2;
        t.answer_one();
        misheard += told[round] != round + 1;
      });
  CHECK(misheard == 0);
  CHECK(missed == 0);
}

TEST_CASE("litmus: answered_for: what is done for a blocked mutator is seen, and what it did before [handshake.1]") {
  raced_heap t;
  std::vector<std::size_t> told(most_rounds), said(most_rounds);
  std::size_t misheard = 0, missed = 0, unanswered = 0;
  const std::uint32_t first = t.m.epoch;
  t.run(
      [&](std::size_t round) {
        told[round] = round + 1;
        ask_all(t.h, question::finish);
        missed += said[round] != round + 2;
      },
      [&](std::size_t round) {
        said[round] = round + 2;
        enter_blocking(t.m);
        t.rounds.wait_for_first(round);
        leave_blocking(t.m);
        misheard += told[round] != round + 1;
        unanswered += t.m.epoch != first + round + 1;
      });
  CHECK(misheard == 0);
  CHECK(missed == 0);
  CHECK(unanswered == 0);
}

}  // namespace umber::litmus

// A cycle that a test runs by hand, step by step, on its own thread: between two steps nothing happens but what the
// test does, so it says exactly between which two a mutator stores, makes or loads something. The steps are those that
// the collector's thread takes (gc/cycle.h); there is none from the start of the cycle to its end.
//
//     test_heap t;
//     cycle_by_hand cycle(t.h);
//     cycle.start();
//     while (cycle.mark(1)) holder->f = make<node>();
//     cycle.end_marking();
//     while (cycle.sweep(1)) static_cast<void>(make<node>());
//
// Where several threads are attached, the others are in `blocking` regions while a step asks them something.
#pragma once

#include "gc/cycle.h"
#include "gc/driver.h"
#include "gc_testing.h"

#include <optional>

namespace umber::testing {

class cycle_by_hand {
 public:
  explicit cycle_by_hand(gc::managed_heap& h) : h_(h) {}
  ~cycle_by_hand() { finish(); }
  cycle_by_hand(const cycle_by_hand&) = delete;
  cycle_by_hand& operator=(const cycle_by_hand&) = delete;

  // Stores are recorded from here on, what is made is black, and roots have been looked at.
  void start() {
    const blocking answered;
    gc::stop_threads(h_);
    steps_.emplace(h_, stock_);
    steps_->start();
    at_ = stage::marking;
  }
  // Looks at about n objects. False: there was nothing left that could be marked.
  bool mark(std::size_t n) { return steps_->mark(n); }
  // Marks all there is, and asks for what was recorded. True: nothing was, and marking has ended.
  bool flush_round() {
    const blocking answered;
    if (!steps_->flush_round()) return false;
    at_ = stage::marked;
    return true;
  }
  // As many rounds as it takes; then weak references are cleared, and what has no mark is gone.
  void end_marking() {
    while (at_ == stage::marking) static_cast<void>(flush_round());
    const blocking answered;
    steps_->decide();
    steps_->finish();
    at_ = stage::sweeping;
  }
  // Sweeps n spans. False: none is left; that ends the cycle.
  bool sweep(std::size_t n) {
    if (steps_->sweep(n)) return true;
    steps_.reset();
    at_ = stage::none;
    h_.ending = false;
    REQUIRE(gc::start_threads(h_));
    return false;
  }
  // What is left of the cycle, from wherever it is.
  void finish() {
    if (at_ == stage::marking || at_ == stage::marked) end_marking();
    while (at_ == stage::sweeping) static_cast<void>(sweep(SIZE_MAX));
    alloc::heap.empty_stock(stock_);
  }

 private:
  enum class stage { none, marking, marked, sweeping };

  gc::managed_heap& h_;
  span_stock stock_;
  std::optional<gc::collection> steps_;
  stage at_ = stage::none;
};

}  // namespace umber::testing

// What the tests of the collector's floors share: a heap that collects only when told, and what lies below it.
#pragma once

#include "gc/handshake.h"
#include "gc/managed_heap.h"

#include "testing.h"

#include <umber/heap.h>

#include <functional>
#include <thread>

namespace umber::testing {

inline heap_options never_by_itself() {
  heap_options options;
  options.percent = heap_options::off;
  return options;
}

// A heap, and this thread attached to it.
struct test_heap {
  umber::heap heap;
  umber::mutator attached;
  gc::mutator& m;
  gc::managed_heap& h;

  explicit test_heap(const heap_options& options = never_by_itself())
      : heap(options), attached(heap), m(gc::this_mutator()), h(*m.heap) {}
};

// While it lives the thread's barrier is on, as in a cycle, and what it records can be seen. Nothing may be made.
class as_while_marking {
 public:
  explicit as_while_marking(gc::mutator& m) : m_(m) {
    detail::barriers_on.fetch_add(1);
    m_.set_colour(true, true);
  }
  ~as_while_marking() {
    m_.forget_candidates();
    m_.set_colour(false, false);
    detail::barriers_on.fetch_sub(1);
  }
  as_while_marking(const as_while_marking&) = delete;
  as_while_marking& operator=(const as_while_marking&) = delete;

  void forget() const { m_.buffered = 0; }
  bool recorded(const void* object) const {
    for (std::size_t i = 0; i < m_.buffered; ++i)
      if (m_.buffer[i] == address_of(object)) return true;
    return false;
  }

 private:
  gc::mutator& m_;
};

// Takes all candidates that were published, and forgets them: how many there were.
inline std::size_t drop_all_work(gc::managed_heap& h) {
  std::size_t items = 0;
  while (gc::work_chunk* chunk = h.work.take()) {
    items += chunk->count;
    h.work.drop_chunk(chunk);
  }
  return items;
}

// The space of arrays whose slots are of class c.
inline gc::space& array_space(gc::managed_heap& h, span_class c) {
  gc::space* s = h.space_for(gc::array_id(c.size(), c.is_noscan()), nullptr);
  if (s == nullptr) std::abort();
  return *s;
}

// A thread attached to a heap that does what it is told, and waits in between without reaching a safepoint.
class other_thread {
 public:
  explicit other_thread(umber::heap& heap)
      : thread_([this, &heap] {
          const umber::mutator attached(heap);
          m_ = &gc::this_mutator();
          ready_ = true;
          while (!over_) {
            if (!has_work_) {
              std::this_thread::yield();
              continue;
            }
            work_();
            has_work_ = false;
          }
        }) {
    while (!ready_) std::this_thread::yield();
  }
  ~other_thread() { end(); }
  other_thread(const other_thread&) = delete;
  other_thread& operator=(const other_thread&) = delete;

  gc::mutator& mutator() { return *m_; }
  void start(std::function<void()> work) {
    work_ = std::move(work);
    has_work_ = true;
  }
  bool done() const { return !has_work_; }
  void wait() const {
    while (has_work_) std::this_thread::yield();
  }
  void run(std::function<void()> work) {
    start(std::move(work));
    wait();
  }
  void end() {
    over_ = true;
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::atomic<bool> ready_{false}, over_{false}, has_work_{false};
  std::function<void()> work_;
  gc::mutator* m_ = nullptr;
  std::thread thread_;
};

}  // namespace umber::testing

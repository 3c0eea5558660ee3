// The tables of gc/cycle.h, work.h, space.h, weak.h and weak_map.h.
#include "gc/cycle.h"

#include "gc/mark.h"
#include "gc/sweep.h"
#include "stepping.h"

#include <umber/weak_map.h>

namespace umber::litmus {

namespace {

// Fills a barrier's buffer, and so the first chunk.
constexpr std::size_t enough = gc::mutator::buffer_capacity;
static_assert(enough > work_chunk::capacity);

// A list, from the first node on.
std::vector<node*> made(std::size_t length) {
  std::vector<node*> nodes;
  local<node> list;
  while (length-- > 0) {
    const local<node> fresh = make<node>();
    fresh->f = list;
    list = fresh;
    nodes.insert(nodes.begin(), fresh.get());
  }
  return nodes;
}

void record(gc::mutator& m, const std::vector<node*>& nodes) {
  for (const node* each : nodes) m.record(address_of(each));
}

}  // namespace

TEST_CASE("litmus: one_round: what hangs on what a flush brings is asked for again, and lives") {
  stepped_heap t;
  node* const o = t.b.holds([] { return make<node>(); });
  std::vector<node*> list;
  t.b.does([&] {
    list = made(3);
    o->f = list.front();
  });
  t.begins_until(question::scan);
  t.a.answers(question::scan);
  t.a.holds([&] { return o->f.get(); });
  t.a.does([&] { o->f = nullptr; });
  t.b.answers(question::scan);
  t.both_answer(question::flush);
  CHECK(t.a.next_question() == question::flush);
  CHECK(t.b.next_question() == question::flush);
  for (const node* each : list) CHECK(t.is_marked(each));
  t.ends();
  for (const node* each : list) CHECK(t.lives(each));
}

TEST_CASE("litmus: published: a round in which something was published is not the last") {
  stepped_heap t(2);
  std::vector<node*> nodes;
  t.a.does([&] { nodes = made(enough); });
  t.begins_until(question::flush);
  t.b.does([&] { record(t.b.mutator(), {nodes.front()}); });
  t.a.answers(question::flush);
  t.a.does([&] { record(t.a.mutator(), nodes); });
  until([&] { return t.is_marked(nodes.front()); });
  t.b.answers(question::flush);
  CHECK(t.a.next_question() == question::flush);
  CHECK(t.b.next_question() == question::flush);
  t.ends();
  for (const node* each : nodes) CHECK(t.lives(each));
}

TEST_CASE("litmus: late_helper: who looks for work when marking has ended gets none, and marks nothing") {
  stepped_heap t;
  std::vector<node*> nodes;
  t.b.holds([&] {
    nodes = made(enough + 1);
    return nodes.front();
  });
  t.whole_cycle();  // which has the mutators give up their spans
  t.begins_until(question::finish);
  t.a.answers(question::finish);
  t.a.does([&] {
    space& home = space_of(span_of(address_of(nodes.front())));
    while (mspan* s = home.take_unswept(t.a.mutator().epoch)) {
      sweep_span(s, false);
      home.put(s, t.a.mutator().epoch);
    }
  });
  for (const node* each : nodes) REQUIRE_FALSE(t.is_marked(each));
  t.b.does([&] { record(t.b.mutator(), {nodes.begin(), nodes.end() - 1}); });
  REQUIRE_FALSE(t.h.work.empty());
  {
    marker late(t.h);
    late.drain(nodes.size());
  }
  for (const node* each : nodes) CHECK_FALSE(t.is_marked(each));
  t.ends();
  t.whole_cycle();
  for (const node* each : nodes) CHECK(t.lives(each));
}

TEST_CASE("litmus: late_answer: who has not answered finish gets no span that was listed") {
  stepped_heap t;
  node* const x = t.b.holds([] { return make<node>(); });
  t.whole_cycle();
  t.begins_until(question::finish);
  gc::mutator& m = t.a.mutator();
  REQUIRE(m.black);
  bool given = false;
  t.a.does([&] {
    // As refill does, in the moment between its safepoint and the lists.
    space& home = space_of(span_of(address_of(x)));
    mspan* s = home.take_partial(m.epoch);
    if (s == nullptr) s = sweep_for(home, m, 4);
    given = s != nullptr;
    if (given && m.make_room(home.id)) m.hold(home.id, s);
  });
  CHECK_FALSE(given);
  t.ends();
  CHECK(t.lives(x));
}

TEST_CASE("litmus: window: a weak load waits for the verdict, and gives nothing that was found dead") {
  stepped_heap t;
  std::unique_ptr<weak<node>> reference;
  t.a.does([&] { reference = std::make_unique<weak<node>>(make<node>()); });
  t.begins_until(question::flush);
  t.h.options.check_marks = false;
  t.a.answers(question::flush);
  std::atomic<bool> loads{false};
  const node* loaded = nullptr;
  t.a.begins([&] {
    loads = true;
    loaded = reference->lock().get();
  });
  until([&] { return loads.load(); });
  std::this_thread::sleep_for(std::chrono::milliseconds(5));  // in which it could be done if it did not wait
  CHECK_FALSE(t.a.has_ended());
  t.b.answers(question::flush);
  t.a.ends();
  CHECK(loaded == nullptr);
  t.ends();
  t.a.does([&] { reference.reset(); });
}

TEST_CASE("litmus: weak_value: what is read out of an entry when nobody asks any more lives") {
  stepped_heap t;
  using map = weak_map<node, node>;
  std::unique_ptr<persistent<map>> root;
  node* value = nullptr;
  node* const key = t.a.holds([] { return make<node>(); });
  t.a.does([&] {
    root = std::make_unique<persistent<map>>(make<map>());
    const local<node> fresh = make<node>();
    value = fresh.get();
    root->get()->set(local<node>(key), fresh);
  });
  t.begins_until(question::flush);
  t.a.answers(question::flush);
  CHECK(t.is_marked(value));
  t.a.holds([&] {
    const local<node> k(key);
    const local<node> read = root->get()->get(k);
    root->get()->remove(k);
    return read;
  });
  t.b.answers(question::flush);
  t.ends();
  CHECK(t.lives(value));
  t.a.does([&] { root.reset(); });
}

}  // namespace umber::litmus

// The tables of gc/barrier.h.
#include "gc/barrier.h"

#include "stepping.h"

namespace umber::litmus {

TEST_CASE("litmus: deletion: what a black thread takes out of a field, and overwrites there, lives") {
  stepped_heap t;
  node* const o = t.b.holds([] { return make<node>(); });
  node* x = nullptr;
  t.b.does([&] { o->f = x = make<node>().get(); });
  t.begins_until(question::scan);
  t.a.answers(question::scan);
  REQUIRE_FALSE(t.is_marked(o));
  t.a.holds([&] { return o->f.get(); });
  t.a.does([&] { o->f = nullptr; });
  t.b.answers(question::scan);
  t.ends();
  CHECK(t.lives(x));
}

TEST_CASE("litmus: insertion: what a white thread stores into a black object, and forgets, lives") {
  stepped_heap t(2);
  node* const o = t.b.holds([] { return make<node>(); });
  node* const x = t.a.holds([] { return make<node>(); });
  t.begins_until(question::scan);
  t.b.answers(question::scan);
  until([&] { return t.is_marked(o); });
  REQUIRE_FALSE(t.is_marked(x));
  t.a.does([&] { o->f = x; });
  t.a.forgets();
  t.a.answers(question::scan);
  t.ends();
  CHECK(t.lives(x));
}

TEST_CASE("litmus: settle: nobody is black before a store under way has ended") {
  stepped_heap t;
  std::unique_ptr<persistent<node>> root;
  t.a.does([&] { root = std::make_unique<persistent<node>>(make<node>()); });
  node* const o = root->get();
  node* const x = t.b.holds([] { return make<node>(); });
  t.begins();
  t.a.answers(question::barrier_on);
  // The two halves of o->f = nullptr.
  auto* const slot = reinterpret_cast<std::atomic<void*>*>(&o->f);
  t.a.does([&] { detail::barrier(slot, nullptr); });
  t.b.does([&] { o->f = x; });
  t.b.forgets();
  t.b.answers(question::barrier_on);
  t.b.answers(t.b.next_question());
  const bool too_early = t.b.mutator().black;
  CHECK_FALSE(too_early);
  const auto take = [&] { return t.b.holds([&] { return o->f.get(); }); };
  node* taken = too_early ? take() : nullptr;
  t.a.does([&] { slot->store(nullptr, std::memory_order_release); });
  t.a.answers(t.a.next_question());
  if (!too_early) {
    t.b.answers(question::scan);
    taken = take();
  }
  CHECK(taken == nullptr);
  t.ends();
  t.a.does([&] { root.reset(); });
}

TEST_CASE("litmus: black_too_early: an object made when barriers go on is scanned") {
  stepped_heap t;
  node* const x = t.b.holds([] { return make<node>(); });
  t.begins();
  t.a.answers(question::barrier_on);
  node* const o = t.a.holds([] { return make<node>(); });
  CHECK_FALSE(t.is_marked(o));
  t.b.does([&] { o->f = x; });
  t.b.forgets();
  t.ends();
  CHECK(t.lives(x));
}

}  // namespace umber::litmus

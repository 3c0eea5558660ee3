#include "gc/mutator.h"

#include "gc_testing.h"

#include <vector>

namespace umber::testing {
namespace {

using namespace gc;

struct node {
  field<node> next;
  std::uint64_t number = 0;
};

std::uint32_t id_of_node() { return detail::description_of<node>().id; }

// The slots of the span at hand that have a mark.
std::uint64_t marked_of_word(const held_span& held) {
  std::uint64_t marked = 0;
  for (std::size_t i = 0; i < 64 && held.word * 64 + i < held.span->slots; ++i)
    marked |= std::uint64_t{object_map::is_marked(held.span->address({held.word * 64 + i}))} << i;
  return marked;
}

}  // namespace

TEST_CASE("mutator: the slots at hand are bits of the held word, free but for what was made since [mutator.1]") {
  const test_heap t;
  for (int i = 0; i < 3000; ++i) {
    const local<node> made = make<node>();
    const held_span held = t.m.held[id_of_node()];
    const detail::allocation_entry entry = t.m.entries[id_of_node()];
    const std::uint64_t free = held.span->free[held.word];
    REQUIRE(entry.base == held.span->address({held.word * 64}));
    REQUIRE(entry.slot_size == held.span->slot_size);
    REQUIRE((entry.next & ~free) == 0);
    const std::size_t slot = slot_at(made.get()).value;
    REQUIRE(slot / 64 == held.word);
    REQUIRE((free >> slot % 64 & 1) == 1);
    REQUIRE((entry.next >> slot % 64 & 1) == 0);
  }
}

TEST_CASE("mutator: what it gives up has exactly the unused slots free") {
  const test_heap t;
  std::vector<local<node>> made;
  for (int i = 0; i < 100; ++i) made.emplace_back(make<node>());
  mspan* const s = t.m.held[id_of_node()].span;
  t.m.give_up_spans();
  CHECK(t.m.held[id_of_node()].span == nullptr);
  CHECK(t.m.entries[id_of_node()].next == 0);
  CHECK(contains(space_of(s).partial, s));
  std::size_t wrong = 0, used = 0;
  for (std::size_t i = 0; i < s->slots; ++i) {
    bool is_made = false;
    for (const local<node>& object : made) is_made = is_made || address_of(object.get()) == s->address({i});
    wrong += s->is_free({i}) == is_made;
    used += is_made;
  }
  CHECK(wrong == 0);
  CHECK(used != 0);
  const local<node> next = make<node>();
  CHECK(span_at(next.get()) == s);
}

TEST_CASE("mutator: while it is black what is at hand is marked, and only then [mutator.2]") {
  const test_heap t;
  const local<node> white = make<node>();
  const std::uint32_t id = id_of_node();
  CHECK(marked_of_word(t.m.held[id]) == 0);
  t.m.become_black();
  CHECK(t.m.black);
  CHECK(marked_of_word(t.m.held[id]) == t.m.entries[id].next);
  CHECK_FALSE(object_map::is_marked(address_of(white.get())));
  std::vector<local<node>> made;
  for (int i = 0; i < 500; ++i) {
    made.emplace_back(make<node>());
    REQUIRE(object_map::is_marked(address_of(made.back().get())));
    REQUIRE((t.m.entries[id].next & ~marked_of_word(t.m.held[id])) == 0);
  }
  mspan* const s = t.m.held[id].span;
  t.m.give_up_spans();
  t.m.set_colour(t.m.barrier, false);
  std::size_t marked_free = 0;
  for (std::size_t i = 0; i < s->slots; ++i) marked_free += s->is_free({i}) && object_map::is_marked(s->address({i}));
  CHECK(marked_free == 0);
  for (const local<node>& object : made) object_map::mark_word(address_of(object.get())) = 0;
}

TEST_CASE("mutator: what is recorded becomes candidates, but for what is marked") {
  const test_heap t;
  const local<node> a = make<node>(), b = make<node>(), c = make<node>();
  object_map::mark(address_of(c.get()));
  for (const node* each : {a.get(), b.get(), c.get()}) t.m.record(address_of(each));
  CHECK(t.m.buffered == 2);
  object_map::mark(address_of(b.get()));
  t.m.empty_buffer();
  CHECK(t.m.buffered == 0);
  CHECK(t.m.contributed);
  REQUIRE(t.m.chunk != nullptr);
  CHECK(t.m.chunk->count == 1);
  CHECK(t.m.chunk->items[0] == address_of(a.get()));
  t.m.publish_chunk();
  CHECK(t.m.chunk == nullptr);
  CHECK(drop_all_work(t.h) == 1);
  for (const node* each : {b.get(), c.get()}) object_map::mark_word(address_of(each)) = 0;
  t.m.contributed = false;
}

TEST_CASE("mutator: a full buffer is emptied, and full chunks are everybody's") {
  const test_heap t;
  const local<node> a = make<node>();
  for (std::size_t i = 0; i < 3 * gc::mutator::buffer_capacity; ++i) t.m.record(address_of(a.get()));
  CHECK(t.m.buffered < gc::mutator::buffer_capacity);
  CHECK_FALSE(t.h.work.empty());
  t.m.empty_buffer();
  t.m.publish_chunk();
  CHECK(drop_all_work(t.h) == 3 * gc::mutator::buffer_capacity);
  t.m.record(address_of(a.get()));
  t.m.forget_candidates();
  CHECK(t.m.buffered == 0);
  CHECK_FALSE(t.m.contributed);
  CHECK(t.h.work.empty());
}

TEST_CASE("mutator: who asked is told of each stall, for what, since when and how long") {
  struct told {
    stall_cause cause;
    std::uint64_t since, ns;
  };
  static std::vector<told> all;
  all.clear();
  heap_options options = never_by_itself();
  options.on_stall = [](void* context, stall_cause cause, std::uint64_t since, std::uint64_t ns) noexcept {
    static_cast<std::vector<told>*>(context)->push_back({cause, since, ns});
  };
  options.stall_context = &all;
  const test_heap t(options);
  const std::uint64_t before = os::now();
  t.m.stalled(stall_cause::assist, before - 1000);
  REQUIRE(all.size() == 1);
  CHECK(all[0].cause == stall_cause::assist);
  CHECK(all[0].since == before - 1000);
  CHECK(all[0].ns >= 1000);
  CHECK(t.heap.statistics().stalls[static_cast<std::size_t>(stall_cause::assist)].total_ns == all[0].ns);
}

TEST_CASE("mutator: its handles are candidates, each that is not null, in whatever order they were destroyed") {
  const test_heap t;
  auto a = std::make_unique<local<node>>(make<node>());
  auto b = std::make_unique<local<node>>(make<node>());
  auto c = std::make_unique<local<node>>(make<node>());
  const local<node> none;
  t.m.scan_handles();
  CHECK(drop_all_work(t.h) == 3);
  b = nullptr;
  t.m.scan_handles();
  CHECK(drop_all_work(t.h) == 2);
  a = nullptr;
  c = nullptr;
  t.m.scan_handles();
  CHECK(drop_all_work(t.h) == 0);
  t.m.contributed = false;
}

TEST_CASE("mutator: its tables grow and keep what they hold") {
  const test_heap t;
  const local<node> made = make<node>();
  const held_span before = t.m.held[id_of_node()];
  const std::uint64_t next = t.m.entries[id_of_node()].next;
  const std::uint32_t wanted = t.m.capacity + 100;
  CHECK(t.m.make_room(wanted));
  CHECK(t.m.capacity > wanted);
  CHECK(t.m.entry_count == t.m.capacity);
  CHECK(t.m.held[id_of_node()].span == before.span);
  CHECK(t.m.entries[id_of_node()].next == next);
  CHECK(t.m.held[wanted].span == nullptr);
  CHECK(t.m.entries[wanted].next == 0);
}

}  // namespace umber::testing

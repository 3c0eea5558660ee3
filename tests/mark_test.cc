#include "gc/mark.h"

#include "gc_testing.h"

#include <algorithm>

#include <sys/mman.h>

namespace umber::testing {
namespace {

using namespace gc;

struct node {
  field<node> left, right;
};
struct wide {
  field<node> first;
  std::uint64_t numbers[70];
  field<node> last;
};
struct asked {
  std::atomic<bool> full{false};
  field<node> one, other;
  void trace(visitor& visit) const {
    visit(one);
    if (full) visit(other);
  }
};
struct leaf {
  std::uint64_t numbers[6];
};
struct spread {
  std::uint64_t number;
  field<node> one;
  std::uint64_t more[3];
  field<node> other;
};

// Larger than a piece, and what is shown of it by hand.
struct vast {
  std::uint64_t number;
  field<node> first;
  spread parts[1500];
  field<node> fields[5000];
  field<node> last;
};
struct vast_asked {
  field<node> table[4000];
  field<node> one_by_one[2500];
  std::uint64_t number;
  field<node> last;
  void trace(visitor& visit) const {
    visit(table);
    for (const field<node>& each : one_by_one) visit(each);
    visit(last);
  }
};

// The worst that can happen: what it shows became something else after it was asked.
struct overlaid_always {
  overlaid_always() : bits(0) {}
  union {
    std::atomic<std::uintptr_t> bits;
    field<node> object;
  };
  void trace(visitor& visit) const { visit.overlaid(object); }
};

bool is_marked(const void* object) { return object_map::is_marked(address_of(object)); }

// Marks do not outlive a test.
struct marked_heap : test_heap {
  ~marked_heap() {
    while (work_chunk* chunk = h.work.take()) h.work.drop_chunk(chunk);
    for (gc::space* s = h.all_spaces; s != nullptr; s = s->next)
      s->for_each_span([](const mspan* span) {
        const std::size_t first = object_map::granule_of(window.address(span->run.first)) / 64;
        const std::size_t end = object_map::granule_of(window.address(span->run.end())) / 64;
        for (std::size_t i = first; i < end; ++i) object_map::marks()[i] = 0;
      });
  }
};

void mark_from(managed_heap& h, const void* root) {
  marker mark(h);
  mark.add(address_of(root));
  mark.drain(SIZE_MAX);
}

template <class T>
std::vector<node*> fill_array(local<array<T>>& nodes, std::size_t every) {
  std::vector<node*> held;
  for (std::size_t i = 0; i < nodes->size(); i += every) {
    const local<node> made = make<node>();
    held.push_back(made.get());
    if constexpr (std::is_same_v<T, spread>)
      (*nodes)[i].other = made;
    else
      (*nodes)[i] = made;
  }
  return held;
}

// Gives every field of the object a node of its own: these.
std::vector<node*> fill(const auto& object) {
  std::vector<node*> held;
  const auto fill_one = [](void* nodes, const void* slot) {
    auto& field_of = *const_cast<field<node>*>(static_cast<const field<node>*>(slot));
    field_of = make<node>();
    static_cast<std::vector<node*>*>(nodes)->push_back(field_of.get());
  };
  visitor visit(fill_one, &held);
  visit(*object);
  return held;
}

// What waits to be taken by anybody.
std::size_t count_listed(work_list& work) {
  std::vector<work_chunk*> chunks;
  std::size_t items = 0;
  while (work_chunk* chunk = work.take()) {
    items += chunk->count;
    chunks.push_back(chunk);
  }
  for (work_chunk* chunk : chunks) work.publish(chunk);
  return items;
}

// Marks from a root in the smallest steps: the most candidates that one of them has made.
std::size_t longest_step_from(managed_heap& h, const void* root) {
  { marker(h).add(address_of(root)); }
  std::size_t most = 0;
  for (std::size_t before = count_listed(h.work); before != 0;) {
    { marker(h).drain(20); }  // the fewest of which some are looked at, and do not only wait for their memory
    const std::size_t now = count_listed(h.work);
    if (now > before) most = std::max(most, now - before);
    before = now;
  }
  return most;
}

std::size_t count_marked(const std::vector<node*>& nodes) {
  return static_cast<std::size_t>(std::count_if(nodes.begin(), nodes.end(), [](node* n) { return is_marked(n); }));
}

}  // namespace

TEST_CASE("mark: objects without pointers are not touched, by no part of a cycle") {
  constexpr std::size_t count = 5000, words = 100'000;
  test_heap t;
  const auto leaves = make_array<field<leaf>>(count);
  for (std::size_t i = 0; i < count; ++i) (*leaves)[i] = make<leaf>(leaf{{i}});
  for (int i = 0; i < 1000; ++i) static_cast<void>(make<leaf>());
  const auto large = make_array<std::uint64_t>(words);
  for (std::uint64_t& word : *large) word = 7;

  std::vector<page_run> pages{span_at(large.get())->run};
  for (const field<leaf>& each : *leaves) {
    const page_run run = span_at(each.get())->run;
    if (run.first != pages.back().first) pages.push_back(run);
  }
  const auto protect = [&](int access) {
    for (const page_run run : pages)
      REQUIRE(mprotect(pointer_to(window.address(run.first)), run.count.bytes(), access) == 0);
  };
  protect(PROT_NONE);
  t.heap.collect();
  t.heap.collect();
  protect(PROT_READ | PROT_WRITE);
  CHECK(t.heap.statistics().marked_objects == count + 2);
  for (std::size_t i = 0; i < count; ++i) REQUIRE((*leaves)[i]->numbers[0] == i);
  CHECK(std::count(large->begin(), large->end(), 7U) == words);
}

TEST_CASE("mark: what is reachable is marked, and nothing else") {
  marked_heap t;
  local<node> root = make<node>();
  std::vector<node*> inside{root.get()}, outside;
  const std::uint64_t seed = new_seed();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 20'000; ++i) {
    const local<node> made = make<node>();
    if (i % 3 == 0) {
      made->left = inside[random() % inside.size()];
      outside.push_back(made.get());
      continue;
    }
    node* parent = inside[random() % inside.size()];
    made->right = inside[random() % inside.size()];
    made->left = parent->left;
    parent->left = made;
    inside.push_back(made.get());
  }
  mark_from(t.h, root);
  CHECK(count_marked(inside) == inside.size());
  CHECK(count_marked(outside) == 0);
  CHECK(t.h.marked_objects == inside.size());
  CHECK(t.h.marked_bytes == inside.size() * sizeof(node));
  CHECK(t.h.work.empty());
}

TEST_CASE("mark: fields beyond the mask, and those that a type shows") {
  marked_heap t;
  const local<wide> w = make<wide>();
  w->first = make<node>();
  w->last = make<node>();
  const local<asked> a = make<asked>();
  a->one = make<node>();
  a->other = make<node>();
  mark_from(t.h, w);
  mark_from(t.h, a);
  CHECK(is_marked(w->first.get()));
  CHECK(is_marked(w->last.get()));
  CHECK(is_marked(a->one.get()));
  CHECK_FALSE(is_marked(a->other.get()));
}

TEST_CASE("mark: a field that became something else is looked up, and marks nothing that is no object") {
  marked_heap t;
  umber::heap elsewhere(never_by_itself());
  local<array<field<node>>> nodes = make_array<field<node>>(1000);
  for (auto& each : *nodes) each = make<node>();
  t.m.tell_made();
  const node* made = (*nodes)[999].get();
  const mspan* s = span_of(address_of(made));
  std::size_t slot = 0;
  while (slot < s->slots && !s->is_free({slot})) ++slot;
  REQUIRE(slot < s->slots);
  const std::uintptr_t free_slot = s->address({slot});
  const auto owned = std::make_unique<std::uint64_t[]>(100);
  const local<overlaid_always> o = make<overlaid_always>();
  const std::uint64_t seed = new_seed();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  std::vector<std::uintptr_t> wrong{free_slot, address_of(made) + 8, address_of(owned.get()), window.base + 8,
                                    1,         UINTPTR_MAX};
  for (int i = 0; i < 10'000; ++i) wrong.push_back(random());
  for (int i = 0; i < 10'000; ++i) wrong.push_back(address_of((*nodes)[random() % 1000].get()) + 1 + random() % 15);
  for (const std::uintptr_t bits : wrong) {
    o->bits = bits;
    mark_from(t.h, o);
    object_map::mark_word(address_of(o.get())) &= ~object_map::mark_bit(address_of(o.get()));
  }
  for (const auto& each : *nodes) CHECK_FALSE(is_marked(each.get()));
  CHECK_FALSE(object_map::is_marked(free_slot));
  o->bits = address_of(made);
  mark_from(t.h, o);
  CHECK(is_marked(made));
  o->bits = 0;
}

TEST_CASE("mark: arrays of every length are scanned whole, in pieces where they are long") {
  marked_heap t;
  for (const std::size_t length : {0U, 1U, 63U, 2048U, 2049U, 2050U, 4098U, 4099U, 50'000U}) {
    INFO("length " << length);
    local<array<field<node>>> nodes = make_array<field<node>>(length);
    const std::vector<node*> held = fill_array(nodes, length > 5000 ? 7 : 1);
    mark_from(t.h, nodes);
    CHECK(count_marked(held) == held.size());
  }
  local<array<spread>> parts = make_array<spread>(5000);
  const std::vector<node*> held = fill_array(parts, 3);
  mark_from(t.h, parts);
  CHECK(count_marked(held) == held.size());
}

TEST_CASE("mark: one step looks at one piece of a large object, whatever says where its fields are") {
  marked_heap t;
  const auto expect_short_steps = [&](const auto& object) {
    const std::vector<node*> held = fill(object);
    const std::size_t most = longest_step_from(t.h, object.get());
    CHECK(most > 1000);
    CHECK(most <= 2 * 2048);  // two pieces, if the fields of one are no more than those
    CHECK(count_marked(held) == held.size());
  };
  expect_short_steps(make<vast>());
  expect_short_steps(make<vast_asked>());
  const local<array<vast>> all = make_array<vast>(3);
  std::vector<node*> held;
  for (const vast& each : *all)
    for (node* n : fill(&each)) held.push_back(n);
  CHECK(longest_step_from(t.h, all.get()) <= 2 * 2048);
  CHECK(count_marked(held) == held.size());
}

TEST_CASE("mark: what is scanned whole and is large counts as many objects") {
  marked_heap t;
  const auto all = make_array<field<array<field<node>>>>(200);
  for (auto& each : *all) each = make_array<field<node>>(2000);  // nulls: nothing but to look at them
  marker mark(t.h);
  mark.add(address_of(all.get()));
  mark.drain(400);
  mark.publish();
  CHECK(t.h.marked_objects > 1);
  CHECK(t.h.marked_objects < 20);
}

TEST_CASE("mark: a piece that is shared keeps its two halves together [work.1]") {
  marked_heap t;
  std::vector<local<array<field<node>>>> arrays;
  std::vector<node*> held;
  marker mark(t.h);
  for (int i = 0; i < 40; ++i) {
    arrays.push_back(make_array<field<node>>(20'000));
    for (const std::size_t at : {0U, 2049U, 10'000U, 19'999U}) {
      (*arrays.back())[at] = make<node>();
      held.push_back((*arrays.back())[at].get());
    }
  }
  // Half of what waits is shared again and again, so each place of a piece comes to be where it is cut.
  for (const auto& nodes : arrays) {
    mark.add(address_of(nodes.get()));
    mark.drain(2);
    while (work_chunk* chunk = t.h.work.take()) {
      for (std::size_t i = 0; i < chunk->count; ++i)
        if ((chunk->items[i] & 1) != 0) REQUIRE((i > 0 && (chunk->items[i - 1] & 1) == 0));
      REQUIRE((chunk->items[0] & 1) == 0);
      for (std::size_t i = 0; i < chunk->count; ++i) REQUIRE(chunk->items[i] != 0);
      t.h.work.publish(chunk);
      break;
    }
    mark.share();
  }
  while (mark.has_work() || !t.h.work.empty()) {
    mark.drain(3);
    mark.share();
  }
  mark.publish();
  CHECK(count_marked(held) == held.size());
}

TEST_CASE("mark: who stops in between leaves nothing grey but what it publishes [mark.1]") {
  marked_heap t;
  local<node> list;
  std::vector<node*> all;
  for (int i = 0; i < 3000; ++i) {
    local<node> made = make<node>();
    made->left = list;
    made->right = make<node>();
    all.push_back(made.get());
    all.push_back(made->right.get());
    list = made;
  }
  {
    marker first(t.h);
    first.add(address_of(list.get()));
  }
  std::size_t steps = 0;
  for (; !t.h.work.empty(); ++steps) {
    marker step(t.h);
    step.drain(100);
  }
  CHECK(steps > 10);
  CHECK(count_marked(all) == all.size());
}

TEST_CASE("mark: without memory for candidates marking is complete all the same [mark.1]") {
  marked_heap t;
  local<array<field<node>>> nodes = make_array<field<node>>(3000);
  const std::vector<node*> held = fill_array(nodes, 1);
  for (node* n : held) {
    const local<node> child = make<node>();
    n->right = child;
  }
  std::vector<work_chunk*> hidden;
  {
    const failing_system none(0);
    while (work_chunk* chunk = t.h.work.make_chunk()) hidden.push_back(chunk);
    REQUIRE_FALSE(hidden.empty());
    // One chunk is not enough for all of them.
    t.h.work.drop_chunk(hidden.back());
    marker mark(t.h);
    mark.add(address_of(nodes.get()));
    mark.drain(SIZE_MAX);
    CHECK(t.h.rescan);
    for (int turns = 0; turns < 100 && t.h.rescan.exchange(false); ++turns) {
      mark.rescan();
      mark.drain(SIZE_MAX);
    }
    CHECK_FALSE(t.h.rescan);
  }
  CHECK(count_marked(held) == held.size());
  std::size_t children = 0;
  for (node* n : held) children += is_marked(n->right.get());
  CHECK(children == held.size());
}

}  // namespace umber::testing

#include "gc/weak_map.h"

#include <umber/umber.h>

#include "gc_testing.h"

#include <algorithm>
#include <mutex>
#include <thread>

namespace umber::testing {

using umber::heap;

namespace {

std::atomic<int> destroyed{0};

struct node {
  field<node> next;
  int value = 0;

  node() = default;
  explicit node(int v) : value(v) {}
  ~node() { destroyed.fetch_add(1); }

  static constexpr auto pointers = umber::pointers(&node::next);
};

using map = weak_map<node, node>;
using nodes = array<field<node>>;

heap_options tried(unsigned torture = 0) {
  heap_options options;
  options.check_marks = true;
  options.torture = torture;
  options.finalizer_thread = false;
  return options;
}

template <class Make>
[[gnu::noinline]] void drop(Make make) {
  make();
}

}  // namespace

TEST_CASE("weak_map: what was set is there until it is replaced or removed") {
  for (const unsigned torture : {0U, 1U}) {
    heap h(tried(torture));
    mutator attached(h);
    const local<map> m = make<map>();
    const local<node> a = make<node>(1), b = make<node>(2), none;
    CHECK(m->get(a) == nullptr);
    CHECK_FALSE(m->contains(a));
    CHECK_FALSE(m->remove(a));
    CHECK(m->size() == 0);
    m->set(a, make<node>(10));
    m->set(b, local<node>());
    CHECK(m->get(a)->value == 10);
    CHECK(m->contains(b));
    CHECK(m->get(b) == nullptr);
    CHECK(m->get(none) == nullptr);
    m->set(a, make<node>(11));
    CHECK(m->get(a)->value == 11);
    CHECK(m->size() == 2);
    CHECK(m->remove(a));
    CHECK_FALSE(m->remove(a));
    CHECK(m->get(a) == nullptr);
    CHECK(m->size() == 1);
  }
}

TEST_CASE("weak_map: a value lives as long as its key, and no longer [weak_map.1]") {
  for (const unsigned torture : {0U, 1U}) {
    heap h(tried(torture));
    mutator attached(h);
    const local<map> m = make<map>();
    const local<node> key = make<node>(1);
    drop([&] {
      m->set(key, make<node>(10));
      m->get(key)->next = make<node>(100);
      for (int i = 0; i < 20; ++i) m->set(make<node>(i), make<node>(i));
    });
    h.collect();
    destroyed = 0;
    h.collect();
    CHECK(destroyed == 0);
    CHECK(m->size() == 1);
    CHECK(m->get(key)->value == 10);
    CHECK(m->get(key)->next->value == 100);
    drop([&] { m->remove(key); });
    h.collect();
    CHECK(destroyed == 2);
  }
}

TEST_CASE("weak_map: values that lead to keys keep none alive [weak_map.2]") {
  heap h(tried());
  mutator attached(h);
  const local<map> m = make<map>(), other = make<map>();
  destroyed = 0;
  drop([&] {
    const local<node> own = make<node>(1);
    m->set(own, make<node>(2));
    m->get(own)->next = own;
    const local<node> itself = make<node>(3);
    m->set(itself, itself);
    // Two maps, each with the key that the other's value leads to.
    const local<node> a = make<node>(4), b = make<node>(5);
    m->set(a, b);
    other->set(b, a);
  });
  h.collect();
  CHECK(destroyed == 5);
  CHECK(m->size() == 0);
  CHECK(other->size() == 0);
}

TEST_CASE("weak_map: a chain of keys and values lives by its first key, in whatever order it was made [weak_map.1]") {
  const std::uint64_t seed = new_seed();
  INFO("seed " << seed);
  heap h(tried());
  mutator attached(h);
  constexpr std::size_t length = 400;
  for (int order = 0; order < 3; ++order) {
    const local<map> m = make<map>();
    local<node> first;
    drop([&] {
      const local<nodes> links = make_array<field<node>>(length + 1);
      for (std::size_t i = 0; i <= length; ++i) (*links)[i] = make<node>(static_cast<int>(i));
      std::vector<std::size_t> turns(length);
      for (std::size_t i = 0; i < length; ++i) turns[i] = order == 0 ? i : length - 1 - i;
      if (order == 2) std::shuffle(turns.begin(), turns.end(), std::mt19937_64(seed));
      for (const std::size_t i : turns) m->set(local<node>((*links)[i]), local<node>((*links)[i + 1]));
      first = (*links)[0].get();
    });
    destroyed = 0;
    h.collect();
    CHECK(destroyed == 0);
    std::size_t seen = 0;
    for (local<node> at = first; at != nullptr; at = m->get(at)) {
      REQUIRE(at->value == static_cast<int>(seen));
      ++seen;
    }
    CHECK(seen == length + 1);
    drop([&] { first = nullptr; });
    h.collect();
    CHECK(destroyed == static_cast<int>(length) + 1);
    CHECK(m->size() == 0);
  }
}

TEST_CASE("weak_map: a chain of 100,000 keys and values costs what it is long, in any order [ephemerons.1]") {
  const std::uint64_t seed = new_seed();
  INFO("seed " << seed);
  test_heap t;
  constexpr std::size_t length = 100'000;
  for (const bool shuffled : {false, true}) {
    const local<map> m = make<map>();
    local<node> first;
    drop([&] {
      const local<nodes> links = make_array<field<node>>(length + 1);
      for (auto& link : *links) link = make<node>();
      std::vector<std::size_t> turns(length);
      for (std::size_t i = 0; i < length; ++i) turns[i] = length - 1 - i;
      if (shuffled) std::shuffle(turns.begin(), turns.end(), std::mt19937_64(seed));
      for (const std::size_t i : turns) m->set(local<node>((*links)[i]), local<node>((*links)[i + 1]));
      first = (*links)[0].get();
    });
    const std::uint64_t before = t.h.entries_looked_at;
    destroyed = 0;
    t.heap.collect();
    CHECK(destroyed == 0);
    CHECK(t.h.entries_looked_at - before <= 16 * length);
    drop([&] { first = nullptr; });
    t.heap.collect();
    CHECK(m->size() == 0);
    CHECK(destroyed == static_cast<int>(length) + 1);
  }
}

TEST_CASE("weak_map: a chain of maps, each the value of the one before, costs what it is long [ephemerons.1]") {
  struct link {
    map entries;
    field<node> key;
  };
  test_heap t;
  constexpr int length = 4'000;
  const local<weak_map<node, link>> chain = make<weak_map<node, link>>();
  local<node> first;
  drop([&] {
    local<node> key = make<node>();
    for (int i = 0; i < length; ++i) {  // from the end to the beginning
      const local<link> fresh = make<link>();
      fresh->key = key;
      fresh->entries.set(key, make<node>(i));
      key = make<node>();
      chain->set(key, fresh);
    }
    first = key;
  });
  const std::uint64_t before = t.h.entries_looked_at;
  t.heap.collect();
  CHECK(t.h.entries_looked_at - before <= 16 * std::uint64_t{length});
  int seen = 0;
  local<node> key = first;
  for (local<link> at = chain->get(key); at != nullptr; at = chain->get(key)) {
    key = at->key;
    REQUIRE(at->entries.get(key)->value == length - ++seen);
  }
  CHECK(seen == length);
}

TEST_CASE("weak_map: iteration meets what is there all the while once, and not what was removed or is new") {
  for (const unsigned torture : {0U, 1U}) {
    heap h(tried(torture));
    mutator attached(h);
    const local<map> m = make<map>();
    m->for_each([](const local<node>&, const local<node>&) { FAIL("there is nothing"); });
    constexpr int many = 60;
    const local<nodes> keys = make_array<field<node>>(many);
    for (int i = 0; i < many; ++i) {
      const local<node> key = make<node>(i);
      (*keys)[static_cast<std::size_t>(i)] = key;
      m->set(key, make<node>(1000 + i));
    }
    drop([&] {
      for (int i = 0; i < 10; ++i) m->set(make<node>(-1), make<node>(-1));
    });
    h.collect();
    std::vector<int> met;
    m->for_each([&](const local<node>& key, const local<node>& value) {
      REQUIRE(value->value == 1000 + key->value);
      met.push_back(key->value);
      // The one after is taken out if it was not met, and a new one comes.
      const local<node> other((*keys)[static_cast<std::size_t>(key->value + 1) % many]);
      if (key->value % 2 == 0 && std::find(met.begin(), met.end(), other->value) == met.end()) m->remove(other);
      m->set(make<node>(5000), make<node>(6000));
      safepoint();
    });
    std::sort(met.begin(), met.end());
    CHECK(std::adjacent_find(met.begin(), met.end()) == met.end());
    CHECK(met.size() >= many / 2);
    CHECK(met.back() < many);
    for (int i = 0; i < many; i += 2) CHECK(std::binary_search(met.begin(), met.end(), i));
  }
}

TEST_CASE("weak_map: a key that iteration finds is held, whenever the collector looks [weak.1] [weak_map.1]") {
  for (const barrier kind : {barrier::hybrid, barrier::deletion, barrier::insertion}) {
    heap_options options = tried();
    options.kind = kind;
    heap h(options);
    mutator attached(h);
    const local<map> m = make<map>();
    std::atomic<bool> stop{false};
    std::thread collector([&] {
      while (!stop.load()) h.collect();
    });
    int met = 0;
    for (int round = 0; round < 2'000; ++round) {
      drop([&] {
        for (int i = 0; i < 4; ++i) m->set(make<node>(i), make<node>(i));
      });
      m->for_each([&](const local<node>& key, const local<node>& value) {
        safepoint();
        if (value == nullptr || key->value != value->value) FAIL("round " << round);
        ++met;
      });
    }
    stop = true;
    {
      const blocking waiting;
      collector.join();
    }
    CHECK(met > 0);
  }
}

TEST_CASE("weak_map: a dead map keeps nothing") {
  heap h(tried());
  mutator attached(h);
  const local<node> key = make<node>(1);
  destroyed = 0;
  drop([&] {
    const local<map> m = make<map>();
    m->set(key, make<node>(2));
  });
  h.collect();
  CHECK(destroyed == 1);
}

TEST_CASE("weak_map: an object at the place of a dead key has no entry [weak_map.3]") {
  heap h(tried());
  mutator attached(h);
  const local<map> m = make<map>();
  constexpr std::size_t many = 2000;
  for (int round = 0; round < 5; ++round) {
    drop([&] {
      const local<nodes> keys = make_array<field<node>>(many);
      for (std::size_t i = 0; i < many; ++i) {
        const local<node> key = make<node>(static_cast<int>(i));
        (*keys)[i] = key;
        REQUIRE_FALSE(m->contains(key));
        m->set(key, make<node>(round));
      }
      h.collect();
      for (std::size_t i = 0; i < many; ++i) REQUIRE(m->get(local<node>((*keys)[i]))->value == round);
      CHECK(m->size() == many);
    });
    h.collect();
    CHECK(m->size() == 0);
  }
}

TEST_CASE("weak_map: it grows and shrinks with the keys that are alive") {
  heap h(tried());
  mutator attached(h);
  const local<map> m = make<map>();
  const local<nodes> keys = make_array<field<node>>(1000);
  for (int i = 0; i < 20'000; ++i) {
    const local<node> key = make<node>(i);
    (*keys)[static_cast<std::size_t>(i) % 1000] = key;
    m->set(key, make<node>(2 * i));
    if (i % 4000 == 0) h.collect();
  }
  h.collect();
  CHECK(m->size() == 1000);
  for (std::size_t i = 0; i < 1000; ++i) {
    const local<node> key((*keys)[i]);
    REQUIRE(m->get(key)->value == 2 * key->value);
    REQUIRE(m->remove(key));
  }
  CHECK(m->size() == 0);
}

TEST_CASE("weak_map: entries of a key go before its finalizer runs; a map that comes back has the others") {
  struct owner {
    map entries;
    field<node> dead_key;
  };
  heap h(tried());
  mutator attached(h);
  const local<map> m = make<map>();
  const local<node> alive = make<node>(1);
  static persistent<node>* where;
  persistent<node> alive_too(alive);
  where = &alive_too;
  static bool dead_gone, alive_there, own_gone;
  static persistent<map>* outer;
  persistent<map> outer_map(m);
  outer = &outer_map;
  dead_gone = alive_there = own_gone = false;
  drop([&] {
    const local<owner> o = make<owner>();
    const local<node> dead = make<node>(2);
    o->dead_key = dead;
    o->entries.set(alive, make<node>(10));
    o->entries.get(alive)->next = make<node>(30);
    o->entries.set(dead, make<node>(20));
    m->set(dead, make<node>(40));
    set_finalizer(o, [](local<owner> back) {
      for (int i = 0; i < 1000; ++i) static_cast<void>(make<node>(i));
      const local<node> key(back->dead_key), living(where->get());
      dead_gone = !back->entries.contains(key);
      own_gone = !(*outer)->contains(key);
      const local<node> value = back->entries.get(living);
      alive_there = value != nullptr && value->value == 10 && value->next->value == 30;
    });
  });
  h.collect();
  for (int i = 0; i < 1000; ++i) static_cast<void>(make<node>(i));
  CHECK(run_finalizers(h) == 1);
  CHECK(dead_gone);
  CHECK(own_gone);
  CHECK(alive_there);
}

TEST_CASE("weak_map: a value that was read outlives its entry, whenever the collector looks [weak_map.1]") {
  const std::uint64_t seed = new_seed();
  INFO("seed " << seed);
  static std::atomic<int> broken;
  broken = 0;
  for (const barrier kind : {barrier::hybrid, barrier::deletion, barrier::insertion, barrier::stop_the_world}) {
    heap_options options = tried();
    options.kind = kind;
    options.workers = 2;
    heap h(options);
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 2; ++t)
      threads.emplace_back([&, t] {
        std::mt19937_64 random(seed + t);
        mutator attached(h);
        const local<map> m = make<map>();
        const local<nodes> keys = make_array<field<node>>(64);
        for (std::size_t i = 0; i < 64; ++i) (*keys)[i] = make<node>(0);
        for (int i = 0; i < 30'000; ++i) {
          const local<node> key((*keys)[random() % 64]);
          const local<node> value = m->get(key);
          switch (random() % 4) {
            case 0:
              if (value != nullptr) m->remove(key);
              break;
            case 1: {
              const local<node> fresh = make<node>(i);
              fresh->next = make<node>(-i);
              m->set(key, fresh);
              break;
            }
            case 2:  // over to another key
              if (value == nullptr) break;
              m->remove(key);
              m->set(local<node>((*keys)[random() % 64]), value);
              break;
            case 3:
              (*keys)[random() % 64] = make<node>(0);
              break;
          }
          if (random() % 8 == 0) static_cast<void>(make<node>(i));
          if (value != nullptr && value->next->value != -value->value) broken.fetch_add(1);
          safepoint();
        }
      });
    std::thread collector([&] {
      while (!stop.load()) h.collect();
    });
    for (std::thread& t : threads) t.join();
    stop = true;
    collector.join();
  }
  CHECK(broken == 0);
}

TEST_CASE("weak_map: what is read, overwritten or stored is recorded while the heap marks [weak_map.1]") {
  test_heap t;
  const local<map> m = make<map>();
  const local<node> key = make<node>(1), first = make<node>(2), second = make<node>(3);
  m->set(key, first);
  const as_while_marking marking(t.m);
  for (const bool black : {true, false}) {
    t.m.set_colour(t.m.barrier, black);
    m->set(key, first);
    marking.forget();
    CHECK(m->get(key) == first.get());
    CHECK(marking.recorded(first));
    marking.forget();
    m->set(key, second);
    CHECK(marking.recorded(first));
    CHECK(marking.recorded(second) == !black);
  }
}

TEST_CASE("weak_map: threads that take turns share one") {
  heap h(tried());
  std::mutex lock;
  mutator attached(h);
  const persistent<map> shared(make<map>());
  std::vector<std::thread> threads;
  static std::atomic<int> broken;
  broken = 0;
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&, t] {
      mutator here(h);
      const local<nodes> keys = make_array<field<node>>(200);
      for (int i = 0; i < 4000; ++i) {
        const local<node> key = make<node>(i);
        const local<node> value = make<node>(t * 100'000 + i);
        (*keys)[static_cast<std::size_t>(i) % 200] = key;
        const local<node> old((*keys)[static_cast<std::size_t>(i * 7) % 200]);
        while (!lock.try_lock()) {
          safepoint();
          blocking wait;
          std::this_thread::yield();
        }
        const local<map> m(shared.get());
        m->set(key, value);
        local<node> found;
        if (old != nullptr) found = m->get(old).get();
        lock.unlock();
        if (old != nullptr && (found == nullptr || found->value != t * 100'000 + old->value)) broken.fetch_add(1);
      }
    });
  {
    blocking wait;
    for (std::thread& t : threads) t.join();
  }
  CHECK(broken == 0);
}

}  // namespace umber::testing

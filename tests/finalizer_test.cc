#include <umber/umber.h>

#include "testing.h"

#include <array>
#include <chrono>
#include <mutex>
#include <thread>

#include <pthread.h>

namespace umber::testing {

using umber::heap;

namespace {

std::atomic<int> destroyed{0};

struct node {
  field<node> next;
  int value = 0;
  int* runs = nullptr;

  node() = default;
  explicit node(int v, int* r = nullptr) : value(v), runs(r) {}
  ~node() { destroyed.fetch_add(1); }

  static constexpr auto pointers = umber::pointers(&node::next);
};

void count_run(local<node> n) { ++*n->runs; }

heap_options polled(unsigned torture = 0) {
  heap_options options;
  options.finalizer_thread = false;
  options.check_marks = true;
  options.torture = torture;
  return options;
}

// Objects that nothing but what `make` registers for them knows.
template <class Make>
[[gnu::noinline]] void drop(Make make) {
  make();
}

template <class Done>
bool happens(Done done) {
  for (int i = 0; i < 5000; ++i) {
    if (done()) return true;
    blocking wait;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

}  // namespace

TEST_CASE("finalizer: it runs once, when its object is unreachable, and not before [finalizer.2]") {
  for (const unsigned torture : {0U, 1U}) {
    heap h(polled(torture));
    mutator attached(h);
    int runs = 0;
    {
      const local<node> n = make<node>(7, &runs);
      set_finalizer(n, count_run);
      h.collect();
      CHECK(run_finalizers(h) == 0);
      CHECK(n->value == 7);
    }
    CHECK(run_finalizers(h) == 0);
    h.collect();
    CHECK(runs == 0);
    CHECK(run_finalizers(h) == 1);
    CHECK(runs == 1);
    h.collect();
    h.collect();
    CHECK(run_finalizers(h) == 0);
    CHECK(runs == 1);
  }
}

TEST_CASE("finalizer: its object, and all that it reaches, is as it was, and freed afterwards") {
  for (const unsigned torture : {0U, 1U}) {
    heap h(polled(torture));
    mutator attached(h);
    static int sum;
    sum = 0;
    destroyed = 0;
    drop([] {
      const local<node> n = make<node>(1);
      n->next = make<node>(20);
      n->next->next = make<node>(300);
      set_finalizer(n, [](local<node> dead) {
        for (int i = 0; i < 100; ++i) static_cast<void>(make<node>(i));
        for (const node* each = dead; each != nullptr; each = each->next) sum += each->value;
      });
    });
    h.collect();
    for (int i = 0; i < 3; ++i) h.collect();  // while it is queued nothing of it may go
    CHECK(destroyed == 0);
    run_finalizers(h);
    CHECK(sum == 321);
    const int before = destroyed;
    h.collect();
    CHECK(destroyed >= before + 3);
  }
}

TEST_CASE("finalizer: a second one replaces the first, null takes it away [finalizer.1]") {
  heap h(polled());
  mutator attached(h);
  int runs = 0;
  static int other;
  other = 0;
  drop([&] {
    const local<node> replaced = make<node>(1, &runs), cleared = make<node>(2, &runs), again = make<node>(3, &runs);
    set_finalizer(replaced, count_run);
    set_finalizer(replaced, [](local<node>) { ++other; });
    set_finalizer(cleared, count_run);
    set_finalizer(cleared, nullptr);
    set_finalizer(cleared, nullptr);
    void (*none)(local<node>) = nullptr;
    set_finalizer(again, count_run);
    set_finalizer(again, none);
    set_finalizer(again, count_run);
  });
  h.collect();
  CHECK(run_finalizers(h) == 2);
  CHECK(runs == 1);
  CHECK(other == 1);
}

TEST_CASE("finalizer: it may capture some plain bytes") {
  heap h(polled());
  mutator attached(h);
  int sum = 0;
  long factor = 3;
  drop([&] {
    set_finalizer(make<node>(14), [&sum, factor](local<node> n) { sum += static_cast<int>(factor) * n->value; });
  });
  h.collect();
  run_finalizers(h);
  CHECK(sum == 42);
}

TEST_CASE("finalizer: an object may come back, be finalized again only if that is asked for, and die") {
  heap h(polled());
  mutator attached(h);
  int runs = 0;
  destroyed = 0;
  static persistent<node>* saved;
  persistent<node> keeper;
  saved = &keeper;
  drop([&] {
    set_finalizer(make<node>(5, &runs), [](local<node> n) {
      ++*n->runs;
      *saved = n;
      if (*n->runs == 1) set_finalizer(n, [](local<node> m) { ++*m->runs; });
    });
  });
  h.collect();
  run_finalizers(h);
  h.collect();
  REQUIRE(keeper.get() != nullptr);
  CHECK(keeper->value == 5);
  CHECK(destroyed == 0);
  keeper = nullptr;
  h.collect();
  CHECK(run_finalizers(h) == 1);
  CHECK(runs == 2);
  h.collect();
  CHECK(destroyed == 1);
  CHECK(runs == 2);
}

TEST_CASE("finalizer: one that refers to others goes first, each in a cycle of its own [finalizer.4]") {
  heap h(polled());
  mutator attached(h);
  static std::vector<int> order;
  order.clear();
  drop([] {
    // The last of the chain is registered first, and lies first.
    local<node> n;
    for (int i = 4; i >= 1; --i) {
      const local<node> before = make<node>(i);
      before->next = n;
      set_finalizer(before, [](local<node> dead) { order.push_back(dead->value); });
      n = before.get();
    }
  });
  for (int i = 1; i <= 4; ++i) {
    h.collect();
    CHECK(run_finalizers(h) == 1);
  }
  CHECK(order == std::vector<int>{1, 2, 3, 4});
}

TEST_CASE("finalizer: objects with finalizers that refer to each other are never finalized, nor freed") {
  heap h(polled());
  mutator attached(h);
  int runs = 0;
  destroyed = 0;
  drop([&] {
    const local<node> a = make<node>(1, &runs), b = make<node>(2, &runs), self = make<node>(3, &runs);
    a->next = b;
    b->next = a;
    self->next = self;
    for (const local<node>& n : {a, b, self}) set_finalizer(n, count_run);
  });
  for (int i = 0; i < 3; ++i) {
    h.collect();
    CHECK(run_finalizers(h) == 0);
  }
  CHECK(runs == 0);
  CHECK(destroyed == 0);
}

TEST_CASE("finalizer: weak references are gone before it runs, also those it can reach") {
  struct holder {
    weak_field<holder> self, peer;
    weak_field<node> alive;
    field<holder> next;
  };
  heap h(polled());
  mutator attached(h);
  weak<holder> outside;
  const local<node> kept = make<node>(9);
  static bool self_gone, peer_gone, alive_there;
  self_gone = peer_gone = alive_there = false;
  drop([&] {
    const local<holder> a = make<holder>(), b = make<holder>();
    const local<holder> only_weak = make<holder>();
    a->self = a.get();
    a->next = b;
    a->alive = kept.get();
    b->peer = only_weak.get();
    outside = a.get();
    set_finalizer(a, [](local<holder> dead) {
      self_gone = dead->self.lock() == nullptr;
      peer_gone = dead->next->peer.lock() == nullptr;
      alive_there = dead->alive.lock() != nullptr && dead->alive.lock()->value == 9;
    });
  });
  h.collect();
  CHECK(outside.lock() == nullptr);
  run_finalizers(h);
  CHECK(self_gone);
  CHECK(peer_gone);
  CHECK(alive_there);
}

TEST_CASE("finalizer: very many are found again, cleared and run") {
  heap_options options = polled();
  options.check_marks = false;
  heap h(options);
  mutator attached(h);
  constexpr int many = 50'000;
  std::vector<int> runs(many);
  const local<array<field<node>>> all = make_array<field<node>>(many);
  for (int i = 0; i < many; ++i) {
    const local<node> n = make<node>(i, &runs[static_cast<std::size_t>(i)]);
    (*all)[static_cast<std::size_t>(i)] = n;
    set_finalizer(n, [](local<node>) { std::abort(); });
  }
  for (std::size_t i = 0; i < many; ++i) set_finalizer(local<node>((*all)[i]), count_run);
  for (std::size_t i = 0; i < many; i += 3) set_finalizer(local<node>((*all)[i]), nullptr);
  for (std::size_t i = 0; i < many; ++i)
    if (i % 2 == 0) (*all)[i] = nullptr;
  h.collect();
  run_finalizers(h);
  for (std::size_t i = 0; i < many; ++i) REQUIRE(runs[i] == (i % 2 == 0 && i % 3 != 0));
  for (std::size_t i = 0; i < many; ++i) (*all)[i] = nullptr;
  h.collect();
  run_finalizers(h);
  for (std::size_t i = 0; i < many; ++i) REQUIRE(runs[i] == (i % 3 != 0));
}

TEST_CASE("finalizer: without memory registering throws, and nothing was registered") {
  heap h(polled());
  mutator attached(h);
  int runs = 0;
  bool succeeded = false;
  for (std::size_t first = 0; !succeeded; ++first) {
    runs = 0;
    drop([&] {
      const local<node> n = make<node>(0, &runs);
      const failing_system failing(first);
      try {
        for (int i = 0; i < 5000; ++i)
          static_cast<void>(add_cleanup(
              n, [](void* r) { ++*static_cast<int*>(r); }, &runs));
        set_finalizer(n, count_run);
        succeeded = true;
      } catch (const std::bad_alloc&) {
      }
    });
    h.collect();
    run_finalizers(h);
    h.collect();
    const auto later = run_finalizers(h);
    if (succeeded) CHECK((runs == 5001 && later == 5000));
  }
}

TEST_CASE("finalizer: a thread of the heap runs them, attached and named, once there is one to run") {
  heap h;
  mutator attached(h);
  static std::atomic<int> runs;
  static char name[16];
  static pthread_t thread;
  runs = 0;
  drop([] {
    set_finalizer(make<node>(1), [](local<node> n) {
      thread = pthread_self();
      pthread_getname_np(thread, name, sizeof name);
      for (int i = 0; i < 1000; ++i) n->next = make<node>(i);
      runs.fetch_add(1);
    });
    add_cleanup(
        make<node>(1), [](void*) { runs.fetch_add(1); }, nullptr);
  });
  h.collect();
  REQUIRE(happens([] { return runs == 2; }));
  CHECK(std::string(name) == "umber finalizer");
  CHECK(pthread_equal(thread, pthread_self()) == 0);
  drop([] { set_finalizer(make<node>(1), [](local<node>) { runs.fetch_add(1); }); });
  h.collect();
  CHECK(happens([] { return runs == 3; }));
}

namespace {

struct tally {
  std::atomic<int> registered{0}, ran{0}, broken{0}, due{0};
} counts;

bool is_whole(const local<node>& n) { return n->next->value == n->value + 1 && n->next->next->value == n->value + 2; }

void finalize_again(local<node> n) {
  if (!is_whole(n)) counts.broken.fetch_add(1);
  counts.ran.fetch_add(1);
}

// Whoever takes an object out of the queue holds it by a local only; some come back for a second time.
void finalize(local<node> n) {
  for (int k = 0; k < 3; ++k) static_cast<void>(make<node>(0));
  if (n->value % 3 == 0) {
    counts.registered.fetch_add(1);
    set_finalizer(n, finalize_again);
  }
  finalize_again(n);
}

void clean_up(local<node> kept) { kept->value == 77 ? counts.due.fetch_sub(1) : counts.broken.fetch_add(1); }

void register_many(heap& h, std::uint64_t seed, int rounds) {
  std::mt19937_64 random(seed);
  const mutator attached(h);
  for (int i = 0; i < rounds; ++i) {
    const local<node> n = make<node>(i);
    n->next = make<node>(i + 1);
    n->next->next = make<node>(i + 2);
    counts.registered.fetch_add(1);
    set_finalizer(n, finalize);
    counts.due.fetch_add(1);
    cleanup c = add_cleanup(n, clean_up, make<node>(77));
    if (random() % 4 == 0 && c.cancel()) counts.due.fetch_sub(1);
    if (random() % 16 == 0) run_finalizers(h);
  }
}

}  // namespace

TEST_CASE("finalizer: each runs once, its object in one piece, whoever collects and runs meanwhile [finalizer.2]") {
  const std::uint64_t seed = new_seed();
  INFO("seed " << seed);
  for (const unsigned torture : {0U, 50U}) {
    counts.registered = counts.ran = counts.broken = counts.due = 0;
    heap_options options;
    options.torture = torture;
    options.check_marks = true;
    options.workers = 2;
    options.minimum = 256 << 10;
    heap h(options);
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 3; ++t)
      threads.emplace_back([&, t] { register_many(h, seed + t, torture != 0 ? 1000 : 8000); });
    std::thread collector([&] {
      while (!stop.load()) h.collect();
    });
    for (std::thread& t : threads) t.join();
    stop = true;
    collector.join();
    const mutator attached(h);
    // Twice for those that come back, once for their cleanups, and once for what the thread has just taken.
    for (int i = 0; i < 4; ++i) {
      h.collect();
      CHECK(happens([&] { return run_finalizers(h) == 0 && h.statistics().cycles != 0; }));
    }
    CHECK(happens([&] { return counts.due == 0 && counts.ran == counts.registered; }));
    CHECK(counts.broken == 0);
  }
}

}  // namespace umber::testing

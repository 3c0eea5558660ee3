// graph [--seconds S] [--threads N] [--seed X] [--percent P] [--minimum BYTES] [--workers W] [--torture N]
//       [--barrier 0..3, or 4: each of them in turn]
//
// Threads that come and go change a graph of managed nodes, and a shadow of it that is plain C++ (graph_nodes.h).
// The graph consists of islands, each of one thread at a time: its roots are locals, persistents and weak references;
// islands are handed over through a mailbox. A walk compares the nodes with their shadows; nodes with a destructor show
// that none dies while the shadow reaches it, and in the end that each has died once. Beside the islands there is a
// board: fields that all threads store to at once, where what is loaded must be whole.
#include "graph_nodes.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>

namespace graph {
namespace {

std::atomic<std::uint64_t> last_id{0};
std::atomic<std::uint64_t> operations{0};
std::atomic<std::uint64_t> weak_hits{0}, weak_misses{0};
std::atomic<bool> time_is_up{false};

// A chain of these hangs on each field of the board.
struct packet {
  stamp s;
  field<packet> next;
  std::uint64_t length = 0;
};
using board_type = umber::array<field<packet>>;
constexpr std::size_t board_size = 64, longest_chain = 24;
umber::persistent<board_type>* board = nullptr;

struct root {
  shadow* what = nullptr;
  std::unique_ptr<umber::local<stamp>> on_stack;  // one of these two
  umber::persistent<stamp> anywhere;

  stamp* get() const { return on_stack != nullptr ? on_stack->get() : anywhere.get(); }
};
struct weak_root {
  shadow* what = nullptr;
  umber::weak<stamp> reference;
};

// A part of the graph that no other part refers to, and what holds it.
class island {
 public:
  std::vector<root> roots;
  std::vector<weak_root> weak_roots;

  bool empty() const { return roots.empty(); }
  std::size_t size() const { return nodes_.size(); }
  shadow* add(std::uint64_t id, kind what, fate* end) {
    nodes_.push_back(std::make_unique<shadow>());
    shadow* s = nodes_.back().get();
    s->id = id;
    s->what = what;
    s->end = end;
    return s;
  }

  // Visits the nodes that roots reach, and their shadows.
  void verify() {
    ++turn_;
    std::vector<std::pair<stamp*, shadow*>> open;
    const auto reach = [&](stamp* actual, shadow* expected) {
      if (expected == nullptr) return;
      compare(actual, *expected);
      if (expected->visited == turn_) return;
      expected->visited = turn_;
      open.emplace_back(actual, expected);
    };
    for (const root& r : roots) reach(r.get(), r.what);
    while (!open.empty()) {
      const auto [actual, expected] = open.back();
      open.pop_back();
      for (std::size_t i = 0; i < expected->fields(); ++i) reach(field_at(actual, i).get(), expected->edges[i]);
    }
  }
  bool reaches(const shadow* wanted) {
    mark(false);
    return wanted->visited == turn_;
  }
  // Forgets the shadows that no load can lead to any more.
  void prune() {
    mark(true);
    std::erase_if(nodes_, [&](const auto& s) { return s->visited != turn_; });
  }
  // Takes over all of another island.
  void merge(island& other) {
    for (auto& s : other.nodes_) nodes_.push_back(std::move(s));
    for (auto& r : other.roots) roots.push_back(std::move(r));
    for (auto& w : other.weak_roots) weak_roots.push_back(std::move(w));
    turn_ = std::max(turn_, other.turn_);
    other.nodes_.clear();
    other.roots.clear();
    other.weak_roots.clear();
  }

 private:
  void mark(bool weakly) {
    ++turn_;
    std::vector<shadow*> open;
    const auto reach = [&](shadow* s) {
      if (s == nullptr || s->visited == turn_) return;
      s->visited = turn_;
      open.push_back(s);
    };
    for (const root& r : roots) reach(r.what);
    if (weakly)
      for (const weak_root& w : weak_roots) reach(w.what);
    while (!open.empty()) {
      shadow* s = open.back();
      open.pop_back();
      for (std::size_t i = 0; i < s->fields(); ++i) reach(s->edges[i]);
      if (weakly)
        for (shadow* w : s->weak_edges) reach(w);
    }
  }

  std::vector<std::unique_ptr<shadow>> nodes_;
  std::uint64_t turn_ = 0;
};

std::mutex mail_lock;
std::deque<std::unique_ptr<island>> mail;

class worker {
 public:
  worker(umber::heap& h, std::uint64_t own_seed) : heap_(h), random_(own_seed) {}

  void run(std::size_t steps) {
    for (std::size_t i = 0; i < steps && !time_is_up; ++i) step();
    operations += steps;
    while (!islands_.empty()) below(2) == 0 ? send() : drop_island();
  }

 private:
  struct found {
    stamp* actual = nullptr;  // good until the next safepoint
    shadow* expected = nullptr;
  };

  std::size_t below(std::size_t n) { return random_() % n; }
  void choose() {
    if (islands_.empty() || (islands_.size() < 4 && below(200) == 0)) islands_.push_back(std::make_unique<island>());
    std::swap(islands_[below(islands_.size())], islands_.back());
  }
  island& here() { return *islands_.back(); }

  void step() {
    choose();
    struct operation {
      std::size_t weight;
      void (worker::*perform)();
    };
    static constexpr operation all[] = {
        {300, &worker::make},  {200, &worker::store},     {60, &worker::clear},      {60, &worker::exchange},
        {150, &worker::walk},  {160, &worker::drop_root}, {60, &worker::hold},       {40, &worker::reassign},
        {30, &worker::weaken}, {60, &worker::lock},       {30, &worker::store_weak}, {60, &worker::lock_weak},
        {100, &worker::post},  {10, &worker::verify},     {3, &worker::send},        {4, &worker::receive},
        {4, &worker::merge},   {1, &worker::drop_island}, {1, &worker::collect},     {20, &worker::safepoint},
        {2, &worker::block},
    };
    static constexpr std::size_t sum = [] {
      std::size_t total = 0;
      for (const operation& o : all) total += o.weight;
      return total;
    }();
    std::size_t at = below(sum);
    for (const operation& o : all) {
      if (at < o.weight) return (this->*o.perform)();
      at -= o.weight;
    }
  }

  kind any_kind() {
    const std::size_t n = below(1000);
    if (n < 2) return kind::large_array;
    if (n < 5) return kind::huge;
    if (n < 10) return kind::mixed_array;
    if (n < 30) return kind::tail;
    constexpr kind frequent[] = {kind::one,   kind::two,         kind::two,    kind::three,
                                 kind::eight, kind::blob,        kind::owner,  kind::owner,
                                 kind::wide,  kind::small_array, kind::traced, kind::weak_pair};
    return frequent[below(std::size(frequent))];
  }
  void add_root(stamp* actual, shadow* expected) {
    root r;
    r.what = expected;
    if (below(3) == 0)
      r.anywhere = actual;
    else
      r.on_stack = std::make_unique<umber::local<stamp>>(actual);
    here().roots.push_back(std::move(r));
  }
  void remove_root(std::size_t i) {
    std::swap(here().roots[i], here().roots.back());
    here().roots.pop_back();
  }

  // A node some steps away from a root; compared on the way.
  found find() {
    const root& r = here().roots[below(here().roots.size())];
    found at{r.get(), r.what};
    compare(at.actual, *at.expected);
    for (std::size_t steps = below(12); steps > 0 && at.expected->fields() != 0; --steps) {
      const std::size_t i = below(at.expected->fields());
      if (at.expected->edges[i] == nullptr) continue;
      at = {field_at(at.actual, i).get(), at.expected->edges[i]};
      compare(at.actual, *at.expected);
    }
    return at;
  }
  void store_to(found at, std::size_t i, found value) {
    field_at(at.actual, i) = value.actual;
    at.expected->edges[i] = value.expected;
  }

  void make() {
    if (here().size() > 2000) here().prune();
    if (here().size() > 1000) return drop_root();
    const std::uint64_t id = ++last_id;
    const kind what = any_kind();
    fate* end = nullptr;
    const umber::local<stamp> made = make_node(id, what, end);
    shadow* expected = here().add(id, what, end);
    compare(made.get(), *expected);
    if (!here().empty() && below(3) != 0) {
      const found at = find();
      if (at.expected->fields() != 0) store_to(at, below(at.expected->fields()), {made.get(), expected});
    }
    if (here().empty() || below(2) == 0) add_root(made.get(), expected);
  }
  void store() {
    if (here().empty()) return make();
    const found value = find(), at = find();
    if (at.expected->fields() != 0) store_to(at, below(at.expected->fields()), value);
  }
  void clear() {
    if (here().empty()) return make();
    const found at = find();
    if (at.expected->fields() != 0) store_to(at, below(at.expected->fields()), {});
  }
  // Swaps two fields, which moves edges behind a marker's back.
  void exchange() {
    if (here().empty()) return make();
    const found a = find(), b = find();
    if (a.expected->fields() == 0 || b.expected->fields() == 0) return;
    const std::size_t i = below(a.expected->fields()), j = below(b.expected->fields());
    field<stamp>&first = field_at(a.actual, i), &second = field_at(b.actual, j);
    second = first.exchange(second.get());
    std::swap(a.expected->edges[i], b.expected->edges[j]);
  }
  void walk() {
    if (!here().empty()) find();
  }
  void verify() {
    here().verify();
    if (below(4) == 0) here().prune();
  }
  void drop_root() {
    if (!here().empty()) remove_root(below(here().roots.size()));
  }
  void hold() {
    if (here().empty()) return;
    const found at = find();
    add_root(at.actual, at.expected);
    while (here().roots.size() > 64) drop_root();
  }
  void reassign() {
    if (here().empty()) return;
    const found at = find();
    root& r = here().roots[below(here().roots.size())];
    r.what = at.expected;
    if (r.on_stack != nullptr)
      *r.on_stack = at.actual;
    else
      r.anywhere = at.actual;
  }

  void weaken() {
    if (here().empty()) return;
    const found at = find();
    weak_root w;
    w.what = at.expected;
    w.reference = at.actual;
    here().weak_roots.push_back(std::move(w));
    if (here().weak_roots.size() > 32) here().weak_roots.erase(here().weak_roots.begin());
  }
  void check_locked(const umber::local<stamp>& locked, shadow* expected) {
    if (locked == nullptr) {
      ++weak_misses;
      if (here().reaches(expected)) fail("a weak reference to a living node is null", expected->id);
      return;
    }
    ++weak_hits;
    compare(locked.get(), *expected);
    if (below(2) == 0) add_root(locked.get(), expected);
  }
  void lock() {
    if (here().weak_roots.empty()) return;
    weak_root& w = here().weak_roots[below(here().weak_roots.size())];
    check_locked(w.reference.lock(), w.what);
  }
  void store_weak() {
    if (here().empty()) return;
    const found target = find(), at = find();
    if (at.expected->what != kind::weak_pair) return;
    const std::size_t i = below(2);
    const umber::local<stamp> kept(at.actual);
    as<weak_pair>(kept.get())->weak[i] = target.actual;
    at.expected->weak_edges[i] = target.expected;
  }
  void lock_weak() {
    if (here().empty()) return;
    const found at = find();
    if (at.expected->what != kind::weak_pair) return;
    const std::size_t i = below(2);
    if (at.expected->weak_edges[i] == nullptr) return;
    const umber::local<stamp> kept(at.actual);
    check_locked(as<weak_pair>(kept.get())->weak[i].lock(), at.expected->weak_edges[i]);
  }

  // Hangs a new packet before what somebody else has put on the board.
  void post() {
    const umber::local<packet> made = umber::make<packet>();
    made->s = make_stamp(++last_id, kind::one);
    board_type& places = **board;
    packet* next = places[below(board_size)].get();
    std::size_t length = 0;
    for (packet* p = next; p != nullptr; p = p->next.get(), ++length)
      if (!p->s.valid() || p->length + length != next->length) fail("a packet was overwritten", p->s.id(), p->length);
    if (next != nullptr && next->length < longest_chain) {
      made->next = next;
      made->length = next->length + 1;
    }
    field<packet>& place = places[below(board_size)];
    packet* expected = place.get();
    if (below(2) == 0)
      place = made;
    else
      place.compare_exchange(expected, made.get());
  }

  void send() {
    island& sent = here();
    for (root& r : sent.roots) {
      if (r.on_stack == nullptr) continue;
      r.anywhere = r.on_stack->get();
      r.on_stack = nullptr;
    }
    std::unique_ptr<island> whole = std::move(islands_.back());
    islands_.pop_back();
    const std::lock_guard<std::mutex> guard(mail_lock);
    mail.push_back(std::move(whole));
  }
  void receive() {
    const std::lock_guard<std::mutex> guard(mail_lock);
    if (mail.empty()) return;
    islands_.push_back(std::move(mail.front()));
    mail.pop_front();
  }
  void merge() {
    if (islands_.size() < 2) return;
    std::unique_ptr<island> other = std::move(islands_.front());
    islands_.erase(islands_.begin());
    here().merge(*other);
    here().prune();
  }
  void drop_island() {
    here().verify();
    islands_.pop_back();
  }
  void collect() {
    if (below(10) == 0) heap_.collect();
  }
  void safepoint() { umber::safepoint(); }
  void block() {
    const umber::blocking waiting;
    std::this_thread::sleep_for(std::chrono::microseconds(below(500)));
  }

  umber::heap& heap_;
  std::mt19937_64 random_;
  std::vector<std::unique_ptr<island>> islands_;  // the last is the one at hand
};

void run_all(umber::heap& h, std::size_t thread_count, double seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  std::mt19937_64 random(seed);
  std::vector<std::thread> threads(thread_count);
  std::size_t started = 0;
  for (std::size_t turn = 0; std::chrono::steady_clock::now() < end; ++turn) {
    std::thread& t = threads[turn % thread_count];
    if (t.joinable()) {
      const umber::blocking waiting;
      t.join();
    }
    const std::size_t steps = random() % 4 == 0 ? random() % 50 : random() % 20'000;
    t = std::thread([&h, own_seed = random(), steps] {
      const umber::mutator attached(h);
      worker(h, own_seed).run(steps);
    });
    ++started;
  }
  time_is_up = true;
  const umber::blocking waiting;
  for (std::thread& t : threads)
    if (t.joinable()) t.join();
  std::printf("%llu operations, %zu threads, %llu cycles, %llu nodes, weak %llu alive %llu gone, seed %llu\n",
              static_cast<unsigned long long>(operations.load()), started,
              static_cast<unsigned long long>(h.statistics().cycles), static_cast<unsigned long long>(last_id.load()),
              static_cast<unsigned long long>(weak_hits.load()), static_cast<unsigned long long>(weak_misses.load()),
              static_cast<unsigned long long>(seed));
}

// Has the heap collect in another way every few milliseconds.
void change_kinds(umber::heap& h) {
  std::mt19937_64 random(seed);
  while (!time_is_up) {
    h.set_kind(static_cast<umber::barrier>(random() % 4));
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 5000));
  }
}

void drop_all(umber::heap& h) {
  for (auto& left : mail) left->verify();
  mail.clear();
  h.collect();
  if (constructed != destroyed) fail("not all were destroyed", 0, constructed - destroyed);
}

}  // namespace
}  // namespace graph

int main(int argc, char** argv) {
  double seconds = 3;
  std::size_t thread_count = 6;
  umber::heap_options options;
  options.minimum = 256 << 10;
  options.workers = 0;
  bool in_turn = false;
  for (int i = 1; i + 1 < argc; i += 2) {
    const char* value = argv[i + 1];
    if (std::strcmp(argv[i], "--seconds") == 0) seconds = std::atof(value);
    if (std::strcmp(argv[i], "--threads") == 0) thread_count = std::strtoul(value, nullptr, 10);
    if (std::strcmp(argv[i], "--seed") == 0) graph::seed = std::strtoull(value, nullptr, 10);
    if (std::strcmp(argv[i], "--percent") == 0) options.percent = std::strtoul(value, nullptr, 10);
    if (std::strcmp(argv[i], "--minimum") == 0) options.minimum = std::strtoul(value, nullptr, 10);
    if (std::strcmp(argv[i], "--workers") == 0) options.workers = static_cast<unsigned>(std::atoi(value));
    if (std::strcmp(argv[i], "--barrier") == 0) {
      in_turn = std::strcmp(value, "4") == 0;
      options.kind = static_cast<umber::barrier>(std::atoi(value) % 4);
    }
    if (std::strcmp(argv[i], "--torture") == 0) options.torture = static_cast<unsigned>(std::atoi(value));
  }
  if (options.workers == 0) options.workers = 1 + static_cast<unsigned>(graph::seed % 3);
  std::printf("seed %llu, %u workers\n", static_cast<unsigned long long>(graph::seed), options.workers);
  std::fflush(stdout);
  umber::heap heap(options);
  const umber::mutator attached(heap);
  umber::persistent<graph::board_type> board = umber::make_array<umber::field<graph::packet>>(graph::board_size);
  graph::board = &board;
  std::thread changer;
  if (in_turn) changer = std::thread([&] { graph::change_kinds(heap); });
  graph::run_all(heap, std::max<std::size_t>(thread_count, 1), seconds);
  if (changer.joinable()) changer.join();
  graph::drop_all(heap);
}

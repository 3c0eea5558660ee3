#include "alloc/retake.h"

#include "alloc/malloc.h"
#include "alloc/os_threads.h"
#include "alloc/processors.h"
#include "alloc/startup.h"
#include "testing.h"

#include <pthread.h>
#include <time.h>

#include <atomic>
#include <functional>
#include <memory>
#include <thread>

namespace umber::testing {
namespace {

constexpr std::uint64_t no_bound = UINT64_MAX;

// What a thread did before it fell asleep is seen by whoever heard of its sleep from the system. The thread sanitizer
// does not know that, and delays handlers of signals.
constexpr bool sleepers_are_seen = !thread_sanitized;

span_class class_of(std::size_t size) { return span_class::noscan(class_for(size)); }

std::size_t spans_of(span_class c) {
  std::size_t n = 0;
  heap.for_each_span([&](const mspan& s) { n += s.slot_size != 0 && s.spans_class() == c; });
  return n;
}

// Allocations enough that a thread gets a processor of its own.
void settle() {
  for (int i = 0; i < 64; ++i) deallocate(allocate(48));
}

// A block whose contents tell its size and what was last written to it.
struct block {
  unsigned char* bytes = nullptr;
  std::size_t size = 0;

  void fill(std::uint64_t seed) {
    std::memcpy(bytes, &seed, sizeof seed);
    for (std::size_t i = sizeof seed; i < size; ++i) bytes[i] = static_cast<unsigned char>(seed + i * 5);
  }
  bool intact() const {
    std::uint64_t seed = 0;
    std::memcpy(&seed, bytes, sizeof seed);
    for (std::size_t i = sizeof seed; i < size; ++i)
      if (bytes[i] != static_cast<unsigned char>(seed + i * 5)) return false;
    return true;
  }
};

block new_block(std::size_t size, std::uint64_t seed) {
  block b{static_cast<unsigned char*>(allocate(size)), size};
  if (b.bytes == nullptr) std::abort();  // Catch2's checks are for one thread only
  b.fill(seed);
  return b;
}

void end_block(block& b) {
  if (b.bytes == nullptr) return;
  if (!b.intact()) std::abort();
  deallocate(b.bytes);
  b = {};
}

// A thread that does what it is told, and sleeps in between.
class told_thread {
 public:
  explicit told_thread(std::function<void()> first) {
    if (pipe(orders_) != 0 || pipe(answers_) != 0) std::abort();
    thread_ = std::thread([this] { run(); });
    tell(std::move(first));
  }
  ~told_thread() {
    tell(nullptr);
    thread_.join();
    for (const int end : {orders_[0], orders_[1], answers_[0], answers_[1]}) close(end);
  }
  told_thread(const told_thread&) = delete;
  told_thread& operator=(const told_thread&) = delete;

  // Returns when it is done, and the thread on its way to sleep.
  void tell(std::function<void()> order) {
    begin(std::move(order));
    finish();
  }
  // Returns at once.
  void begin(std::function<void()> order) {
    finish();
    order_ = std::move(order);
    busy_ = true;
    if (write(orders_[1], "x", 1) != 1) std::abort();
  }
  void finish() {
    char byte;
    if (busy_ && read(answers_[0], &byte, 1) != 1) std::abort();
    busy_ = false;
  }
  void interrupt(int signal) { pthread_kill(thread_.native_handle(), signal); }
  void wait_until_asleep() const {
    while (!os::sleep_of(id_).sleeps) usleep(200);
  }
  processor* holds() const { return state_->mine(); }

 private:
  void run() {
    id_ = os::thread_id();
    state_ = &this_thread;
    for (;;) {
      char byte;
      while (read(orders_[0], &byte, 1) != 1) continue;
      const bool ends = order_ == nullptr;
      if (!ends) order_();
      if (write(answers_[1], "x", 1) != 1) std::abort();
      if (ends) return;
    }
  }

  std::function<void()> order_;
  bool busy_ = false;  // told, and not yet done
  int orders_[2] = {};
  int answers_[2] = {};
  std::atomic<std::uint32_t> id_{0};
  thread_state* state_ = nullptr;
  std::thread thread_;
};

void look_at_all(int times) {
  for (int i = 0; i < times; ++i) retake_processors(no_bound);
}

// A thread that the kernel calls asleep may yet be on its way to the sleep it stays in, so looking is repeated.
bool is_robbed_at_last(const told_thread& sleeper) {
  for (int i = 0; i < 20'000 && sleeper.holds() != &no_processor; ++i) {
    look_at_all(2);
    if (i > 10) usleep(500);
  }
  return sleeper.holds() == &no_processor;
}

}  // namespace

TEST_CASE("retake: a sleeping thread loses its processor, and on waking goes on as before [retake.1]") {
  if (!sleepers_are_seen) return;
  std::vector<block> blocks;
  told_thread sleeper([&] {
    settle();
    for (std::size_t i = 0; i < 3000; ++i) blocks.push_back(new_block(8 + i % 900, i));
  });
  REQUIRE(sleeper.holds() != &no_processor);
  for (std::uint64_t round = 1; round < 30; ++round) {
    INFO("round " << round);
    sleeper.wait_until_asleep();
    REQUIRE(is_robbed_at_last(sleeper));
    if (round % 3 != 0) processors::flush_idle(UINT64_MAX);
    sleeper.tell([&] {
      for (std::size_t i = 0; i < blocks.size(); ++i) {
        if (i % 3 == round % 3) end_block(blocks[i]), blocks[i] = new_block(8 + (i * round) % 900, i * round);
        if (!blocks[i].intact()) std::abort();
      }
    });
    REQUIRE(sleeper.holds() != &no_processor);
  }
  sleeper.tell([&] {
    for (block& b : blocks) end_block(b);
  });
}

TEST_CASE("retake: what a sleeping thread kept for itself goes back to the system [retake.1]") {
  if (!sleepers_are_seen) return;
  const span_class c = class_of(1800);
  std::vector<void*> blocks;
  told_thread sleeper([&] {
    settle();
    for (int i = 0; i < 1000; ++i) blocks.push_back(allocate(1800));
    for (std::size_t i = 0; i < 999; ++i) deallocate(blocks[i]);
  });
  const std::size_t kept = spans_of(c);
  CHECK(kept > 10);
  sleeper.wait_until_asleep();
  REQUIRE(is_robbed_at_last(sleeper));
  processors::flush_idle(UINT64_MAX);
  CHECK(spans_of(c) == 1);
  CHECK(span_at(blocks.back())->owner == span_owner::in_central(c));
  sleeper.tell([&] { deallocate(blocks.back()); });
}

TEST_CASE("retake: a thread that was awake between two looks keeps its processor [retake.1]") {
  if (!sleepers_are_seen) return;
  told_thread worker(settle);
  for (int i = 0; i < 50; ++i) {
    worker.tell([] { deallocate(allocate(80)); });
    worker.wait_until_asleep();
    retake_processors(no_bound);
    // One look alone never takes it: it has been switched since the last.
    REQUIRE(worker.holds() != &no_processor);
  }
}

namespace {

// A thread that wakes just while its processor is being taken, and finds it has none.
std::atomic<bool> woken{false};
bool wake_it(const processor&) {
  woken = true;
  return true;
}
// Gives it time to run into the lock, and says what the second look would.
bool is_awake_by_now(const processor&) {
  usleep(3000);
  return false;
}

}  // namespace

TEST_CASE("retake: a thread that wakes while its processor is taken gets it back [retake.1] [processors.1]") {
  if (!sleepers_are_seen) return;
  told_thread worker(settle);
  processor* const p = worker.holds();
  std::vector<block> blocks;
  for (std::uint64_t i = 0; i < 30; ++i) {
    woken = false;
    worker.begin([&] {
      while (!woken) usleep(50);
      for (std::size_t k = 0; k < 200; ++k) blocks.push_back(new_block(8 + k * 3, i));
    });
    CHECK_FALSE(processors::take_from_holder(*p, wake_it, is_awake_by_now));
    worker.finish();
    REQUIRE(worker.holds() == p);
    REQUIRE(p->held);
  }
  worker.tell([&] {
    for (block& b : blocks) end_block(b);
  });
}

TEST_CASE("retake: a thread that computes keeps its processor [retake.1]") {
  if (!sleepers_are_seen) return;
  std::atomic<bool> done{false};
  told_thread worker(settle);
  worker.begin([&] {
    while (!done) continue;
  });
  usleep(2000);
  for (int i = 0; i < 50; ++i) {
    retake_processors(no_bound);
    REQUIRE(worker.holds() != &no_processor);
  }
  done = true;
}

TEST_CASE("retake: a thread that sleeps inside the heap keeps its processor [retake.1]") {
  if (!sleepers_are_seen) return;
  int wake[2];
  REQUIRE(pipe(wake) == 0);
  told_thread worker(settle);
  worker.begin([&] {
    processor* p = this_thread.mine();
    p->inside = true;  // as a slow path does it
    char byte;
    if (read(wake[0], &byte, 1) != 1) std::abort();
    p->inside = false;
  });
  usleep(2000);
  worker.wait_until_asleep();
  look_at_all(20);
  CHECK(worker.holds() != &no_processor);
  REQUIRE(write(wake[1], "x", 1) == 1);
  worker.finish();
  worker.wait_until_asleep();
  CHECK(is_robbed_at_last(worker));
  for (const int end : wake) close(end);
}

namespace {

int handler_wakes[2];
std::atomic<bool> in_handler{false};
void sleep_in_handler(int) {
  in_handler = true;
  char byte;
  while (read(handler_wakes[0], &byte, 1) != 1) continue;
  in_handler = false;
}

// Lets a signal interrupt `worker`, looks whether it is robbed while it sleeps in the handler, and ends that.
bool keeps_in_handler(told_thread& worker) {
  worker.interrupt(SIGUSR1);
  while (!in_handler) usleep(200);
  worker.wait_until_asleep();
  look_at_all(20);
  const bool kept = worker.holds() != &no_processor;
  if (write(handler_wakes[1], "x", 1) != 1) std::abort();
  while (in_handler) usleep(200);
  return kept;
}

}  // namespace

TEST_CASE("retake: a thread asleep in a signal handler keeps its processor, on either stack [retake.1]") {
  if (!sleepers_are_seen) return;
  REQUIRE(pipe(handler_wakes) == 0);
  std::vector<char> alternate(128 * kib);
  for (const int flags : {0, SA_ONSTACK}) {
    INFO("flags " << flags);
    struct sigaction action = {}, before = {};
    action.sa_handler = sleep_in_handler;
    action.sa_flags = flags | SA_RESTART;
    REQUIRE(sigaction(SIGUSR1, &action, &before) == 0);
    std::atomic<bool> done{false};
    stack_t other = {};
    other.ss_sp = alternate.data();
    other.ss_size = alternate.size();
    told_thread worker([&] {
      stack_t own = {};
      if (sigaltstack(&other, &own) != 0) std::abort();
      other = own;
      settle();
    });
    worker.begin([&] {
      while (!done) deallocate(allocate(64));
    });
    bool kept = true;
    for (int i = 0; i < 20; ++i) kept = keeps_in_handler(worker) && kept;
    done = true;
    CHECK(kept);
    worker.tell([&] { sigaltstack(&other, nullptr); });
    sigaction(SIGUSR1, &before, nullptr);
  }
  for (const int end : handler_wakes) close(end);
}

namespace {

// Takes processors as fast as it can, and empties the idle ones now and then, until it is destroyed. It looks at
// processors for one thread, and there may be but one.
class robber {
 public:
  robber()
      : thread_([this] {
          for (std::size_t round = 0; !done_; ++round) {
            taken_ += retake_processors(no_bound);
            if (round % 16 == 0) processors::flush_idle(UINT64_MAX);
          }
        }) {}
  ~robber() {
    done_ = true;
    thread_.join();
  }
  robber(const robber&) = delete;
  robber& operator=(const robber&) = delete;
  std::size_t taken() const { return taken_; }

 private:
  std::atomic<bool> done_{false};
  std::atomic<std::size_t> taken_{0};
  std::thread thread_;
};

// Allocates, checks and frees, passes blocks on, and sleeps now and then for about as long as a look takes.
class restless {
 public:
  static constexpr std::size_t mail_size = 64;
  restless(std::uint64_t seed, std::atomic<void*>* mail) : random_(seed), mail_(mail), blocks_(200) {}
  ~restless() {
    for (block& b : blocks_) end_block(b);
  }
  void run(int rounds) {
    for (int round = 0; round < rounds; ++round) {
      for (std::uint64_t steps = random_() % 60; steps > 0; --steps) step();
      const timespec nap = {0, static_cast<long>(random_() % (random_() % 8 == 0 ? 2'000'000 : 300'000))};
      nanosleep(&nap, nullptr);
    }
  }

 private:
  void step() {
    block& b = blocks_[random_() % blocks_.size()];
    end_block(b);
    b = new_block(8 + random_() % (random_() % 20 == 0 ? 30'000 : 700), random_());
    if (random_() % 4 == 0) deallocate(mail_[random_() % mail_size].exchange(allocate(1 + random_() % 500)));
  }

  std::mt19937_64 random_;
  std::atomic<void*>* mail_;
  std::vector<block> blocks_;
};

// What restless threads do at the same time, in `threads` of them.
void run_restless(std::uint64_t seed, int threads, int rounds) {
  std::atomic<void*> mail[restless::mail_size] = {};
  std::vector<std::thread> running;
  for (int t = 0; t < threads; ++t)
    running.emplace_back([&, t] {
      settle();
      restless(seed + static_cast<std::uint64_t>(t), mail).run(rounds);
    });
  for (std::thread& t : running) t.join();
  for (std::atomic<void*>& place : mail) deallocate(place.exchange(nullptr));
}

}  // namespace

TEST_CASE(
    "retake: thousands of naps with a robber about, and every block is as it was left [retake.1] (litmus: retake)") {
  if (!sleepers_are_seen) return;
  const std::uint64_t seed = new_seed();
  INFO("seed " << seed);
  const robber thief;
  run_restless(seed, 6, 2500);
  CHECK(thief.taken() > 50);
}

TEST_CASE("retake: threads that end while they may be robbed lose nothing [retake.1]") {
  if (!sleepers_are_seen) return;
  const std::uint64_t seed = new_seed();
  INFO("seed " << seed);
  {
    const robber thief;
    for (std::uint64_t i = 0; i < 100; ++i) run_restless(seed + i * 100, 8, 3);
  }
  processors::flush_idle(UINT64_MAX);
  CHECK(processors::held_count() <= 1);
  const processors::census count = processors::count();
  CHECK(count.idle >= count.all - 6);  // but for those that are shared, and this thread's
}

TEST_CASE("retake: a thread in its last destructors is not robbed of what it no longer has [retake.1]") {
  if (!sleepers_are_seen) return;
  struct late_sleeper {
    void* block = nullptr;
    ~late_sleeper() {
      usleep(300);
      deallocate(block);
      deallocate(allocate(200));
      usleep(300);
    }
  };
  const robber thief;
  for (int i = 0; i < 300; ++i)
    std::thread([] {
      static thread_local late_sleeper last;
      settle();
      last.block = allocate(300);
    }).join();
}

TEST_CASE("retake: children forked while processors change hands have a heap that works [retake.1]") {
  if (!sleepers_are_seen || !may_fork_under_load) return;
  start_up();
  const std::uint64_t seed = new_seed();
  INFO("seed " << seed);
  std::atomic<bool> done{false};
  const robber thief;
  std::thread load([&] {
    for (std::uint64_t i = 0; !done; ++i) run_restless(seed + 10 * i, 4, 20);
  });
  std::vector<block> inherited;
  for (std::size_t i = 0; i < 500; ++i) inherited.push_back(new_block(8 + i * 3, i));
  for (std::uint64_t i = 0; i < 150; ++i) {
    INFO("child " << i);
    const ending end = run_in_child([&] {
      for (block& b : inherited) end_block(b);
      run_restless(seed + i, 2, 3);
      look_at_all(6);
      processors::flush_idle(UINT64_MAX);
      return this_thread.mine() == &no_processor || this_thread.mine()->held;
    });
    REQUIRE(end.succeeded());
    if (i % 2 == 0) usleep(500);
  }
  done = true;
  load.join();
  for (block& b : inherited) end_block(b);
}

TEST_CASE("retake: what it may cost is bounded, and it goes on where it stopped [retake.1]") {
  if (!sleepers_are_seen) return;
  std::vector<std::unique_ptr<told_thread>> sleepers;
  for (int i = 0; i < 60; ++i) sleepers.push_back(std::make_unique<told_thread>(settle));
  for (const auto& sleeper : sleepers) sleeper->wait_until_asleep();
  const auto robbed = [&] {
    std::size_t n = 0;
    for (const auto& sleeper : sleepers) n += sleeper->holds() == &no_processor;
    return n;
  };
  std::size_t calls = 0;
  for (; robbed() < sleepers.size() && calls < 100'000; ++calls) REQUIRE(retake_processors(1) <= 1);
  CHECK(robbed() == sleepers.size());
  CHECK(calls >= sleepers.size());  // each is looked at twice, but the background thread may have looked once already
}

}  // namespace umber::testing

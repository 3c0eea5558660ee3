#include "alloc/processors.h"

#include "alloc/malloc.h"
#include "testing.h"

#include <set>
#include <thread>

namespace umber::testing {
namespace {

constexpr std::size_t most_retained = 4 * mib;

span_class class_of(std::size_t size) { return span_class::noscan(class_for(size)); }

// [processor.1] [processor.2] [mspan.3]; the empty string if all hold.
std::string broken_promise(processor& p) {
  std::string broken;
  heap.for_each_span([&](const mspan& s) {
    if (!p.owns(&s)) return;
    const span_class c = s.spans_class();
    const bool current = p.cache[c].span() == &s, listed = contains(p.available[c.value], &s);
    if (current == listed) broken = "an owned span is not in one place";
    if (!s.valid()) broken = "a span is not valid";
    const std::size_t live = s.slots - s.count_free();
    if (listed && (s.flags & mspan::flag_retained) == 0 && !s.has_remote() && s.countdown != live)
      broken = "countdown " + std::to_string(s.countdown) + ", live " + std::to_string(live);
  });
  std::size_t retained = 0;
  for (const span_list& list : p.available) {
    const mspan* s = list.front();
    for (std::size_t n = length(list); n > 0; --n, s = s->next)
      if (s->all_free()) retained += s->run.count.bytes();
  }
  if (retained != p.retained_bytes) broken = "retained " + std::to_string(retained);
  if (p.retained_bytes > most_retained) broken = "too much is retained";
  return broken;
}

std::size_t live_slots(span_class c) {
  std::size_t live = 0;
  heap.for_each_span([&](const mspan& s) {
    if (s.slot_size != 0 && s.spans_class() == c) live += s.slots - s.count_free_or_remote();
  });
  return live;
}

std::size_t spans_of(span_class c) {
  std::size_t n = 0;
  heap.for_each_span([&](const mspan& s) { n += s.slot_size != 0 && s.spans_class() == c; });
  return n;
}

}  // namespace

TEST_CASE("processor: every class of both halves allocates, frees and gives everything back [processor.1]") {
  test_processor p;
  for (const span_class c : all_span_classes()) {
    INFO("class " << int{c.value});
    std::set<void*> blocks;
    const std::size_t n = 2 * std::size_t{info(c).slots} + 3;
    for (std::size_t i = 0; i < n; ++i) {
      void* block = allocate_through(*p.get(), c);
      REQUIRE(block != nullptr);
      REQUIRE(blocks.insert(block).second);
      std::memset(block, 0xab, info(c).slot_size);
    }
    CHECK(live_slots(c) == n);
    REQUIRE(broken_promise(*p.get()).empty());
    for (void* block : blocks) free_through(*p.get(), block);
    CHECK(live_slots(c) == 0);
    REQUIRE(broken_promise(*p.get()).empty());
  }
  p->flush();
  for (const span_class c : all_span_classes()) CHECK(spans_of(c) == 0);
  CHECK(p->retained_bytes == 0);
  CHECK(p->stock.pages.empty());
  CHECK(p->stock.spare_count == 0);
}

TEST_CASE("processor: random allocations and frees keep every promise [processor.1] [processor.2] [mspan.3]") {
  const std::uint64_t seed = new_seed();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  test_processor p, other;
  const span_class classes[] = {class_of(16),
                                class_of(200),
                                span_class::scan(class_for(64)),
                                class_of(2048),
                                span_class::scan(class_for(20'000)),
                                class_of(131072)};
  std::vector<void*> live;
  for (int step = 0; step < 60'000; ++step) {
    const bool growing = step / 6000 % 2 == 0;
    if (live.empty() || random() % 100 < (growing ? 60U : 40U)) {
      live.push_back(allocate_through(*p.get(), classes[random() % std::size(classes)]));
      REQUIRE(live.back() != nullptr);
    } else {
      std::swap(live[random() % live.size()], live.back());
      free_through(random() % 4 == 0 ? *other.get() : *p.get(), live.back());
      live.pop_back();
    }
    if (random() % 3000 == 0) other->remote.send_all();
    if (step % 1000 == 0) REQUIRE(broken_promise(*p.get()).empty());
  }
  for (void* block : live) free_through(*p.get(), block);
  other->remote.send_all();
  p->attend();
  CHECK(broken_promise(*p.get()).empty());
  p->flush();
  for (const span_class c : classes) CHECK(spans_of(c) == 0);
}

TEST_CASE("processor: a full span is left, and the first free of its processor adopts it [processor.1]") {
  for (const span_class c : {class_of(64), span_class::scan(class_for(64)), class_of(4096)}) {
    test_processor p;
    std::vector<void*> blocks;
    for (std::size_t i = 0; i < 8 * std::size_t{info(c).slots}; ++i) blocks.push_back(allocate_through(*p.get(), c));
    mspan* s = span_at(blocks[0]);
    REQUIRE(span_owner::is_at_home(s->owner.load()));
    CHECK_FALSE(p->owns(s));
    free_through(*p.get(), blocks[0]);
    CHECK(p->owns(s));
    CHECK(s->countdown == s->slots - 1U);
    CHECK(contains(p->available[c.value], s));
    CHECK(broken_promise(*p.get()).empty());
    for (std::size_t i = 1; i < blocks.size(); ++i) free_through(*p.get(), blocks[i]);
    CHECK(live_slots(c) == 0);
  }
}

TEST_CASE("processor: a span is adopted once, and with it what others have freed meanwhile [mspan.3]") {
  test_processor p, thief;
  const span_class c = class_of(64);
  std::vector<void*> blocks;
  for (std::size_t i = 0; i < 8 * std::size_t{info(c).slots}; ++i) blocks.push_back(allocate_through(*p.get(), c));
  mspan* s = span_at(blocks[0]);
  REQUIRE(span_owner::is_at_home(s->owner.load()));
  free_through(*thief.get(), blocks[1]);
  free_through(*thief.get(), blocks[2]);
  thief->remote.send_all();
  CHECK(p->adopt(s));
  CHECK(s->count_free() == 2);
  CHECK(s->countdown == s->slots - 2U);
  CHECK_FALSE(s->has_remote());
  CHECK_FALSE(p->adopt(s));
  for (std::size_t i = 0; i < blocks.size(); ++i)
    if (i != 1 && i != 2) free_through(*p.get(), blocks[i]);
}

TEST_CASE("processor: what is retained for the next phase is bounded, and used by it [processor.2]") {
  test_processor p;
  const span_class c = class_of(1024);
  std::vector<void*> blocks;
  for (std::size_t i = 0; i < 20 * kib; ++i) blocks.push_back(allocate_through(*p.get(), c));
  for (void* block : blocks) free_through(*p.get(), block);
  CHECK(p->retained_bytes > most_retained / 2);
  CHECK(p->retained_bytes <= most_retained);
  CHECK(broken_promise(*p.get()).empty());
  const std::size_t retained = p->retained_bytes;
  for (std::size_t i = 0; i < 1024; ++i) blocks[i] = allocate_through(*p.get(), c);
  CHECK(p->retained_bytes < retained);
  CHECK(broken_promise(*p.get()).empty());
  for (std::size_t i = 0; i < 1024; ++i) free_through(*p.get(), blocks[i]);
  p->flush();
  CHECK(p->retained_bytes == 0);
}

TEST_CASE("processor: a flush hands over half-used spans, for others to allocate from") {
  test_processor p, next;
  for (const span_class c : {class_of(64), span_class::scan(class_for(512))}) {
    void* kept = allocate_through(*p.get(), c);
    mspan* s = span_at(kept);
    p->flush();
    CHECK(s->owner.load() == span_owner::in_central(c));
    void* block = allocate_through(*next.get(), c);
    CHECK(span_at(block) == s);
    CHECK(next->owns(s));
    free_through(*next.get(), block);
    free_through(*next.get(), kept);
  }
}

TEST_CASE("processor: no memory is a value, and afterwards everything works [processor.1]") {
  test_processor p;
  const span_class c = span_class::scan(class_for(100'000));
  std::vector<void*> blocks;
  for (std::size_t first = 0; first < 6; ++first) {
    const failing_system broken(first);
    for (int i = 0; i < 20'000; ++i) {
      void* block = allocate_through(*p.get(), c);
      if (block == nullptr) break;
      blocks.push_back(block);
    }
    CHECK(broken_promise(*p.get()).empty());
    CHECK_FALSE(p->inside);
    if (broken.happened()) CHECK(allocate_through(*p.get(), c) == nullptr);
    for (void* block : blocks) free_through(*p.get(), block);
    blocks.clear();
    p->flush();
  }
  void* block = allocate_through(*p.get(), c);
  REQUIRE(block != nullptr);
  free_through(*p.get(), block);
}

namespace {

// Allocations enough that a thread gets a processor of its own.
void settle() {
  for (int i = 0; i < 64; ++i) deallocate(allocate(48));
}

}  // namespace

TEST_CASE("processor: a thread that allocates once visits, one that goes on gets its own [processors.1]") {
  settle();
  const std::size_t before = processors::count().all;
  for (int i = 0; i < 50; ++i)
    std::thread([] {
      deallocate(allocate(100));
      if (this_thread.mine() != &no_processor) std::abort();
    }).join();
  CHECK(processors::count().all <= before + 4);
  processor* first = nullptr;
  std::thread([&] {
    settle();
    first = this_thread.mine();
    if (!first->held) std::abort();
  }).join();
  REQUIRE(first != &no_processor);
  CHECK_FALSE(first->held);
  processor* second = nullptr;
  std::thread([&] {
    settle();
    second = this_thread.mine();
  }).join();
  CHECK(second == first);
}

TEST_CASE("processor: two threads never hold one processor [processors.1]") {
  std::atomic<int> arrived{0};
  std::vector<std::thread> threads;
  std::vector<processor*> held(16);
  for (std::size_t t = 0; t < held.size(); ++t)
    threads.emplace_back([&, t] {
      settle();
      held[t] = this_thread.mine();
      ++arrived;
      while (arrived != static_cast<int>(held.size())) std::this_thread::yield();
    });
  for (std::thread& t : threads) t.join();
  CHECK(std::set<processor*>(held.begin(), held.end()).size() == held.size());
  const processors::census count = processors::count();
  CHECK(count.idle >= held.size());
  CHECK(count.idle <= count.all);
}

TEST_CASE("processor: what a thread leaves behind is used by others, and emptied when it stays idle") {
  std::vector<void*> left(3000);
  std::thread([&] {
    settle();
    for (void*& block : left) block = allocate(80);
  }).join();
  processors::flush_idle(UINT64_MAX);
  const span_class c = class_of(80);
  CHECK(live_slots(c) == left.size());
  for (void* block : left) deallocate(block);
  if (this_thread.mine() != &no_processor) this_thread.mine()->flush();
  processors::flush_shared();
  processors::flush_idle(UINT64_MAX);
  CHECK(live_slots(c) == 0);
  CHECK(spans_of(c) == 0);
}

TEST_CASE("processor: frees in the last destructors of a thread are visits, and arrive") {
  struct late {
    void* block = nullptr;
    ~late() {
      deallocate(block);
      deallocate(allocate(200));
    }
  };
  for (int i = 0; i < 20; ++i)
    std::thread([] {
      static thread_local late last;
      last.block = allocate(112);
      settle();
    }).join();
  processors::flush_shared();
  processors::flush_idle(UINT64_MAX);
  CHECK(live_slots(class_of(112)) == 0);
}

TEST_CASE("processor: threads that come and go, and idle processors emptied meanwhile, lose nothing [processors.1]") {
  std::atomic<bool> done{false};
  std::thread cleaner([&] {
    while (!done) {
      processors::flush_idle(UINT64_MAX);
      processors::flush_shared();
    }
  });
  for (int round = 0; round < 30; ++round) {
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([] {
        std::vector<void*> blocks;
        for (int i = 0; i < 500; ++i) blocks.push_back(allocate(144));
        for (void* block : blocks) deallocate(block);
      });
    for (std::thread& t : threads) t.join();
  }
  done = true;
  cleaner.join();
  processors::flush_idle(UINT64_MAX);
  processors::flush_shared();
  CHECK(live_slots(class_of(144)) == 0);
  CHECK(spans_of(class_of(144)) == 0);
}

}  // namespace umber::testing

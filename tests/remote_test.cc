#include "alloc/remote.h"

#include "testing.h"

#include <algorithm>
#include <thread>

namespace umber::testing {
namespace {

span_class class_of(std::size_t size) { return span_class::noscan(class_for(size)); }

// Every slot of one fresh span, through its processor.
std::vector<void*> whole_span(processor& p, span_class c) {
  std::vector<void*> blocks{allocate_through(p, c)};
  REQUIRE(blocks[0] != nullptr);
  while (blocks.size() < info(c).slots) blocks.push_back(allocate_through(p, c));
  for (const void* block : blocks)
    if (span_at(block) != span_at(blocks[0])) FAIL("not the slots of one span");
  return blocks;
}

// Makes p look for another span twice, so that its full one is left.
void leave_full(processor& p, const mspan* s) {
  while (!span_owner::is_at_home(s->owner.load()))
    for (std::size_t i = 0; i < s->slots; ++i) REQUIRE(allocate_through(p, s->spans_class()) != nullptr);
}

}  // namespace

TEST_CASE("remote: frees of others' slots are gathered, and delivered when they are sent [remote.2]") {
  test_processor owner, other;
  const std::vector<void*> blocks = whole_span(*owner.get(), class_of(64));
  mspan* s = span_at(blocks[0]);
  for (void* block : blocks) free_through(*other.get(), block);
  CHECK_FALSE(other->remote.empty());
  CHECK(s->count_free() == 0);
  other->remote.send_all();
  CHECK(other->remote.empty());
  CHECK(s->count_free_or_remote() == s->slots);
  CHECK(s->in_inbox.load());
  CHECK(owner->inbox.load() == s);
  owner->attend();
  CHECK_FALSE(s->in_inbox.load());
}

TEST_CASE("remote: a span is in an inbox once, however often its owner is told") {
  test_processor owner;
  mspan* s = span_at(whole_span(*owner.get(), class_of(48))[0]);
  for (std::size_t i = 0; i < 10; ++i) send(s, 0, std::uint64_t{1} << i);
  CHECK(owner->take_inbox() == s);
  CHECK(s->inbox_next.load() == nullptr);
  CHECK(owner->take_inbox() == nullptr);
  s->in_inbox = false;
  send(s, 1, 1);
  CHECK(owner->take_inbox() == s);
  s->in_inbox = false;
}

TEST_CASE("remote: a table holds back 64 KiB at most") {
  test_processor owner, other;
  std::size_t held_back = 0, most = 0;
  for (int i = 0; i < 2000; ++i) {
    void* block = allocate_through(*owner.get(), class_of(1024));
    mspan* s = span_at(block);
    const std::size_t before = s->count_free_or_remote();
    free_through(*other.get(), block);
    held_back = other->remote.empty() ? 0 : held_back + 1024;
    most = std::max(most, held_back);
    CHECK(s->count_free_or_remote() >= before);
  }
  CHECK(most <= 64 * kib);
  other->remote.send_all();
}

TEST_CASE("remote: a slot freed twice from afar is reported, in the table, on the way, or on arrival [remote.1]") {
  test_processor owner, other, third;
  void* block = allocate_through(*owner.get(), class_of(64));
  mspan* s = span_at(block);
  const slot_id slot = slot_at(block);
  const auto expect_death = [](const ending& end) {
    CHECK(end.aborted());
    CHECK(end.says("was already freed (64-byte object)"));
    CHECK(end.lines() == 1);
  };
  expect_death(death_of([&] {
    other->remote.add(s, slot);
    other->remote.add(s, slot);
  }));
  expect_death(death_of([&] {
    other->remote.add(s, slot);
    third->remote.add(s, slot);
    other->remote.send_all();
    third->remote.send_all();
  }));
  expect_death(death_of([&] {
    other->remote.add(s, slot);
    free_through(*owner.get(), block);
    other->remote.send_all();
    owner->flush();
  }));
  expect_death(death_of([&] {
    other->remote.add(s, slot);
    other->remote.send_all();
    third->remote.add(s, slot);
    third->remote.send_all();
  }));
  free_through(*owner.get(), block);
}

TEST_CASE("remote: a full span that was left is taken to its mcentral once an eighth of it is free [remote.2]") {
  for (const span_class c : {class_of(64), span_class::scan(class_for(64)), span_class::scan(class_for(2048))}) {
    test_processor owner;
    const std::vector<void*> blocks = whole_span(*owner.get(), c);
    mspan* s = span_at(blocks[0]);
    leave_full(*owner.get(), s);
    const std::size_t enough = divide_up(s->slots, 8);
    for (std::size_t i = 0; i < enough; ++i) {
      CHECK(span_owner::is_at_home(s->owner.load()));
      send(s, slot_id{i}.word(), slot_id{i}.bit());
    }
    CHECK(s->owner.load() == span_owner::in_central(c));
    CHECK(s->count_free() == enough);
    for (std::size_t i = enough; i < s->slots; ++i) send(s, slot_id{i}.word(), slot_id{i}.bit());
    CHECK(s->owner.load() == span_owner::nobody);
  }
}

TEST_CASE("remote: a full span that was left and is freed at once is gone at once [remote.2]") {
  test_processor owner;
  mspan* s = span_at(whole_span(*owner.get(), class_of(256))[0]);
  leave_full(*owner.get(), s);
  const page_id first = s->run.first;
  s->free[0].store(~s->remote[0].load());
  for (std::size_t w = 0; w < s->words(); ++w) s->free[w] = 0;
  std::size_t left = s->slots;
  for (std::size_t w = 1; w < s->words(); ++w) {
    const std::uint64_t bits = left - 64 >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << (left - 64)) - 1;
    left -= 64;
    send(s, w, bits);
  }
  send(s, 0, ~std::uint64_t{0});
  CHECK(window.span_of(first) == &no_span);
}

TEST_CASE("remote: an inbox that many fill loses nobody") {
  span_home home;
  std::vector<mspan> spans(300);
  std::vector<std::thread> threads;
  std::atomic<int> running{3};
  for (std::size_t t = 0; t < 3; ++t)
    threads.emplace_back([&, t] {
      for (int round = 0; round < 20; ++round)
        for (std::size_t i = 0; i < spans.size(); ++i) home.notify(&spans[(i * 7 + t) % spans.size()]);
      --running;
    });
  std::vector<int> seen(spans.size());
  const auto take = [&] {
    for (mspan* s = home.take_inbox(); s != nullptr;) {
      mspan* const following = s->inbox_next.load(std::memory_order_relaxed);
      ++seen[static_cast<std::size_t>(s - spans.data())];
      s->in_inbox.store(false, std::memory_order_seq_cst);
      s = following;
    }
  };
  while (running != 0) take();
  for (std::thread& t : threads) t.join();
  take();
  CHECK(std::count(seen.begin(), seen.end(), 0) == 0);
  for (const mspan& s : spans) CHECK_FALSE(s.in_inbox.load());
}

namespace {

// An owner that allocates, frees, leaves and adopts, and threads that free what it hands them: afterwards everything
// is free, whatever the order was.
void race_with_owner(span_class c, int rounds) {
  test_processor owner;
  constexpr std::size_t helpers = 2, batch = 700;
  std::vector<void*> mail[helpers];
  std::atomic<int> turn[helpers] = {};
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < helpers; ++t)
    threads.emplace_back([&, t] {
      processor* mine = new_processor();
      for (int round = 1; round <= rounds; ++round) {
        while (turn[t] != round) std::this_thread::yield();
        for (void* block : mail[t]) free_through(*mine, block);
        mine->remote.send_all();
        turn[t] = -round;
      }
      mine->flush();
    });
  for (int round = 1; round <= rounds; ++round) {
    std::vector<void*> own;
    for (auto& box : mail) {
      box.clear();
      for (std::size_t i = 0; i < batch; ++i) {
        box.push_back(allocate_through(*owner.get(), c));
        own.push_back(allocate_through(*owner.get(), c));
      }
    }
    for (auto& t : turn) t = round;
    for (void* block : own) free_through(*owner.get(), block);
    if (round % 5 == 0) owner->flush();
    for (auto& t : turn)
      while (t != -round) std::this_thread::yield();
  }
  for (std::thread& t : threads) t.join();
  owner->flush();
}

std::size_t live_slots() {
  std::size_t live = 0;
  heap.for_each_span([&](const mspan& s) { live += s.slots - s.count_free_or_remote(); });
  return live;
}

}  // namespace

TEST_CASE("remote: frees that race with leaving, adopting and listing are all delivered [remote.2] (litmus: inbox)") {
  for (const span_class c : {class_of(64), span_class::scan(class_for(48)), class_of(1024), class_of(4096)}) {
    const std::size_t before = live_slots();
    race_with_owner(c, 40);
    CHECK(live_slots() == before);
    std::size_t spans = 0;
    heap.for_each_span([&](const mspan& s) { spans += s.spans_class() == c && s.slot_size != 0; });
    CHECK(spans <= 2);
  }
}

TEST_CASE(
    "remote: a span that is freed into just before it is left stays with its owner [remote.2] (litmus: leave_full)") {
  test_processor owner;
  const std::vector<void*> blocks = whole_span(*owner.get(), class_of(64));
  mspan* s = span_at(blocks[0]);
  send(s, slot_at(blocks[0]).word(), slot_at(blocks[0]).bit());
  CHECK_FALSE(owner->leave_full(s));
  CHECK_FALSE(s->has_remote());
  CHECK(s->count_free() == 1);
  CHECK(owner->owns(s));
  for (std::size_t i = 1; i < blocks.size(); ++i) free_through(*owner.get(), blocks[i]);
}

TEST_CASE(
    "remote: a span that is left in the same moment in which it is freed is not lost [remote.2] (litmus: leave_full)") {
  const span_class c = span_class::scan(class_for(131072));
  REQUIRE(info(c).slots <= 8);
  test_processor owner;
  std::atomic<void*> mail{nullptr};
  std::atomic<bool> done{false};
  std::thread sender([&] {
    for (unsigned delay = 0; !done;) {
      void* block = mail;
      if (block == nullptr) continue;
      delay = (delay + 7) % 1000;
      for (unsigned i = 0; i < delay; ++i) std::atomic_signal_fence(std::memory_order_seq_cst);
      send(span_at(block), slot_at(block).word(), slot_at(block).bit());
      mail = nullptr;
    }
  });
  std::size_t lost = 0;
  // The moment is some nanoseconds long: it takes many tries.
  for (const std::uint64_t end = os::now() + 3'000'000'000; lost == 0 && os::now() < end;) {
    std::vector<void*> blocks = whole_span(*owner.get(), c);
    const mspan* s = span_at(blocks[0]);
    mail = blocks.back();
    blocks.back() = allocate_through(*owner.get(), c);  // finds the span full, or nearly so
    while (mail != nullptr) continue;
    owner->attend();
    lost += s->has_remote() && span_owner::is_at_home(s->owner.load());
    for (void* block : blocks) free_through(*owner.get(), block);
    owner->flush();
  }
  done = true;
  sender.join();
  CHECK(lost == 0);
}

}  // namespace umber::testing

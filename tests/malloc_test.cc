#include "alloc/malloc.h"

#include "alloc/private_heap.h"
#include "testing.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <mutex>
#include <thread>

namespace umber::testing {
namespace {

// A block and what was written into it.
struct block {
  unsigned char* p = nullptr;
  std::size_t n = 0;
  unsigned char mark = 0;

  void write() const {
    if (n <= 256) {
      std::memset(p, mark, n);
    } else {
      std::memset(p, mark, 128);
      std::memset(p + n - 128, mark, 128);
      for (std::size_t i = 128; i < n; i += 1024) p[i] = mark;
    }
  }
  bool holds(std::size_t bytes) const {
    const auto is_mark = [this](unsigned char c) { return c == mark; };
    if (!std::all_of(p, p + std::min<std::size_t>(bytes, n <= 256 ? bytes : 128), is_mark)) return false;
    for (std::size_t i = 128; n > 256 && i < bytes; i += 1024)
      if (p[i] != mark) return false;
    return n <= 256 || bytes < n || std::all_of(p + n - 128, p + n, is_mark);
  }
};

bool is_zero(const unsigned char* p, std::size_t n) {
  if (n > mib) return is_zero(p, 4 * kib) && is_zero(p + n - 4 * kib, 4 * kib);
  return std::all_of(p, p + n, [](unsigned char c) { return c == 0; });
}

// Random operations against a shadow of what is allocated. It throws no exception and checks by value, so that threads
// may run it: the first fault is kept as text.
class shadow {
 public:
  explicit shadow(std::uint64_t seed) : random_(seed) {}
  ~shadow() {
    for (auto& [address, b] : live_) deallocate(b.p);
  }
  const std::string& fault() const { return fault_; }

  void step() {
    if (!fault_.empty()) return;
    const std::size_t kind = below(live_.size() > 400 ? 16 : 12);
    if (live_.empty() || kind < 4) {
      const std::size_t n = size();
      return add(n, kind == 3 ? allocate_zeroed(n) : allocate(n), kind == 3, 16);
    }
    if (kind == 4) return add_aligned();
    if (kind < 7) return resize();
    remove();
  }
  // Takes any block out, for another thread to check and free.
  bool give(block& out) {
    if (live_.empty()) return false;
    out = live_.begin()->second;
    live_.erase(live_.begin());
    return true;
  }
  void check_and_free(const block& b) {
    if (!b.holds(b.n)) fail("a block of another thread has changed");
    deallocate(b.p);
  }

 private:
  std::size_t below(std::size_t n) { return random_() % n; }
  std::size_t size() {
    const std::size_t kind = below(100);
    if (kind < 70) return below(300);
    if (kind < 90) return below(5000);
    return kind < 99 ? below(200 * kib) : below(3 * mib);
  }
  void fail(const char* what) {
    if (fault_.empty()) fault_ = what;
  }
  std::map<std::uintptr_t, block>::iterator any() {
    auto place = live_.lower_bound(live_.begin()->first + below(live_.rbegin()->first - live_.begin()->first + 1));
    return place == live_.end() ? live_.begin() : place;
  }
  void enter(block b, std::size_t alignment) {
    const std::uintptr_t start = address_of(b.p);
    if (start % (b.n <= 8 && alignment <= 16 ? std::min<std::size_t>(alignment, 8) : alignment) != 0)
      fail("misaligned");
    if (usable_size(b.p) < b.n || !owns(b.p)) fail("usable size");
    const auto above = live_.lower_bound(start);
    if (above != live_.end() && above->first < start + std::max<std::size_t>(b.n, 1)) fail("overlaps the next");
    if (above != live_.begin() &&
        std::prev(above)->first + std::max<std::size_t>(std::prev(above)->second.n, 1) > start)
      fail("overlaps the previous");
    b.mark = static_cast<unsigned char>(1 + below(255));
    b.write();
    live_[start] = b;
  }
  void add(std::size_t n, void* block, bool zeroed, std::size_t alignment) {
    auto* p = static_cast<unsigned char*>(block);
    if (p == nullptr) return fail("no memory");
    if (zeroed && !is_zero(p, n)) return fail("calloc is not zero");
    enter({p, n, 0}, alignment);
  }
  void add_aligned() {
    const std::size_t alignment = std::size_t{1} << below(below(20) == 0 ? 22 : 13);
    const std::size_t n = size();
    add(n, allocate_aligned(alignment, n), false, alignment);
  }
  void resize() {
    const auto place = any();
    block b = place->second;
    live_.erase(place);
    const std::size_t before = b.n;
    const std::size_t wanted = below(3) == 0 ? before + before / 4 : size();
    auto* p = static_cast<unsigned char*>(reallocate(b.p, wanted));
    if (p == nullptr) return fail("no memory to resize");
    b.p = p;
    if (!b.holds(std::min(before, wanted))) return fail("resizing lost the contents");
    enter({p, wanted, 0}, 8);
  }
  void remove() {
    const auto place = any();
    const block b = place->second;
    live_.erase(place);
    if (!b.holds(b.n)) fail("a block has changed");
    below(2) == 0 ? deallocate(b.p) : deallocate_resized(b.p, usable_size(b.p));
  }

  std::mt19937_64 random_;
  std::map<std::uintptr_t, block> live_;
  std::string fault_;
};

}  // namespace

TEST_CASE("malloc: random operations agree with a shadow of the heap [malloc.1] [malloc.2]") {
  const std::uint64_t seed = new_seed();
  INFO("seed " << seed);
  shadow s(seed);
  for (int i = 0; i < 60'000; ++i) s.step();
  CHECK(s.fault() == "");
}

TEST_CASE("malloc: the same on four threads that free each other's blocks [malloc.1] [malloc.2]") {
  const std::uint64_t seed = new_seed();
  INFO("seed " << seed);
  std::mutex lock;
  std::vector<block> mail;
  std::vector<std::string> faults(4);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < faults.size(); ++t)
    threads.emplace_back([&, t] {
      shadow s(seed + t);
      for (int i = 0; i < 15'000; ++i) {
        s.step();
        if (i % 3 != 0) continue;
        block out, in;
        {
          const std::lock_guard guard(lock);
          if (mail.size() > 100) std::swap(in, mail[static_cast<std::size_t>(i) % mail.size()]);
          if (in.p != nullptr) std::swap(mail[static_cast<std::size_t>(i) % mail.size()], mail.back()), mail.pop_back();
          if (s.give(out)) mail.push_back(out);
        }
        if (in.p != nullptr) s.check_and_free(in);
      }
      faults[t] = s.fault();
    });
  for (std::thread& t : threads) t.join();
  shadow rest(seed);
  for (const block& b : mail) rest.check_and_free(b);
  for (const std::string& fault : faults) CHECK(fault == "");
  CHECK(rest.fault() == "");
}

TEST_CASE("malloc: success leaves errno alone, failure says ENOMEM [malloc.3]") {
  for (const std::size_t n : {std::size_t{1}, std::size_t{5000}, 2 * mib, 70 * mib}) {
    errno = 77;
    void* p = allocate(n);
    p = reallocate(p, 2 * n);
    deallocate(p);
    deallocate(allocate_zeroed(n));
    deallocate(allocate_aligned(4096, n));
    static_cast<void>(release_memory());
    CHECK(errno == 77);
  }
  volatile std::size_t too_much = SIZE_MAX - 5;
  void* small = allocate(10);
  for (int kind = 0; kind < 4; ++kind) {
    errno = 0;
    void* p = kind == 0   ? allocate(too_much)
              : kind == 1 ? allocate_zeroed(too_much)
              : kind == 2 ? allocate_aligned(64, too_much)
                          : reallocate(small, too_much);
    CHECK(p == nullptr);
    CHECK(errno == ENOMEM);
  }
  deallocate(small);
}

namespace {

// One of everything. True if nothing failed; what did fail said so properly.
bool try_everything(private_heap* own) {
  bool fine = true;
  const auto got = [&](void* p) {
    if (p == nullptr && errno != ENOMEM) FAIL("null without ENOMEM");
    fine = fine && p != nullptr;
    errno = 0;
    return p;
  };
  errno = 0;
  std::vector<void*> blocks;
  for (const std::size_t n : {std::size_t{24}, std::size_t{900}, 9 * kib, 100 * kib, 300 * kib, 3 * mib, 65 * mib}) {
    blocks.push_back(got(allocate(n)));
    blocks.push_back(got(allocate_zeroed(n)));
    if (blocks.back() != nullptr) CHECK(is_zero(static_cast<unsigned char*>(blocks.back()), n));
    blocks.push_back(got(allocate_aligned(1024, n)));
    void* before = blocks.front();
    if (before != nullptr) std::memset(before, 0x5a, 24);
    void* p = got(reallocate(before, n));
    if (p != nullptr) blocks.front() = p;
    if (blocks.front() != nullptr && before != nullptr) CHECK(*static_cast<char*>(blocks.front()) == 0x5a);
    if (own == nullptr) continue;
    void* in_own = allocate_in(own, n, 16);
    fine = fine && in_own != nullptr;
    if (in_own != nullptr) std::memset(in_own, 1, std::min(n, mib));
  }
  for (void* block : blocks) deallocate(block);
  return fine;
}

}  // namespace

TEST_CASE("malloc: wherever the system fails, the answer is null, nothing breaks, and later it works again") {
  std::size_t failed = 0;
  for (std::size_t first = 0; first < 25; ++first) {
    bool fine = false;
    const auto each = [&](std::size_t failures) {
      private_heap* own = create_private_heap();
      {
        const failing_system broken(first, failures);
        fine = try_everything(own);
        failed += broken.happened();
      }
      if (own != nullptr) destroy_private_heap(own);
      release_memory();
    };
    each(1);
    each(SIZE_MAX);
    CHECK(try_everything(nullptr));
  }
  CHECK(failed >= 3);
  private_heap* own = create_private_heap();
  CHECK(try_everything(own));
  destroy_private_heap(own);
}

TEST_CASE("malloc: what fails takes no address space") {
  for (std::size_t first = 0; first < 5; ++first) {
    const page_count known = heap.figures().known;
    const failing_system broken(first);
    void* p = allocate(known.bytes() + 64 * mib);
    if (p == nullptr) CHECK(heap.figures().known == known);
    deallocate(p);
  }
}

namespace {

void expect_line(const ending& end, const char* what) {
  INFO(end.output);
  CHECK(end.aborted());
  CHECK(end.lines() == 1);
  CHECK(end.says(what));
}

}  // namespace

TEST_CASE("malloc: every misuse ends in one line that names it, and abort") {
  for (const std::size_t n : {1U, 8U, 48U, 1024U, 3000U, 100'000U, 131072U}) {
    INFO("block of " << n);
    char* p = static_cast<char*>(allocate(n));
    char* q = static_cast<char*>(allocate(n));
    expect_line(death_of([&] { deallocate(p), deallocate(p); }), "was already freed");
    expect_line(death_of([&] { deallocate(p), deallocate(q), deallocate(p); }), "was already freed");
    expect_line(death_of([&] { deallocate(p), static_cast<void>(reallocate(p, 2 * n)); }), "was already freed");
    expect_line(death_of([&] { deallocate(p), static_cast<void>(usable_size(p)); }), "was already freed");
    expect_line(death_of([&] { deallocate(p + 4); }), "points into an object");
    if (n > 16) expect_line(death_of([&] { deallocate(p + 16); }), "points into an object");
    expect_line(death_of([&] { deallocate_sized(p, n * 3 + 16); }), "was allocated with another size");
    expect_line(death_of([&] { deallocate(p), std::thread([&] { deallocate(p); }).join(); }), "was already freed");
    expect_line(death_of([&] { std::thread([&] { deallocate(p); }).join(), deallocate(p), release_memory(); }),
                "was already freed");
    deallocate(p);
    deallocate(q);
  }
  char* large = static_cast<char*>(allocate(mib));
  expect_line(death_of([&] { deallocate(large), deallocate(large); }), "was already freed");
  expect_line(death_of([&] { deallocate(large + 16); }), "points into an object");
  expect_line(death_of([&] { deallocate(large + 64 * kib); }), "umber: free(): 0x");
  expect_line(death_of([&] { deallocate_sized(large, 10 * mib); }), "was allocated with another size");
  deallocate(large);
  int local = 0;
  expect_line(death_of([&] { deallocate(&local); }), "was not allocated by this heap");
  for (const std::uintptr_t wild : {std::uintptr_t{16}, std::uintptr_t{0xdead'beef'dead'beef}, ~std::uintptr_t{0}})
    expect_line(death_of([&] { deallocate(pointer_to(wild)); }), "was not allocated by this heap");
}

TEST_CASE("malloc: a sized free of a large block with a small size is reported too") {
  char* large = static_cast<char*>(allocate(mib));
  expect_line(death_of([&] { deallocate_sized(large, 100); }), "was allocated with another size");
  deallocate(large);
}

TEST_CASE("malloc: an address before the first slot of a span is no block, whatever the class") {
  for (std::size_t n = 1; n <= max_small_size; n += n / 2 + 1) {
    void* p = allocate(n);
    const mspan* s = span_at(p);
    const std::uintptr_t start = window.address(s->run.first);
    if (s->base - start >= 16) {
      expect_line(death_of([&] { deallocate(pointer_to(start)); }), "points into an object");
      expect_line(death_of([&] { deallocate(pointer_to(s->base - 8)); }), "points into an object");
    }
    deallocate(p);
  }
}

TEST_CASE("malloc: two threads that free one block at the same time are reported") {
  int reported = 0;
  for (int round = 0; round < 10; ++round) {
    const ending end = death_of([] {
      for (int i = 0; i < 64; ++i) deallocate(allocate(64));
      void* p = allocate(64);
      std::atomic<int> ready{0};
      const auto free_it = [&] {
        void* first = allocate(64);
        ++ready;
        while (ready != 2) std::this_thread::yield();
        deallocate(p);
        deallocate(first);
      };
      std::thread a(free_it), b(free_it);
      a.join();
      b.join();
      deallocate(allocate(64));
      this_thread.mine()->flush();
      processors::flush_shared();
    });
    reported += end.aborted() && end.says("was already freed (64-byte object)") && end.lines() >= 1;
  }
  CHECK(reported == 10);
}

TEST_CASE("malloc: memory released by hand is no longer resident") {
  const std::size_t before = os::resident_bytes();
  std::vector<void*> blocks;
  for (std::size_t i = 0; i < 60'000; ++i) blocks.push_back(std::memset(allocate(1000), 1, 1000));
  for (int i = 0; i < 20; ++i) blocks.push_back(std::memset(allocate(mib), 1, mib));
  REQUIRE(os::resident_bytes() > before + 70 * mib);
  for (void* block : blocks) deallocate(block);
  CHECK(release_memory() > 0);
  if (resident_bytes_tell) CHECK(os::resident_bytes() < before + 12 * mib);
}

TEST_CASE("malloc: pages inside half-free spans go back, the survivors keep their contents [trim.1]") {
  std::vector<block> survivors;
  std::vector<void*> others;
  for (std::size_t i = 0; i < 100'000; ++i) {
    const block b{static_cast<unsigned char*>(allocate(600)), 600, static_cast<unsigned char>(1 + i % 255)};
    b.write();
    i % 200 == 0 ? survivors.push_back(b) : others.push_back(b.p);
  }
  const std::size_t full = os::resident_bytes();
  for (void* block : others) deallocate(block);
  release_memory();
  CHECK(os::resident_bytes() + 40 * mib < full);
  for (const block& b : survivors) {
    CHECK(b.holds(600));
    deallocate(b.p);
  }
}

TEST_CASE("malloc: the soft limit keeps free memory small, and never refuses") {
  std::vector<void*> blocks;
  release_memory();
  CHECK(set_memory_limit(64 * mib) == SIZE_MAX);
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 40; ++i)
      blocks.push_back(std::memset(allocate(mib + 512 * kib * static_cast<std::size_t>(round)), 1, mib));
    for (void* block : blocks) deallocate(block);
    blocks.clear();
  }
  const page_figures f = heap.figures();
  CHECK((f.known - f.free + f.unscavenged).bytes() <= 110 * mib);
  void* more = allocate(200 * mib);
  CHECK(more != nullptr);
  deallocate(more);
  CHECK(set_memory_limit(SIZE_MAX) == 64 * mib);
}

TEST_CASE("malloc: what a request gets is what good_size says, and zero bytes are a block of their own") {
  for (std::size_t n = 0; n < 3 * mib; n = n * 5 / 4 + 1) {
    void* p = allocate(n);
    CHECK(usable_size(p) == good_size(n));
    CHECK(good_size(n) >= n);
    deallocate_sized(p, n);
  }
  void* a = allocate(0);
  void* b = allocate(0);
  CHECK((a != nullptr && b != nullptr && a != b));
  deallocate(a);
  b = reallocate(b, 0);
  CHECK(b != nullptr);
  deallocate(b);
  deallocate(nullptr);
  CHECK(usable_size(nullptr) == 0);
}

}  // namespace umber::testing

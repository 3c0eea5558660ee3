#include "alloc/arena.h"

#include "alloc/mspan.h"
#include "alloc/options.h"
#include "testing.h"

#include <fstream>
#include <thread>

namespace umber::testing {
namespace {

// The window as it is before a process's first allocation, and again afterwards.
struct test_window : heap_window {
  test_window() { reset(); }
  ~test_window() {
#if !defined(__SANITIZE_THREAD__)
    // Not there: its runtime loses what it knows of atomics in memory that goes back and comes again, now and then, and
    // crashes. The next window then lies elsewhere.
    if (capacity != 0) os::unmap(index, base - address_of(index) + capacity * page_size);
#endif
    reset();
  }
  static void reset() {
    base = capacity = committed = indexed = 0;
    index = nullptr;
    pages = 0;
  }
  std::size_t known() const { return pages.load(std::memory_order_relaxed); }
};

constexpr page_count chunk{512};

bool all_lead_nowhere(const test_window& w, mspan* nowhere) {
  for (std::size_t page = 0; page < w.known(); ++page)
    if (w.span_of({page}) != nowhere) return false;
  return true;
}

// Whether the kernel has the wish for huge pages noted for the mapping at `address`.
bool wishes_huge_pages(std::uintptr_t address) {
  std::ifstream maps("/proc/self/smaps");
  bool here = false;
  for (std::string line; std::getline(maps, line);) {
    unsigned long first = 0;
    unsigned long end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &first, &end) == 2) here = first <= address && address < end;
    if (here && line.rfind("VmFlags:", 0) == 0) return (line + " ").find(" hg ") != std::string::npos;
  }
  return false;
}

}  // namespace

TEST_CASE("arena: no huge pages are wished any more where memory has gone back [arena.3]") {
  if (os::huge_page_mode() == os::huge_pages::never) SKIP("the system has no huge pages");
  char wish[] = "UMBER_OPTIONS=thp=dense";
  char none[] = "UMBER_OPTIONS=";
  char* dense[] = {wish, nullptr};
  char* usual[] = {none, nullptr};
  test_window w;
  REQUIRE(w.start());
  const page_run run = w.grow({2 * pages_per_arena}, &no_span);
  REQUIRE_FALSE(run.empty());
  read_options(dense);
  w.pack(run);
  read_options(usual);
  const std::uintptr_t second = w.address({pages_per_arena});
  CHECK(wishes_huge_pages(w.base));
  CHECK(wishes_huge_pages(second));
  const os::range given{pointer_to(second + 4 * mib), 64 * kib};
  REQUIRE(w.release(&given, 1));
  CHECK(wishes_huge_pages(w.base));
  CHECK_FALSE(wishes_huge_pages(second));
}

TEST_CASE("arena: what the window knows is ready and leads to no span [arena.1] [arena.2]") {
  test_window w;
  REQUIRE(w.start());
  CHECK(w.base % arena_size == 0);
  CHECK(w.known() == 0);
  CHECK_FALSE(w.contains(w.base));
  std::size_t before = 0;
  for (const std::size_t n : {std::size_t{512}, std::size_t{1}, 3 * pages_per_arena, std::size_t{511}}) {
    const page_run run = w.grow({n}, &no_span);
    REQUIRE(run == page_run{{before}, {n}});
    before += n;
    CHECK(w.known() == before);
    *pointer_to<char>(w.address(run.first)) = 1;
    *pointer_to<char>(w.address(run.end()) - 1) = 1;
  }
  CHECK(all_lead_nowhere(w, &no_span));
}

TEST_CASE("arena: only addresses of known pages are inside, non-canonical ones are not") {
  test_window w;
  REQUIRE(w.start());
  REQUIRE_FALSE(w.grow(chunk, &no_span).empty());
  CHECK(w.contains(w.base));
  CHECK(w.contains(w.address({chunk.value}) - 1));
  CHECK_FALSE(w.contains(w.address({chunk.value})));
  CHECK_FALSE(w.contains(w.base - 1));
  for (const std::uintptr_t wild : {std::uintptr_t{0}, std::uintptr_t{1}, ~std::uintptr_t{0},
                                    std::uintptr_t{0xdead'beef'dead'beef}, std::uintptr_t{1} << 63})
    CHECK_FALSE(w.contains(wild));
  CHECK(w.page_of(w.address({7}) + page_size - 1) == page_id{7});
}

TEST_CASE("arena: a page leads to the span that was set, its neighbours do not") {
  test_window w;
  REQUIRE(w.start());
  REQUIRE_FALSE(w.grow(chunk, &no_span).empty());
  mspan s;
  w.set_span({{3}, {2}}, &s);
  CHECK(w.span_of({2}) == &no_span);
  CHECK(w.span_of({3}) == &s);
  CHECK(w.span_of({4}) == &s);
  CHECK(w.span_of({5}) == &no_span);
}

TEST_CASE("arena: a window that is exhausted says so and stays as it is [arena.2]") {
  test_window w;
  REQUIRE(w.start());
  REQUIRE_FALSE(w.grow(chunk, &no_span).empty());
  CHECK(w.grow({w.capacity}, &no_span).empty());
  CHECK(w.known() == chunk.value);
  CHECK_FALSE(w.grow(chunk, &no_span).empty());
}

TEST_CASE("arena: a failing system leaves the window as it was, at whichever call it fails [arena.2]") {
  for (std::size_t first = 0;; ++first) {
    test_window w;
    failing_system broken(first, 1);
    bool started = w.start();
    const bool grown = started && !w.grow(chunk, &no_span).empty();
    const bool failed = broken.happened();
    if (!started) REQUIRE(w.start());
    if (!grown) {
      CHECK(w.known() == 0);
      os::inject_failure(0, 0);
      REQUIRE(w.grow(chunk, &no_span) == page_run{{0}, chunk});
    }
    CHECK(all_lead_nowhere(w, &no_span));
    *pointer_to<char>(w.base) = 1;
    if (!failed) break;
  }
}

TEST_CASE("arena: readers of a growing window see only pages that lead somewhere [arena.1]") {
  test_window w;
  REQUIRE(w.start());
  std::atomic<bool> done{false};
  std::atomic<std::size_t> nulls{0}, seen{0};
  std::thread reader([&] {
    while (!done) {
      const std::size_t known = w.pages.load(std::memory_order_acquire);
      for (std::size_t page = known > 600 ? known - 600 : 0; page < known; ++page)
        nulls += w.span_of({page}) == nullptr;
      seen += known != 0;
    }
  });
  for (int i = 0; i < 200; ++i) REQUIRE_FALSE(w.grow(chunk, &no_span).empty());
  while (seen == 0) std::this_thread::yield();
  done = true;
  reader.join();
  CHECK(nulls == 0);
}

}  // namespace umber::testing

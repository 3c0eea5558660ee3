// The page allocator against a model that keeps one byte for each page and searches it from the front.
#include "alloc/page_alloc.h"

#include "alloc/os.h"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <chrono>
#include <random>
#include <string>
#include <vector>

namespace umber::alloc {
namespace {

constexpr std::size_t per_chunk = page_alloc::chunk_pages.value;

struct heap : page_alloc {
  explicit heap(std::size_t chunks) { REQUIRE(init({chunks * per_chunk})); }
  ~heap() { destroy(); }
};

using sizes = std::initializer_list<std::size_t>;

page_run pages(std::size_t first, std::size_t count) { return {{first}, {count}}; }

// What the pages are, in the plainest words.
class model {
 public:
  enum state : char { not_ours, used, dirty, clean };

  void grow(page_run run) {
    pages_.resize(run.end().value, not_ours);
    fill(run, clean);
  }
  bool fits(std::size_t first, std::size_t n) const {
    if (first + n > pages_.size()) return false;
    return std::all_of(at(first), at(first + n), [](char page) { return page == dirty || page == clean; });
  }
  // The lowest run; SIZE_MAX if there is none.
  std::size_t lowest(std::size_t n, std::size_t alignment) const {
    std::size_t run = 0;
    for (std::size_t i = 0; i < pages_.size(); ++i) {
      run = pages_[i] >= dirty ? run + 1 : 0;
      if (run >= n && (i + 1 - n) % alignment == 0) return i + 1 - n;
    }
    return SIZE_MAX;
  }
  std::size_t longest() const {
    std::size_t run = 0, best = 0;
    for (const char page : pages_) best = std::max(best, run = page >= dirty ? run + 1 : 0);
    return best;
  }
  std::size_t take(page_run run) {
    const auto zeroed = std::count(at(run.first.value), at(run.end().value), clean);
    fill(run, used);
    return static_cast<std::size_t>(zeroed);
  }
  void fill(page_run run, state s) { std::fill(at(run.first.value), at(run.end().value), s); }
  // The upper end of the highest run of dirty pages within a chunk.
  page_run highest_dirty(std::size_t max, std::size_t min_run) const {
    std::size_t run = 0;
    for (std::size_t i = pages_.size(); i-- > 0;) {
      run = pages_[i] == dirty ? run + 1 : 0;
      const bool ends = i % per_chunk == 0 || pages_[i - 1] != dirty;
      if (run >= min_run && ends) {
        const std::size_t n = std::min(run, max);
        return pages(i + run - n, n);
      }
      if (ends) run = 0;
    }
    return {};
  }
  // The lowest clean pages in a row within 64.
  page_run lowest_clean(std::size_t max) const {
    std::size_t first = 0, n = 0;
    while (first < pages_.size() && pages_[first] != clean) ++first;
    if (first == pages_.size()) return {};
    while (n < max && n < 64 - first % 64 && pages_[first + n] == clean) ++n;
    return pages(first, n);
  }
  std::size_t count(state s) const { return static_cast<std::size_t>(std::count(pages_.begin(), pages_.end(), s)); }
  char state_of(std::size_t page) const { return pages_[page]; }
  std::size_t size() const { return pages_.size(); }

 private:
  std::vector<char>::iterator at(std::size_t i) { return pages_.begin() + static_cast<std::ptrdiff_t>(i); }
  std::vector<char>::const_iterator at(std::size_t i) const { return pages_.begin() + static_cast<std::ptrdiff_t>(i); }
  std::vector<char> pages_;
};

// One allocator and its model, and what random operations hold of them.
class pair_of_heaps {
 public:
  pair_of_heaps(std::size_t chunks, std::uint64_t seed) : capacity_(chunks), real_(chunks), random_(seed) {}

  void step() {
    switch (below(13)) {
      case 0:
        return grow();
      case 1:
      case 2:
      case 3:
        return allocate(1);
      case 4:
        return allocate(std::size_t{1} << below(11));
      case 5:
        return allocate_in_place();
      case 6:
      case 7:
        return free_all_or_part();
      case 8:
        return take_cache();
      case 9:
        return use_cache();
      case 10:
        return claim();
      case 11:
        return claim_scavenged();
      default:
        return end_claim();
    }
  }

  void compare() {
    REQUIRE(real_.valid());
    REQUIRE(real_.free_pages().value == model_.count(model::dirty) + model_.count(model::clean));
    REQUIRE(real_.free_unscavenged_pages().value == model_.count(model::dirty));
    REQUIRE(real_.largest_free_run().value == model_.longest());
    REQUIRE(real_.end().value == model_.size());
  }

 private:
  std::size_t below(std::size_t n) { return random_() % n; }
  // Sizes around the edges of words, chunks and nodes, and small ones.
  std::size_t size() {
    const std::size_t edges[] = {1, 2, 63, 64, 65, 127, 128, 129, 511, 512, 513, 1023, 1024, 1025, 4095, 4096, 4097};
    const std::size_t kind = below(8);
    if (kind < 5) return 1 + below(8);
    return kind < 7 ? 1 + below(200) : edges[below(std::size(edges))];
  }

  void grow() {
    const std::size_t left = capacity_ - model_.size() / per_chunk;
    if (left == 0 || below(4) != 0) return;
    const std::size_t gap = below(4) == 0 ? below(left) : 0;
    const page_run fresh =
        pages(model_.size() + gap * per_chunk, (1 + below(std::min<std::size_t>(left - gap, 20))) * per_chunk);
    REQUIRE(real_.grow(fresh));
    model_.grow(fresh);
  }
  void allocate(std::size_t alignment) {
    const std::size_t n = size();
    const std::size_t expected = model_.lowest(n, alignment);
    const auto got = real_.allocate({n}, {alignment});
    REQUIRE(got.run.empty() == (expected == SIZE_MAX));
    if (got.run.empty()) return;
    REQUIRE(got.run.count.value == n);
    REQUIRE(got.run.first.value % alignment == 0);
    REQUIRE(model_.fits(got.run.first.value, n));
    REQUIRE((alignment != 1 || got.run.first.value == expected));
    REQUIRE(got.scavenged.value == model_.take(got.run));
    live_.push_back(got.run);
  }
  void allocate_in_place() {
    page_run wanted = pages(below(model_.size() + 1000), size());
    if (!live_.empty() && below(2) == 0) wanted.first = live_[below(live_.size())].end();
    page_count scavenged;
    const bool fits = model_.fits(wanted.first.value, wanted.count.value);
    REQUIRE(real_.allocate_at(wanted, scavenged) == fits);
    if (!fits) return;
    REQUIRE(scavenged.value == model_.take(wanted));
    live_.push_back(wanted);
  }
  void free_all_or_part() {
    // Now and then nearly everything, so that long runs form.
    std::size_t times = below(50) == 0 ? live_.size() : 1;
    for (; times != 0 && !live_.empty(); --times) {
      std::swap(live_[below(live_.size())], live_.back());
      page_run run = live_.back();
      live_.pop_back();
      if (run.count.value > 1 && below(4) == 0) {
        const std::size_t kept = 1 + below(run.count.value - 1);
        live_.push_back({run.first, {kept}});
        run = pages(run.first.value + kept, run.count.value - kept);
      }
      real_.free(run);
      model_.fill(run, model::dirty);
    }
  }
  void take_cache() {
    const page_cache cache = real_.allocate_cache();
    const std::size_t lowest = model_.lowest(1, 1);
    REQUIRE(cache.empty() == (lowest == SIZE_MAX));
    if (cache.empty()) return;
    REQUIRE(cache.base.value == round_down(lowest, 64));
    for (std::size_t i = 0; i < 64; ++i) {
      const char expected = model_.state_of(cache.base.value + i);
      REQUIRE((cache.free >> i & 1) == (expected >= model::dirty));
      REQUIRE((cache.scavenged >> i & 1) == (expected == model::clean));
      if (expected >= model::dirty) model_.fill(pages(cache.base.value + i, 1), model::used);
    }
    caches_.push_back(cache);
  }
  void use_cache() {
    if (caches_.empty()) return;
    page_cache& cache = caches_.back();
    for (std::size_t times = below(6); times != 0; --times) {
      const auto got = cache.allocate({1 + below(5)});
      if (!got.run.empty()) live_.push_back(got.run);
    }
    if (below(3) == 0) return;
    real_.free_cache(cache);
    for (std::size_t i = 0; i < 64; ++i)
      if (cache.free >> i & 1)
        model_.fill(pages(cache.base.value + i, 1), cache.scavenged >> i & 1 ? model::clean : model::dirty);
    caches_.pop_back();
  }
  void claim() {
    const std::size_t max = 1 + below(600), min_run = 1 + below(2) * below(100);
    const page_run expected = model_.highest_dirty(max, min_run);
    const page_run got = real_.find_scavengeable({max}, {min_run});
    REQUIRE(got.empty() == expected.empty());
    if (got.empty()) return;
    REQUIRE(got == expected);
    model_.fill(got, model::used);
    claimed_.push_back(got);
  }
  void claim_scavenged() {
    const std::size_t max = below(70);
    const page_run expected = max == 0 ? page_run{} : model_.lowest_clean(max);
    const page_run got = real_.find_scavenged({max});
    REQUIRE(got.empty() == expected.empty());
    if (got.empty()) return;
    REQUIRE(got == expected);
    model_.fill(got, model::used);
    claimed_.push_back(got);
  }
  void end_claim() {
    if (claimed_.empty()) return;
    const bool released = below(3) != 0;
    real_.give_back_scavenged(claimed_.back(), released);
    model_.fill(claimed_.back(), released ? model::clean : model::dirty);
    claimed_.pop_back();
  }

  const std::size_t capacity_;
  heap real_;
  model model_;
  std::vector<page_run> live_, claimed_;
  std::vector<page_cache> caches_;
  std::mt19937_64 random_;
};

}  // namespace

TEST_CASE("page_alloc: random operations agree with the model [page_alloc.1] [page_alloc.3] [page_alloc.5]") {
  for (const std::size_t chunks : sizes{1, 7, 8, 9, 64, 65, 140}) {
    const std::uint64_t seed = std::random_device{}();
    INFO("chunks " << chunks << ", seed " << seed);
    pair_of_heaps both(chunks, seed);
    const int steps = chunks < 10 ? 30'000 : 5000;
    for (int i = 0; i < steps; ++i) {
      both.step();
      if (i % 16 == 0) both.compare();
    }
    both.compare();
  }
}

TEST_CASE("page_alloc: every run length across every chunk border is found where it lies [page_alloc.1]") {
  // One run of n pages begins at `first`; n must be found exactly there, and n + 1 not at all.
  for (const std::size_t border : sizes{1, 8, 16, 64, 72})
    for (const std::size_t before : sizes{0, 1, 63, 64, 511, 512, 513, 4096})
      for (const std::size_t after : sizes{0, 1, 63, 64, 511, 512, 513, 4096}) {
        if (before + after == 0 || before > border * per_chunk) continue;
        heap h(90);
        REQUIRE(h.grow(pages(0, 90 * per_chunk)));
        REQUIRE(h.allocate({90 * per_chunk}).run == pages(0, 90 * per_chunk));
        const page_run hole = pages(border * per_chunk - before, before + after);
        h.free(hole);
        INFO("border " << border << " before " << before << " after " << after);
        REQUIRE(h.largest_free_run() == hole.count);
        REQUIRE(h.allocate(hole.count + page_count{1}).run.empty());
        REQUIRE(h.allocate(hole.count).run == hole);
        REQUIRE(h.free_pages().value == 0);
        REQUIRE(h.valid());
      }
}

TEST_CASE("page_alloc: fresh pages read as zero until they are first used [page_alloc.3]") {
  heap h(4);
  REQUIRE(h.grow(pages(0, 2 * per_chunk)));
  REQUIRE(h.free_unscavenged_pages().value == 0);
  const auto fresh = h.allocate({100});
  REQUIRE(fresh.scavenged.value == 100);
  h.free(fresh.run);
  REQUIRE(h.free_unscavenged_pages().value == 100);
  const auto mixed = h.allocate({150});
  REQUIRE(mixed.run.first.value == 0);
  REQUIRE(mixed.scavenged.value == 50);
}

TEST_CASE("page_alloc: the search hint never hides a page that became free [page_alloc.2]") {
  heap h(16);
  REQUIRE(h.grow(pages(0, 16 * per_chunk)));
  REQUIRE(h.allocate({16 * per_chunk}).run.first.value == 0);
  for (const std::size_t page : sizes{8191, 4096, 4095, 512, 511, 64, 63, 0}) {
    h.free(pages(page, 1));
    REQUIRE(h.valid());
    REQUIRE(h.allocate({1}).run == pages(page, 1));
  }
}

TEST_CASE("page_alloc: counters are exact through claims and caches [page_alloc.4]") {
  heap h(2);
  REQUIRE(h.grow(pages(0, 2 * per_chunk)));
  h.free(h.allocate({per_chunk}).run);
  const page_cache cache = h.allocate_cache();
  REQUIRE(cache.free == ~std::uint64_t{0});
  REQUIRE(h.free_unscavenged_pages().value == per_chunk - 64);
  const page_run claimed = h.find_scavengeable({16}, {1});
  REQUIRE(claimed == pages(per_chunk - 16, 16));
  REQUIRE(h.free_pages().value == 2 * per_chunk - 64 - 16);
  h.give_back_scavenged(claimed, true);
  h.free_cache(cache);
  REQUIRE(h.free_pages().value == 2 * per_chunk);
  REQUIRE(h.free_unscavenged_pages().value == per_chunk - 16);
  REQUIRE(h.valid());
}

TEST_CASE("page_alloc: scavenging takes everything from the top down, and then finds nothing [page_alloc.3]") {
  heap h(20);
  REQUIRE(h.grow(pages(0, 20 * per_chunk)));
  h.free(h.allocate({20 * per_chunk}).run);
  std::size_t last = SIZE_MAX;
  for (;;) {
    const page_run run = h.find_scavengeable({200}, {1});
    if (run.empty()) break;
    REQUIRE(run.first.value < last);
    last = run.first.value;
    h.give_back_scavenged(run, true);
  }
  REQUIRE(last == 0);
  REQUIRE(h.free_unscavenged_pages().value == 0);
  REQUIRE(h.allocate({20 * per_chunk}).scavenged.value == 20 * per_chunk);
}

TEST_CASE("page_alloc: a failing system changes nothing, at whichever call it fails [page_alloc.6]") {
  for (std::size_t calls = 0;; ++calls) {
    page_alloc h;
    os::inject_failure(calls, 1);
    const bool made = h.init({2000 * per_chunk});
    const bool grown = made && h.grow(pages(0, 1000 * per_chunk));
    const bool failed = os::injected_calls() > calls;
    os::inject_failure(0, 0);
    REQUIRE(failed == !grown);
    if (!made) REQUIRE(h.init({2000 * per_chunk}));
    REQUIRE(h.valid());
    if (!grown) {
      REQUIRE(h.end().value == 0);
      REQUIRE(h.free_pages().value == 0);
      REQUIRE(h.allocate({1}).run.empty());
      REQUIRE(h.allocate_cache().empty());
      REQUIRE(h.grow(pages(0, 1000 * per_chunk)));
    }
    REQUIRE(h.valid());
    REQUIRE(h.largest_free_run().value == 1000 * per_chunk);
    h.destroy();
    if (!failed) break;
  }
}

TEST_CASE("page_alloc: growing beyond the capacity fails and changes nothing [page_alloc.6]") {
  heap h(3);
  REQUIRE(h.grow(pages(0, per_chunk)));
  REQUIRE_FALSE(h.grow(pages(per_chunk, 3 * per_chunk)));
  REQUIRE(h.end().value == per_chunk);
  REQUIRE(h.grow(pages(2 * per_chunk, per_chunk)));
  REQUIRE(h.free_pages().value == 2 * per_chunk);
  REQUIRE(h.allocate({per_chunk + 1}).run.empty());
  REQUIRE(h.valid());
}

TEST_CASE("page_alloc: a heap that grows far away, several levels at once, keeps what it had [page_alloc.1]") {
  for (const std::size_t first : sizes{1, 8, 9, 63, 64, 65, 511, 512, 4095})
    for (const std::size_t far : sizes{1, 9, 65, 513, 4097, 32769}) {
      heap h(40'000);
      REQUIRE(h.grow(pages(0, first * per_chunk)));
      REQUIRE(h.grow(pages((first + far) * per_chunk, per_chunk)));
      INFO("first " << first << " far " << far);
      REQUIRE(h.valid());
      REQUIRE(h.largest_free_run().value == first * per_chunk);
      REQUIRE(h.allocate({first * per_chunk}).run.first.value == 0);
      REQUIRE(h.allocate({per_chunk}).run.first.value == (first + far) * per_chunk);
      REQUIRE(h.allocate({1}).run.empty());
    }
}

TEST_CASE("page_alloc: the metadata of a small heap is a few pages, of a large one a 28000th") {
  heap h(page_alloc::max_capacity.value / per_chunk);
  REQUIRE(h.metadata_bytes() == 0);
  REQUIRE(h.grow(pages(0, pages_per_arena)));
  REQUIRE(h.metadata_bytes() <= 256 * kib);
  REQUIRE(h.grow(pages(pages_per_arena, gib / page_size * 1024)));
  REQUIRE(h.metadata_bytes() <= gib / 28000 * 1024 + mib);
}

namespace {

// Nanoseconds for one free and one allocation of up to n pages, in a heap of that size with 100,000 spans alive (or as
// many as fill 60 % of it), at first spread over all of it.
double cost_of_allocation(std::size_t bytes, std::size_t n) {
  const std::size_t total = bytes / page_size;
  const std::size_t spans = std::min<std::size_t>(100'000, total * 12 / 10 / (n + 1)), spacing = total / spans;
  heap h(total / per_chunk);
  REQUIRE(h.grow(pages(0, total)));
  std::vector<page_run> live;
  page_count scavenged;
  for (std::size_t i = 0; i < spans; ++i) {
    live.push_back(pages(i * spacing, 1));
    REQUIRE(h.allocate_at(live.back(), scavenged));
  }
  std::mt19937_64 random(1);
  const int rounds = 200'000;
  int failures = 0;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < rounds; ++i) {
    page_run& victim = live[random() % spans];
    h.free(victim);
    victim = h.allocate({1 + random() % n}).run;
    failures += victim.empty();
  }
  const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - start;
  REQUIRE(failures == 0);
  REQUIRE(h.valid());
  return taken.count() / rounds;
}

}  // namespace

TEST_CASE("page_alloc: an allocation costs about the same in 1 TiB as in 1 GiB") {
  for (const std::size_t n : sizes{1, 8, 64}) {
    const double small = cost_of_allocation(gib, n);
    const double large = cost_of_allocation(1024 * gib, n);
    // Reported, not asserted: a loaded machine would make it a coin toss.
    WARN("runs of up to " << n << " pages: " << small << " ns in 1 GiB, " << large << " ns in 1 TiB, ratio "
                          << large / small);
  }
}

TEST_CASE("page_alloc: an idle scan of 1 TiB for memory to give back ends at the root") {
  heap h(1024 * gib / page_size / per_chunk);
  REQUIRE(h.grow(pages(0, 1024 * gib / page_size)));
  h.free(h.allocate({1}).run);
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 10'000; ++i) {
    const page_run run = h.find_scavengeable({64}, {1});
    REQUIRE(run == pages(0, 1));
    REQUIRE(h.find_scavengeable({64}, {1}).empty());
    h.give_back_scavenged(run, false);
  }
  const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - start;
  WARN("the only page of 1 TiB, found, claimed and given back: " << taken.count() / 10'000 << " ns");
}

}  // namespace umber::alloc

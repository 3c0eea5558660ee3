#include "alloc/metadata.h"

#include "alloc/os.h"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cstring>
#include <random>
#include <set>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>
#include <thread>

namespace umber::alloc {
namespace {

struct piece {
  unsigned char* start;
  std::size_t size;
};

bool is_zero(const piece& p) {
  return std::all_of(p.start, p.start + p.size, [](unsigned char byte) { return byte == 0; });
}

bool overlap(std::vector<piece> pieces) {
  std::sort(pieces.begin(), pieces.end(), [](const piece& a, const piece& b) { return a.start < b.start; });
  for (std::size_t i = 1; i < pieces.size(); ++i)
    if (pieces[i - 1].start + pieces[i - 1].size > pieces[i].start) return true;
  return false;
}

void take(std::vector<piece>& pieces, std::uint64_t seed, int how_many) {
  std::mt19937_64 random(seed);
  for (int i = 0; i < how_many; ++i) {
    const std::size_t alignment = std::size_t{1} << random() % 13;
    const std::size_t size = 1 + random() % (i % 10 == 0 ? 300 * kib : 2000);
    void* const p = metadata::allocate(size, alignment);
    if (p == nullptr || address_of(p) % alignment != 0) return pieces.push_back({nullptr, 1});
    pieces.push_back({static_cast<unsigned char*>(p), size});
    if (!is_zero(pieces.back())) return pieces.push_back({nullptr, 1});
    std::memset(p, 0xa5, size);
  }
}

struct odd {
  char bytes[100];
};
struct alignas(256) wide {
  char byte;
};

}  // namespace

TEST_CASE("metadata: memory is zero, aligned, and overlaps no other [metadata.1]") {
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  std::vector<piece> pieces;
  take(pieces, seed, 1000);
  REQUIRE(pieces.back().start != nullptr);
  REQUIRE_FALSE(overlap(pieces));
  REQUIRE(address_of(metadata::allocate(3, mib)) % mib == 0);
}

TEST_CASE("metadata: threads get different memory [metadata.1]") {
  std::vector<piece> pieces[4];
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < 4; ++i) threads.emplace_back([&, i] { take(pieces[i], i, 300); });
  for (std::thread& t : threads) t.join();
  std::vector<piece> all;
  for (const auto& some : pieces) {
    REQUIRE(some.back().start != nullptr);
    all.insert(all.end(), some.begin(), some.end());
  }
  REQUIRE_FALSE(overlap(all));
}

TEST_CASE("metadata: a failing system is a null pointer, and the next call works [metadata.2]") {
  for (const std::size_t size : {std::size_t{64}, 200 * kib, mib})
    for (std::size_t calls = 0; calls < 3; ++calls)
      for (int i = 0; i < 20; ++i) {
        const std::size_t before = metadata::bytes();
        os::inject_failure(calls, 1);
        void* const p = metadata::allocate(size);
        const bool failed = os::injected_calls() > calls;
        os::inject_failure(0, 0);
        REQUIRE((p == nullptr) == failed);
        if (failed) REQUIRE(metadata::bytes() - before <= 64 * kib);
        auto* const after = static_cast<unsigned char*>(metadata::allocate(size));
        REQUIRE(after != nullptr);
        REQUIRE(is_zero({after, size}));
        REQUIRE(after != p);
      }
  REQUIRE(metadata::allocate(SIZE_MAX - 10) == nullptr);
}

TEST_CASE("metadata: little is committed for little") {
  const std::size_t before = metadata::bytes();
  REQUIRE(metadata::allocate(1000) != nullptr);
  REQUIRE(metadata::bytes() - before <= 64 * kib);
}

TEST_CASE("metadata: the child of a fork can allocate") {
  metadata::lock_for_fork();
  const pid_t child = fork();
  if (child == 0) {
    metadata::reset_in_child();
    _exit(metadata::allocate(100) != nullptr ? 7 : 1);
  }
  metadata::unlock_after_fork();
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WEXITSTATUS(status) == 7);
  REQUIRE(metadata::allocate(100) != nullptr);
}

TEST_CASE("metadata: storage gives each T its own cache lines, and uses again only what was released [metadata.3]") {
  static storage<odd> odds;
  std::set<odd*> live, released;
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 5000; ++i) {
    if (random() % 3 == 0 && !live.empty()) {
      odd* const victim = *live.begin();
      live.erase(victim);
      released.insert(victim);
      odds.release(victim);
    } else {
      odd* const p = odds.allocate();
      REQUIRE(p != nullptr);
      REQUIRE(address_of(p) % cache_line == 0);
      REQUIRE((released.empty() || released.count(p) == 1));
      released.erase(p);
      REQUIRE(live.insert(p).second);
      const auto next = live.upper_bound(p);
      REQUIRE((next == live.end() || address_of(*next) - address_of(p) >= 128));
      std::memset(p, 1, sizeof *p);
    }
    REQUIRE(odds.released_count() == released.size());
  }
}

TEST_CASE("metadata: storage honours the alignment of its type") {
  static storage<wide> wides;
  for (int i = 0; i < 100; ++i) REQUIRE(address_of(wides.allocate()) % 256 == 0);
}

TEST_CASE("metadata: storage without memory says so, and recovers [metadata.2]") {
  struct big {
    char bytes[600 * kib];
  };
  static storage<big> bigs;
  os::inject_failure(0, 1);
  REQUIRE(bigs.allocate() == nullptr);
  os::inject_failure(0, 0);
  REQUIRE(bigs.allocate() != nullptr);
}

}  // namespace umber::alloc

// Each transition of the state diagram, and each failure. What a range's state is, /proc says.
#include "alloc/os.h"

#include "testing.h"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include <sys/mman.h>

namespace umber::alloc {
namespace {

const std::size_t page = os::machine_page_size();

// The permissions of an address as /proc/self/maps has them; empty when nothing is mapped there.
std::string permissions(const void* p) {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    std::istringstream words(line);
    std::uintptr_t first = 0, last = 0;
    char dash = 0;
    std::string what;
    words >> std::hex >> first >> dash >> last >> what;
    if (address_of(p) >= first && address_of(p) < last) return what;
  }
  return "";
}

// How many pages of the range are backed by memory.
std::size_t backed(void* start, std::size_t bytes) {
  unsigned char map[4096] = {};
  REQUIRE(bytes / page <= sizeof map);
  REQUIRE(mincore(start, bytes, map) == 0);
  return static_cast<std::size_t>(std::count_if(map, map + bytes / page, [](unsigned char m) { return m & 1; }));
}

bool is_filled(const void* start, std::size_t bytes, unsigned char value) {
  const auto* const p = static_cast<const unsigned char*>(start);
  return std::all_of(p, p + bytes, [&](unsigned char byte) { return byte == value; });
}

// A range of its own, ready where asked for, unmapped in the end.
struct range {
  range(std::size_t n, bool ready) : size(n), start(static_cast<unsigned char*>(os::reserve(n, page))) {
    REQUIRE(start != nullptr);
    if (ready) REQUIRE(os::commit(start, size));
  }
  ~range() { os::unmap(start, size); }
  const std::size_t size;
  unsigned char* const start;
};

}  // namespace

TEST_CASE("os: reserve gives address space only, aligned as asked") {
  for (std::size_t alignment = page; alignment <= gib; alignment *= 4) {
    void* const p = os::reserve(3 * page, alignment);
    REQUIRE(p != nullptr);
    REQUIRE(address_of(p) % alignment == 0);
    REQUIRE(permissions(p) == "---p");
    REQUIRE(os::unmap(p, 3 * page));
    // Another thread may have mapped something there meanwhile: the thread sanitizer has one that does.
    if (!thread_sanitized) REQUIRE(permissions(p).empty());
  }
}

TEST_CASE("os: reserve refuses what no address space can hold") {
  REQUIRE(os::reserve(SIZE_MAX - page, page) == nullptr);
  REQUIRE(os::reserve(std::size_t{1} << 60, mib) == nullptr);
  REQUIRE(os::reserve(page, std::size_t{1} << 63) == nullptr);
  REQUIRE(os::reserve(0, page) == nullptr);
}

TEST_CASE("os: commit makes ready what it names and leaves its neighbours reserved") {
  const range r(4 * page, false);
  REQUIRE(os::commit(r.start + page, 2 * page));
  REQUIRE(permissions(r.start) == "---p");
  REQUIRE(permissions(r.start + page) == "rw-p");
  REQUIRE(permissions(r.start + 3 * page) == "---p");
  REQUIRE(backed(r.start + page, 2 * page) == 0);
  REQUIRE(is_filled(r.start + page, 2 * page, 0));
}

TEST_CASE("os: decommit loses the contents and forbids the range, which can be committed again") {
  const range r(4 * page, true);
  std::memset(r.start, 7, r.size);
  REQUIRE(os::decommit(r.start, 2 * page));
  REQUIRE(permissions(r.start) == "---p");
  REQUIRE(is_filled(r.start + 2 * page, 2 * page, 7));
  REQUIRE(os::commit(r.start, 2 * page));
  REQUIRE(is_filled(r.start, 2 * page, 0));
}

TEST_CASE("os: a released range is backed by nothing, reads as zero and can be written [os.2]") {
  const range r(64 * page, true);
  std::memset(r.start, 7, r.size);
  REQUIRE(os::release(r.start + page, 62 * page));
  REQUIRE(backed(r.start, r.size) == 2);
  REQUIRE(r.start[0] == 7);
  REQUIRE(is_filled(r.start + page, 62 * page, 0));
  REQUIRE(is_filled(r.start + 63 * page, page, 7));
  std::memset(r.start, 8, r.size);
  REQUIRE(is_filled(r.start, r.size, 8));
}

TEST_CASE("os: a populated range is backed and holds what it held, or is as it was") {
  const range r(64 * page, true);
  r.start[page] = 7;
  os::inject_failure(0, 1);
  const bool failed = !os::populate(r.start, r.size);
  os::inject_failure(0, 0);
  REQUIRE(failed);
  REQUIRE(backed(r.start, r.size) == 1);
  REQUIRE(os::populate(r.start, 32 * page));
  REQUIRE(backed(r.start, r.size) == 32);
  REQUIRE(r.start[page] == 7);
  r.start[page] = 0;
  REQUIRE(is_filled(r.start, r.size, 0));
}

TEST_CASE("os: a renewed range reads as zero and can be written, or stays as it was [os.1] [os.2]") {
  const std::size_t bytes = 16 * os::machine_page_size();
  auto* p = static_cast<char*>(os::reserve(bytes, os::machine_page_size()));
  REQUIRE(p != nullptr);
  REQUIRE(os::commit(p, bytes));
  p[0] = p[bytes - 1] = 7;
  os::inject_failure(0, 1);
  CHECK_FALSE(os::renew(p, bytes));
  os::inject_failure(0, 0);
  CHECK(p[0] == 7);
  CHECK(os::renew(p, bytes));
  CHECK((p[0] == 0 && p[bytes - 1] == 0));
  p[0] = 1;
  CHECK(os::unmap(p, bytes));
}

TEST_CASE("os: move carries the contents and leaves zeros [os.2]") {
  const range from(40 * page, true), to(40 * page, true);
  std::memset(to.start, 1, to.size);
  for (std::size_t i = 0; i < from.size; ++i) from.start[i] = static_cast<unsigned char>(i * 31 >> 3);
  REQUIRE(os::move(from.start, to.start, from.size));
  bool same = true;
  for (std::size_t i = 0; i < to.size; ++i) same = same && to.start[i] == static_cast<unsigned char>(i * 31 >> 3);
  REQUIRE(same);
  REQUIRE(is_filled(from.start, from.size, 0));
  std::memset(from.start, 2, from.size);
  REQUIRE(permissions(to.start) == "rw-p");
}

TEST_CASE("os: move works for a source in several mappings, and for part of a range") {
  const range from(1024 * page, true), to(1024 * page, true);
  std::memset(from.start, 5, from.size);
  // Advice for the middle splits the mapping in three, where the kernel has that advice.
  os::want_huge_pages(from.start + 100 * page, 500 * page, false);
  REQUIRE(os::move(from.start + page, to.start + 10 * page, 900 * page));
  REQUIRE(is_filled(to.start, 10 * page, 0));
  REQUIRE(is_filled(to.start + 10 * page, 900 * page, 5));
  REQUIRE(is_filled(to.start + 910 * page, 114 * page, 0));
  REQUIRE(is_filled(from.start, page, 5));
  REQUIRE(is_filled(from.start + page, 900 * page, 0));
  REQUIRE(is_filled(from.start + 901 * page, 123 * page, 5));
}

TEST_CASE("os: an injected failure leaves the range as it was [os.1]") {
  const range ready(8 * page, true), reserved(8 * page, false);
  std::memset(ready.start, 7, ready.size);
  os::inject_failure(0, 4);
  void* const none = os::reserve(page, page);
  const bool committed = os::commit(reserved.start, page);
  const bool released = os::release(ready.start, page);
  const bool moved = os::move(ready.start, ready.start + 4 * page, page);
  const std::size_t calls = os::injected_calls();
  const bool afterwards = os::release(ready.start + 6 * page, page);
  os::inject_failure(0, 0);
  REQUIRE(none == nullptr);
  REQUIRE_FALSE((committed || released || moved));
  REQUIRE(calls == 4);
  REQUIRE(afterwards);
  REQUIRE(permissions(reserved.start) == "---p");
  REQUIRE(is_filled(ready.start, 6 * page, 7));
  REQUIRE(os::injected_calls() == 5);
}

TEST_CASE("os: the failure comes at the call that was named") {
  const range r(page, true);
  os::inject_failure(2, 1);
  const bool results[] = {os::release(r.start, page), os::release(r.start, page), os::release(r.start, page),
                          os::release(r.start, page)};
  os::inject_failure(0, 0);
  REQUIRE((results[0] && results[1] && !results[2] && results[3]));
}

TEST_CASE("os: a call that the system refuses is false, and the range is as it was [os.1]") {
  const range r(4 * page, true);
  std::memset(r.start, 7, r.size);
  REQUIRE_FALSE(os::release(r.start + 1, page));
  REQUIRE_FALSE(os::commit(r.start + 1, page));
  REQUIRE_FALSE(os::decommit(r.start + 1, page));
  REQUIRE_FALSE(os::unmap(r.start + 1, page));
  REQUIRE(is_filled(r.start, r.size, 7));
}

TEST_CASE("os: errno is the program's, whatever happens [os.3]") {
  const range r(4 * page, true), to(4 * page, true);
  errno = 4321;
  void* const p = os::reserve(page, mib);
  REQUIRE(errno == 4321);
  static_cast<void>(os::commit(p, page));
  os::unmap(p, page);
  static_cast<void>(os::reserve(std::size_t{1} << 60, mib));
  static_cast<void>(os::commit(r.start + 1, page));
  os::release(r.start, page);
  os::release(r.start + 1, page);
  os::decommit(r.start + 1, page);
  static_cast<void>(os::move(r.start, to.start, page));
  static_cast<void>(os::move(r.start + 1, to.start, page));
  os::want_huge_pages(r.start + 1, page, true);
  os::huge_page_mode();
  os::address_space_limit();
  os::cgroup_memory_limit();
  os::resident_bytes();
  os::processor_count();
  os::now();
  os::thread_cpu_time();
  os::entropy();
  const std::uint32_t word = 1;
  os::wait(&word, 0);
  os::wait(&word, 1, 1000);
  os::wake_one(&word);
  os::wake_all(&word);
  os::yield();
  os::sleep(1000);
  os::current_processor();
  os::leave_processor();
  REQUIRE(errno == 4321);
}

TEST_CASE("os: a thread leaves its processor for another that it may use, and may use the same as before") {
  const unsigned before = os::processor_count();
  unsigned moved = 0;
  for (int i = 0; i < 100; ++i) {
    const unsigned at = os::current_processor();
    os::leave_processor();
    moved += os::current_processor() != at;
    REQUIRE(os::processor_count() == before);
  }
  REQUIRE((moved > 0) == (before > 1));
  std::thread([] {
    umber::testing::bind_to(os::current_processor());
    const unsigned only = os::current_processor();
    os::leave_processor();
    REQUIRE(os::current_processor() == only);
    REQUIRE(os::processor_count() == 1);
  }).join();
}

TEST_CASE("os: resident bytes follow what is touched") {
  const range r(16 * mib, true);
  const std::size_t before = os::resident_bytes();
  REQUIRE(before > 0);
  std::memset(r.start, 1, r.size);
  const std::size_t touched = os::resident_bytes();
  REQUIRE(touched > before + 12 * mib);
  REQUIRE(os::release(r.start, r.size));
  REQUIRE(os::resident_bytes() < touched - 12 * mib);
}

TEST_CASE("os: what the machine says is plausible") {
  REQUIRE(is_power_of_two(os::machine_page_size()));
  REQUIRE(os::processor_count() >= 1);
  REQUIRE(os::processor_count() <= 8192);
  REQUIRE(os::address_space_limit() > gib);
  REQUIRE(os::cgroup_memory_limit() > mib);
  REQUIRE(os::entropy() != os::entropy());
}

TEST_CASE("os: the clocks go forward, that of the thread only while it works") {
  const std::uint64_t wall = os::now(), cpu = os::thread_cpu_time();
  const std::uint32_t word = 1;
  os::wait(&word, 1, 20'000'000);
  const std::uint64_t waited = os::now() - wall;
  REQUIRE(waited >= 15'000'000);
  REQUIRE(os::thread_cpu_time() - cpu < waited);
}

TEST_CASE("os: a waiting thread is woken, and one that comes too late does not wait") {
  std::atomic<std::uint32_t> word{0};
  const auto* const raw = reinterpret_cast<const volatile std::uint32_t*>(&word);
  std::thread sleeper([&] {
    while (word.load(std::memory_order_acquire) == 0) os::wait(raw, 0);
  });
  word.store(1, std::memory_order_release);
  os::wake_all(raw);
  sleeper.join();
  os::wait(raw, 0);
  SUCCEED();
}

}  // namespace umber::alloc

// stress [--seconds S] [--threads N] [--seed X]
//
// Threads that come and go allocate, resize, check and free blocks of every kind, a good part of them allocated by
// others: blocks travel through mailboxes. Now and then the process forks, and the child goes on alone for a while.
// Every block carries its size and a seed, and a pattern made of the seed, so whoever finds it can check it.
#include <umber/umber_c.h>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

namespace {

// A sanitizer's own malloc is not made for a fork while other threads are inside it.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr bool may_fork = false;
#elif defined(__has_feature)
constexpr bool may_fork = !__has_feature(thread_sanitizer) && !__has_feature(address_sanitizer);
#else
constexpr bool may_fork = true;
#endif

std::uint64_t seed = std::random_device{}();

[[noreturn]] void fail(const char* what, const void* p, std::size_t n) {
  std::fprintf(stderr, "stress: %s: %p, %zu bytes; seed %llu\n", what, p, n, static_cast<unsigned long long>(seed));
  std::abort();
}

// What every block begins with.
struct label {
  std::uint64_t n;
  std::uint64_t pattern;
};

// Where the pattern is written: all of a small block, the ends and a byte of each page of a large one.
template <class Visit>
void for_each_place(std::size_t n, Visit visit) {
  const std::size_t dense = std::min<std::size_t>(n, 512);
  for (std::size_t i = sizeof(label); i < dense; ++i) visit(i);
  for (std::size_t i = dense; i < n; i += 4096) visit(i);
  if (n > dense) visit(n - 1);
}

unsigned char byte_at(std::uint64_t pattern, std::size_t i) {
  return static_cast<unsigned char>((pattern + i) * 0x9e3779b97f4a7c15 >> 56);
}

void* write_block(void* p, std::size_t n, std::uint64_t pattern) {
  const label l{n, pattern};
  std::memcpy(p, &l, sizeof l);
  for_each_place(n, [&](std::size_t i) { static_cast<unsigned char*>(p)[i] = byte_at(pattern, i); });
  return p;
}

label check_block(const void* p, std::size_t at_most = SIZE_MAX) {
  label l;
  std::memcpy(&l, p, sizeof l);
  if (at_most == SIZE_MAX && umber_usable_size(p) < l.n) fail("a block is smaller than it was", p, l.n);
  for_each_place(l.n, [&](std::size_t i) {
    if (i < at_most && static_cast<const unsigned char*>(p)[i] != byte_at(l.pattern, i))
      fail("a block has changed", p, l.n);
  });
  return l;
}

std::atomic<void*> mail[1024];
std::atomic<bool> time_is_up{false};
std::atomic<std::uint64_t> operations{0};

class worker {
 public:
  explicit worker(std::uint64_t own_seed) : random_(own_seed) {}

  void run(std::size_t steps) {
    for (std::size_t i = 0; i < steps && !time_is_up; ++i) step();
    operations += steps;
    // What is left goes to others, and what does not fit there is freed.
    for (void* p : blocks_) umber_free(mail[random_() % std::size(mail)].exchange(p));
    blocks_.clear();
  }

 private:
  std::size_t below(std::size_t n) { return random_() % n; }
  std::size_t size() {
    const std::size_t kind = below(1000);
    if (kind < 800) return sizeof(label) + below(400);
    if (kind < 980) return sizeof(label) + below(20'000);
    return sizeof(label) + (kind < 998 ? below(300'000) : below(4'000'000));
  }
  void keep(void* p, std::size_t n) {
    if (p == nullptr) fail("no memory", p, n);
    blocks_.push_back(write_block(p, n, random_()));
  }
  void* take() {
    std::swap(blocks_[below(blocks_.size())], blocks_.back());
    void* p = blocks_.back();
    blocks_.pop_back();
    return p;
  }

  void step() {
    const std::size_t kind = below(blocks_.size() > 500 ? 24 : 18);
    if (blocks_.empty() || kind < 5) return allocate();
    if (kind == 5) return allocate_zeroed();
    if (kind == 6) return allocate_aligned();
    if (kind < 9) return resize();
    if (kind < 14) return exchange();
    if (kind == 14 && below(2000) == 0) return static_cast<void>(umber_release());
    free_one();
  }
  void allocate() {
    const std::size_t n = size();
    keep(umber_malloc(n), n);
  }
  void allocate_zeroed() {
    const std::size_t n = size();
    auto* p = static_cast<unsigned char*>(umber_calloc(1, n));
    for (std::size_t i = 0; p != nullptr && i < n; i += i < 512 ? 1 : 509)
      if (p[i] != 0) fail("calloc is not zero", p, n);
    keep(p, n);
  }
  void allocate_aligned() {
    const std::size_t n = size(), alignment = std::size_t{16} << below(12);
    void* p = umber_aligned_alloc(alignment, n);
    if (reinterpret_cast<std::uintptr_t>(p) % alignment != 0) fail("misaligned", p, n);
    keep(p, n);
  }
  void resize() {
    void* p = take();
    const label before = check_block(p);
    const std::size_t n = size();
    void* q = umber_realloc(p, n);
    if (q == nullptr) fail("no memory to resize", p, n);
    check_block(q, std::min<std::size_t>(before.n, n));
    keep(q, n);
  }
  // Leaves a block for another thread, and checks and frees what lay there.
  void exchange() {
    void* other = mail[below(std::size(mail))].exchange(take());
    if (other == nullptr) return;
    check_block(other);
    umber_free(other);
  }
  void free_one() {
    void* p = take();
    check_block(p);
    below(3) == 0 ? umber_free_sized(p, umber_usable_size(p)) : umber_free(p);
  }

  std::mt19937_64 random_;
  std::vector<void*> blocks_;
};

// The child of a process whose threads are at work: its heap works, and what it inherited is whole.
void fork_once(std::uint64_t own_seed) {
  const pid_t child = fork();
  if (child < 0) return;
  if (child == 0) {
    alarm(60);
    for (auto& place : mail)
      if (void* p = place.exchange(nullptr)) check_block(p), umber_free(p);
    worker(own_seed).run(5000);
    std::thread([&] { worker(own_seed + 1).run(2000); }).join();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) fail("the child of a fork failed", nullptr, 0);
}

void run_all(std::size_t thread_count, double seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  std::mt19937_64 random(seed);
  std::vector<std::thread> threads(thread_count);
  std::size_t started = 0, forks = 0;
  for (std::size_t turn = 0; std::chrono::steady_clock::now() < end; ++turn) {
    std::thread& t = threads[turn % thread_count];
    if (t.joinable()) t.join();
    // Some threads hardly do anything, which is a case of its own.
    const std::size_t steps = random() % 4 == 0 ? random() % 20 : random() % 20'000;
    t = std::thread([own_seed = random(), steps] { worker(own_seed).run(steps); });
    ++started;
    if (may_fork && random() % 64 == 0) fork_once(random()), ++forks;
  }
  time_is_up = true;
  for (std::thread& t : threads)
    if (t.joinable()) t.join();
  for (auto& place : mail)
    if (void* p = place.exchange(nullptr)) check_block(p), umber_free(p);
  std::printf("%llu operations, %zu threads, %zu forks, seed %llu\n",
              static_cast<unsigned long long>(operations.load()), started, forks,
              static_cast<unsigned long long>(seed));
}

}  // namespace

int main(int argc, char** argv) {
  double seconds = 3;
  std::size_t thread_count = 6;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--seconds") == 0) seconds = std::atof(argv[i + 1]);
    if (std::strcmp(argv[i], "--threads") == 0) thread_count = std::strtoul(argv[i + 1], nullptr, 10);
    if (std::strcmp(argv[i], "--seed") == 0) seed = std::strtoull(argv[i + 1], nullptr, 10);
  }
  run_all(std::max<std::size_t>(thread_count, 1), seconds);
  umber_release();  // what this thread has freed of others is on its way
  umber_malloc_stats stats;
  umber_get_malloc_stats(&stats, sizeof stats);
  if (stats.live_objects != 0) fail("blocks are live that nobody holds", nullptr, stats.live_bytes);
}

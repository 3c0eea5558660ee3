#include "os.h"

#include <atomic>
#include <cerrno>
#include <climits>
#include <cstring>
#include <ctime>

#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

// What an older libc may not name yet; the numbers are the kernel's.
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

namespace umber::alloc::os {
namespace {

// A program may look at errno after a free() or a malloc() that worked: no call of this file changes it.
class errno_kept {
 public:
  errno_kept() : saved_(errno) {}
  ~errno_kept() { errno = saved_; }
  errno_kept(const errno_kept&) = delete;
  errno_kept& operator=(const errno_kept&) = delete;

 private:
  const int saved_;
};

// The failures that a test asked for.
struct {
  std::atomic<bool> armed{false};
  std::atomic<std::size_t> calls{0};
  std::atomic<std::size_t> first_failure{0};
  std::atomic<std::size_t> failures{0};
} constinit injection;

bool injected_now() {
  // relaxed: a test arms the injection before it makes the calls, or starts the threads that make them.
  if (UMBER_LIKELY(!injection.armed.load(std::memory_order_relaxed))) return false;
  // relaxed, all three: only the count itself matters, nothing is published by it.
  const std::size_t call = injection.calls.fetch_add(1, std::memory_order_relaxed);
  const std::size_t first = injection.first_failure.load(std::memory_order_relaxed);
  return call >= first && call - first < injection.failures.load(std::memory_order_relaxed);
}

// The processors that a thread may use. By system calls, because libc's wrappers refuse what does not fit their own
// type.
class processor_set {
 public:
  static processor_set of_this_thread() {
    processor_set set;
    const long filled = syscall(SYS_sched_getaffinity, 0, sizeof set.mask_, set.mask_);
    set.words_ = filled > 0 ? static_cast<std::size_t>(filled) / sizeof set.mask_[0] : 0;
    return set;
  }
  unsigned count() const {
    unsigned all = 0;
    for (std::size_t i = 0; i < words_; ++i) all += static_cast<unsigned>(__builtin_popcountll(mask_[i]));
    return all;
  }
  void remove(unsigned processor) {
    if (processor / 64 < words_) mask_[processor / 64] &= ~(std::uint64_t{1} << processor % 64);
  }
  bool bind_this_thread() const { return syscall(SYS_sched_setaffinity, 0, words_ * sizeof mask_[0], mask_) == 0; }

 private:
  std::uint64_t mask_[128] = {};
  std::size_t words_ = 0;
};

constexpr int private_memory = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;

bool map_at(void* start, std::size_t bytes, int protection, int how) {
  return mmap(start, bytes, protection, private_memory | how, -1, 0) == start;
}

// A failed mremap may already have unmapped its target: maps what is missing of it and leaves what is there.
void restore_target(void* to, std::size_t bytes) {
  void* const got = mmap(to, bytes, PROT_READ | PROT_WRITE, private_memory | MAP_FIXED_NOREPLACE, -1, 0);
  if (got != MAP_FAILED && got != to) munmap(got, bytes);
}

// The way of kernels before 5.7, and of ranges that lie in several mappings. Freeing each piece once it is copied
// bounds the peak; unmapping the source instead would let another thread's mmap take the hole.
bool move_by_copying(char* from, char* to, std::size_t bytes) {
  for (std::size_t done = 0; done < bytes;) {
    const std::size_t piece = bytes - done < mib ? bytes - done : mib;
    std::memcpy(to + done, from + done, piece);
    done += piece;
  }
  for (int tries = 0; tries < 100; ++tries) {
    if (madvise(from, bytes, MADV_DONTNEED) == 0) return true;
    if (errno != EAGAIN) break;
  }
  std::memset(from, 0, bytes);
  return true;
}

// The start of a file of /proc or /sys as a string; empty when it cannot be read.
template <std::size_t Size>
class small_file {
 public:
  explicit small_file(const char* path) {
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    std::size_t length = 0;
    while (length < Size - 1) {
      const ssize_t n = read(fd, text_ + length, Size - 1 - length);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) break;
      length += static_cast<std::size_t>(n);
    }
    close(fd);
    text_[length] = '\0';
  }
  char* text() { return text_; }

 private:
  char text_[Size] = {};
};

// The decimal number at `text`; `otherwise` when there is none (as in "max") or it does not fit.
std::size_t parse_number(const char* text, std::size_t otherwise) {
  if (*text < '0' || *text > '9') return otherwise;
  std::size_t value = 0;
  for (; *text >= '0' && *text <= '9'; ++text)
    if (__builtin_mul_overflow(value, 10, &value) ||
        __builtin_add_overflow(value, static_cast<std::size_t>(*text - '0'), &value))
      return otherwise;
  return value;
}

struct hierarchy {
  const char* mount;
  const char* limit_file;
};

// The least limit from the process's group up to the mount point. In a container the group's path may name what is
// not mounted there: then only the upper ones, which are, answer.
std::size_t least_limit_upwards(const hierarchy& where, const char* group) {
  char path[1024];
  const std::size_t mount = std::strlen(where.mount);
  std::size_t length = mount + std::strlen(group);
  if (length + std::strlen(where.limit_file) >= sizeof path) return SIZE_MAX;
  std::memcpy(path, where.mount, mount);
  std::strcpy(path + mount, group);
  std::size_t least = SIZE_MAX;
  for (;;) {
    while (length > mount && path[length - 1] == '/') --length;
    std::strcpy(path + length, where.limit_file);
    const std::size_t limit = parse_number(small_file<64>(path).text(), SIZE_MAX);
    if (limit < least) least = limit;
    if (length == mount) return least;
    while (length > mount && path[length - 1] != '/') --length;
  }
}

bool names_memory_controller(const char* list, const char* end) {
  constexpr std::size_t length = 6;
  for (const char* name = list; name < end;) {
    const char* comma = name;
    while (comma < end && *comma != ',') ++comma;
    if (static_cast<std::size_t>(comma - name) == length && std::memcmp(name, "memory", length) == 0) return true;
    name = comma + 1;
  }
  return false;
}

// One line of /proc/self/cgroup, "number:controllers:path"; version 2 has no controllers.
std::size_t limit_of_line(const char* line) {
  const char* const controllers = std::strchr(line, ':');
  const char* const group = controllers ? std::strchr(controllers + 1, ':') : nullptr;
  if (!group) return SIZE_MAX;
  if (group == controllers + 1) {
    const std::size_t unified = least_limit_upwards({"/sys/fs/cgroup", "/memory.max"}, group + 1);
    const std::size_t hybrid = least_limit_upwards({"/sys/fs/cgroup/unified", "/memory.max"}, group + 1);
    return unified < hybrid ? unified : hybrid;
  }
  if (!names_memory_controller(controllers + 1, group)) return SIZE_MAX;
  return least_limit_upwards({"/sys/fs/cgroup/memory", "/memory.limit_in_bytes"}, group + 1);
}

timespec to_timespec(std::uint64_t ns) {
  constexpr std::uint64_t second = 1'000'000'000;
  return {static_cast<time_t>(ns / second), static_cast<long>(ns % second)};
}

std::uint64_t read_clock(clockid_t clock) {
  const errno_kept keep;
  timespec t{};
  clock_gettime(clock, &t);
  return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(t.tv_nsec);
}

void wake(const volatile std::uint32_t* word, int how_many) {
  const errno_kept keep;
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, how_many, nullptr, nullptr, 0);
}

}  // namespace

std::size_t machine_page_size() { return static_cast<std::size_t>(sysconf(_SC_PAGESIZE)); }

void* reserve(std::size_t bytes, std::size_t alignment) {
  const errno_kept keep;
  if (injected_now()) return nullptr;
  const std::size_t page = machine_page_size();
  std::size_t wanted = 0;
  std::size_t slack = alignment > page ? alignment - page : 0;
  if (bytes == 0 || bytes > SIZE_MAX - page) return nullptr;
  bytes = round_up(bytes, page);
  if (__builtin_add_overflow(bytes, slack, &wanted)) return nullptr;
  void* const got = mmap(nullptr, wanted, PROT_NONE, private_memory, -1, 0);
  if (got == MAP_FAILED) return nullptr;
  const std::uintptr_t start = address_of(got);
  const std::uintptr_t aligned = slack == 0 ? start : round_up(start, alignment);
  // A trim that fails leaves address space that nobody uses: no reason to refuse.
  if (aligned != start) munmap(got, aligned - start);
  slack -= aligned - start;
  if (slack != 0) munmap(pointer_to(aligned + bytes), slack);
  return pointer_to(aligned);
}

bool commit(void* start, std::size_t bytes) {
  const errno_kept keep;
  if (injected_now()) return false;
  return mprotect(start, bytes, PROT_READ | PROT_WRITE) == 0;
}

bool decommit(void* start, std::size_t bytes) {
  const errno_kept keep;
  return map_at(start, bytes, PROT_NONE, MAP_FIXED);
}

bool release(void* start, std::size_t bytes) {
  const errno_kept keep;
  if (injected_now()) return false;
  for (int tries = 0; tries < 100; ++tries) {
    if (madvise(start, bytes, MADV_DONTNEED) == 0) return true;
    // EAGAIN: the kernel was short of memory for its own tables, and asks to try again.
    if (errno != EAGAIN) return false;
  }
  return false;
}

bool release(const range* ranges, std::size_t count) {
  static_assert(sizeof(range) == sizeof(iovec));
  const errno_kept keep;
  // Since Linux 6.14 a process may name itself without a file, and advise itself in bulk.
  constexpr int this_process = -10001;  // PIDFD_SELF_THREAD_GROUP
  static constinit std::atomic<bool> in_bulk{true};
  // relaxed: a hint.
  if (count > 1 && in_bulk.load(std::memory_order_relaxed) && !injected_now()) {
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < count; ++i) bytes += ranges[i].bytes;
    const long done = syscall(SYS_process_madvise, this_process, ranges, count, MADV_DONTNEED, 0);
    if (done == static_cast<long>(bytes)) return true;
    if (done < 0) in_bulk.store(false, std::memory_order_relaxed);  // relaxed: as above
  }
  bool all = true;
  for (std::size_t i = 0; i < count; ++i) all = release(ranges[i].start, ranges[i].bytes) && all;
  return all;
}

bool renew(void* start, std::size_t bytes) {
  const errno_kept keep;
  return !injected_now() && map_at(start, bytes, PROT_READ | PROT_WRITE, MAP_FIXED);
}

bool map_at(void* start, std::size_t bytes) {
  const errno_kept keep;
  if (injected_now()) return false;
  void* const got = mmap(start, bytes, PROT_READ | PROT_WRITE, private_memory | MAP_FIXED_NOREPLACE, -1, 0);
  if (got == start) return true;
  if (got != MAP_FAILED) munmap(got, bytes);  // an older kernel took the place for a wish
  return false;
}

bool populate(void* start, std::size_t bytes) {
  const errno_kept keep;
  constexpr int populate_write = 23;  // MADV_POPULATE_WRITE, which older headers do not name
  return !injected_now() && madvise(start, bytes, populate_write) == 0;
}

bool unmap(void* start, std::size_t bytes) {
  const errno_kept keep;
  return munmap(start, bytes) == 0;
}

bool move(void* from, void* to, std::size_t bytes) {
  const errno_kept keep;
  if (injected_now()) return false;
  // By way of a place that nobody has: a move to a fixed place unmaps that place before it looks at the source, and if
  // it then refuses the source (several mappings, an old kernel) another thread's mmap may take the hole.
  void* const between = mremap(from, bytes, bytes, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, nullptr);
  if (between == MAP_FAILED) {
    const bool unsupported = errno == EINVAL || errno == EFAULT;
    return unsupported && move_by_copying(static_cast<char*>(from), static_cast<char*>(to), bytes);
  }
  if (mremap(between, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to) return true;
  restore_target(to, bytes);
  const bool copied = move_by_copying(static_cast<char*>(between), static_cast<char*>(to), bytes);
  munmap(between, bytes);
  return copied;
}

huge_pages huge_page_mode() {
  const errno_kept keep;
  small_file<128> file("/sys/kernel/mm/transparent_hugepage/enabled");
  if (std::strstr(file.text(), "[always]")) return huge_pages::always;
  if (std::strstr(file.text(), "[madvise]")) return huge_pages::on_request;
  return huge_pages::never;
}

bool want_huge_pages(void* start, std::size_t bytes, bool wanted) {
  const errno_kept keep;
  return madvise(start, bytes, wanted ? MADV_HUGEPAGE : MADV_NOHUGEPAGE) == 0;
}

std::size_t address_space_limit() {
  const errno_kept keep;
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return SIZE_MAX;
  return limit.rlim_cur;
}

std::size_t cgroup_memory_limit() {
  const errno_kept keep;
  small_file<4096> file("/proc/self/cgroup");
  std::size_t least = SIZE_MAX;
  for (char* line = file.text(); *line != '\0';) {
    char* const end = line + std::strcspn(line, "\n");
    const bool last = *end == '\0';
    *end = '\0';
    const std::size_t limit = limit_of_line(line);
    if (limit < least) least = limit;
    if (last) break;
    line = end + 1;
  }
  // Version 1 writes "no limit" as the largest multiple of a page below 2^63.
  return least >= SIZE_MAX / 2 - mib ? SIZE_MAX : least;
}

std::size_t resident_bytes() {
  const errno_kept keep;
  small_file<128> file("/proc/self/statm");
  const char* const second = std::strchr(file.text(), ' ');
  return second ? parse_number(second + 1, 0) * machine_page_size() : 0;
}

bool is_memory_uniform() {
  const errno_kept keep;
  small_file<128> file("/sys/devices/system/node/online");  // such as 0 or 0-3,8; a kernel without NUMA has none
  return std::strpbrk(file.text(), "-,") == nullptr;
}

unsigned processor_count() {
  const errno_kept keep;
  const unsigned count = processor_set::of_this_thread().count();
  return count != 0 ? count : 1;
}

unsigned current_processor() {
  const errno_kept keep;
  const int processor = sched_getcpu();
  return processor < 0 ? 0 : static_cast<unsigned>(processor);
}

void leave_processor() {
  const errno_kept keep;
  const processor_set allowed = processor_set::of_this_thread();
  processor_set others = allowed;
  others.remove(current_processor());
  if (others.count() != 0 && others.bind_this_thread()) allowed.bind_this_thread();
}

std::uint64_t now() { return read_clock(CLOCK_MONOTONIC); }
std::uint64_t thread_cpu_time() { return read_clock(CLOCK_THREAD_CPUTIME_ID); }
std::uint64_t process_cpu_time() { return read_clock(CLOCK_PROCESS_CPUTIME_ID); }

std::uint64_t entropy() {
  const errno_kept keep;
  std::uint64_t value = 0;
  if (getrandom(&value, sizeof value, GRND_NONBLOCK) == sizeof value) return value;
  // The kernel gave every process 16 random bytes at exec; the clock tells two calls apart.
  if (const auto* seed = pointer_to<const char>(getauxval(AT_RANDOM))) std::memcpy(&value, seed, sizeof value);
  return (value ^ now() ^ address_of(&value)) * 0x9e3779b97f4a7c15;
}

void wait(const volatile std::uint32_t* word, std::uint32_t expected, std::uint64_t timeout_ns) {
  const errno_kept keep;
  const timespec timeout = to_timespec(timeout_ns);
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, timeout_ns != 0 ? &timeout : nullptr, nullptr, 0);
}

void wake_one(const volatile std::uint32_t* word) { wake(word, 1); }
void wake_all(const volatile std::uint32_t* word) { wake(word, INT_MAX); }

void yield() {
  const errno_kept keep;
  sched_yield();
}

void sleep(std::uint64_t ns) {
  const errno_kept keep;
  const timespec time = to_timespec(ns);
  nanosleep(&time, nullptr);
}

void inject_failure(std::size_t calls_before, std::size_t failures) {
  const bool off = calls_before == 0 && failures == 0;
  // relaxed, all: a test does this while no other thread calls; the threads it starts afterwards see it.
  if (!off) injection.calls.store(0, std::memory_order_relaxed);
  injection.first_failure.store(calls_before, std::memory_order_relaxed);
  injection.failures.store(failures, std::memory_order_relaxed);
  injection.armed.store(!off, std::memory_order_relaxed);
}

// relaxed: a count for the test that armed it.
std::size_t injected_calls() { return injection.calls.load(std::memory_order_relaxed); }

}  // namespace umber::alloc::os

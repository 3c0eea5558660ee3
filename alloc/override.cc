// The C library's allocation functions, by the names that programs already call. Each is a line or two over malloc.h:
// what this file knows is only the contract of the name, which is glibc's where POSIX leaves a choice.
#include "fast_path.h"
#include "malloc.h"
#include "os.h"
#include "report.h"
#include "startup.h"
#include "stats.h"

#include <malloc.h>
#include <unistd.h>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>

namespace umber::alloc {

namespace {

void* fail(int error) {
  errno = error;
  return nullptr;
}

void* allocate_aligned_checked(std::size_t alignment, std::size_t n) {
  if (UMBER_UNLIKELY(!is_power_of_two(alignment))) return fail(EINVAL);
  return allocate_aligned(alignment, n);
}

void* reallocate_or_free(void* p, std::size_t n) {
  if (p == nullptr) return fast_allocate(n);
  if (UMBER_LIKELY(n != 0)) return reallocate(p, n);
  deallocate(p);
  return nullptr;
}

// In glibc's terms: `arena` is what is not in blocks of their own (hblks, hblkhd), and splits into u- and fordblks.
struct mallinfo2 heap_information() {
  const heap_stats stats = collect_stats();
  std::size_t free_slots = 0;
  for (const class_stats& c : stats.classes) free_slots += c.free_slots;
  struct mallinfo2 info = {};
  info.arena = stats.mapped_bytes - stats.large_bytes;
  info.ordblks = free_slots;
  info.hblks = stats.large_objects;
  info.hblkhd = stats.large_bytes;
  info.uordblks = stats.live_bytes - stats.large_bytes;
  info.fordblks = info.arena - info.uordblks;
  info.keepcost = stats.free_page_bytes - stats.released_bytes;
  return info;
}

int saturated(std::size_t n) { return n > INT_MAX ? INT_MAX : static_cast<int>(n); }

// A static link takes from the archive what is mentioned, and nothing else mentions the constructor.
[[gnu::used]] void (*const keep_startup)(char**) = start_up;

bool is_known_parameter(int parameter) {
  // M_MXFAST .. M_KEEP are 1 .. 4, M_TRIM_THRESHOLD .. M_ARENA_MAX are -1 .. -8.
  constexpr int keep = 4;
  return parameter != 0 && parameter >= M_ARENA_MAX && parameter <= keep;
}

}  // namespace

}  // namespace umber::alloc

using namespace umber::alloc;

#pragma GCC visibility push(default)
extern "C" {

void* malloc(std::size_t n) noexcept { return fast_allocate(n); }
void free(void* p) noexcept { fast_deallocate(p); }
void cfree(void* p) noexcept { deallocate(p); }
void free_sized(void* p, std::size_t n) noexcept { deallocate_resized(p, n); }
void free_aligned_sized(void* p, std::size_t alignment, std::size_t n) noexcept { deallocate_sized(p, alignment, n); }

void* calloc(std::size_t count, std::size_t size) noexcept {
  std::size_t bytes = 0;
  if (UMBER_UNLIKELY(__builtin_mul_overflow(count, size, &bytes))) return fail(ENOMEM);
  return allocate_zeroed(bytes);
}

void* realloc(void* p, std::size_t n) noexcept { return reallocate_or_free(p, n); }

void* reallocarray(void* p, std::size_t count, std::size_t size) noexcept {
  std::size_t bytes = 0;
  if (UMBER_UNLIKELY(__builtin_mul_overflow(count, size, &bytes))) return fail(ENOMEM);
  return reallocate_or_free(p, bytes);
}

int posix_memalign(void** p, std::size_t alignment, std::size_t n) noexcept {
  if (!is_power_of_two(alignment) || alignment < sizeof(void*)) return EINVAL;
  const int errno_before = errno;
  void* const block = allocate_aligned(alignment, n);
  errno = errno_before;
  if (block == nullptr) return ENOMEM;
  *p = block;
  return 0;
}

void* aligned_alloc(std::size_t alignment, std::size_t n) noexcept { return allocate_aligned_checked(alignment, n); }
void* memalign(std::size_t alignment, std::size_t n) noexcept { return allocate_aligned_checked(alignment, n); }
void* valloc(std::size_t n) noexcept { return allocate_aligned(os::machine_page_size(), n); }

void* pvalloc(std::size_t n) noexcept {
  const std::size_t page = os::machine_page_size();
  if (n > PTRDIFF_MAX) return fail(ENOMEM);
  return allocate_aligned(page, round_up(n, page));
}

std::size_t malloc_usable_size(void* p) noexcept { return usable_size(p); }

int malloc_trim(std::size_t) noexcept { return release_memory() != 0 ? 1 : 0; }

// The heap has no parameter of glibc's to set; that a program asks for one is no reason to tell it of a failure.
int mallopt(int parameter, int) noexcept { return is_known_parameter(parameter) ? 1 : 0; }

struct mallinfo2 mallinfo2() noexcept {
  return heap_information();
}

struct mallinfo mallinfo() noexcept {
  const struct mallinfo2 wide = heap_information();
  struct mallinfo info = {};
  info.arena = saturated(wide.arena);
  info.ordblks = saturated(wide.ordblks);
  info.hblks = saturated(wide.hblks);
  info.hblkhd = saturated(wide.hblkhd);
  info.uordblks = saturated(wide.uordblks);
  info.fordblks = saturated(wide.fordblks);
  info.keepcost = saturated(wide.keepcost);
  return info;
}

void malloc_stats() noexcept { print_report(stats_at_exit::text, STDERR_FILENO); }

// The stream may allocate its buffer from the heap that is described: the statistics are taken before it is touched.
int malloc_info(int options, std::FILE* stream) noexcept {
  if (options != 0) return EINVAL;
  char text[report_capacity];
  write_xml(collect_stats(), text, sizeof text);
  return std::fputs(text, stream) < 0 ? -1 : 0;
}

}  // extern "C"
#pragma GCC visibility pop

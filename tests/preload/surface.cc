// The contract of every function of the C library that the replacement provides.
#include "cases.h"

#include <malloc.h>
#include <cerrno>
#include <climits>
#include <string>

extern "C" {
[[gnu::weak]] void cfree(void* p);
[[gnu::weak]] void free_sized(void* p, std::size_t n);
[[gnu::weak]] void free_aligned_sized(void* p, std::size_t alignment, std::size_t n);
}

namespace {

using cases::aligned;
using cases::opaque;

// Above PTRDIFF_MAX, hidden from the compiler.
std::size_t too_much(std::size_t less = 0) { return *opaque(&less) == 0 ? SIZE_MAX : SIZE_MAX - less; }

constexpr std::size_t sizes[] = {0,     1,     7,     8,     9,     15,     16,     17,      24,      32,      33,
                                 48,    64,    100,   128,   1000,  1024,   1025,   4096,    8191,    8192,    8193,
                                 16384, 32767, 32768, 32769, 65536, 131072, 131073, 1 << 20, 5 << 20, 64 << 20};

void malloc_is_aligned_and_usable() {
  for (const std::size_t n : sizes) {
    errno = 77;
    void* const p = opaque(std::malloc(n));
    EXPECT(p != nullptr);
    EXPECT(errno == 77);
    EXPECT(aligned(p, n <= 8 ? 8 : 16));
    EXPECT(malloc_usable_size(p) >= n);
    cases::fill(p, malloc_usable_size(p), 1);
    EXPECT(cases::filled(p, malloc_usable_size(p), 1));
    std::free(p);
    EXPECT(errno == 77);
  }
}

void malloc_of_nothing_is_unique() {
  void* blocks[1000];
  for (void*& p : blocks) p = opaque(std::malloc(0));
  for (int i = 0; i < 1000; ++i) {
    EXPECT(blocks[i] != nullptr);
    for (int j = 0; j < i; ++j) EXPECT(blocks[i] != blocks[j]);
  }
  for (void* p : blocks) std::free(p);
}

template <class Call>
void expect_no_memory(Call call) {
  errno = 0;
  EXPECT(call() == nullptr);
  EXPECT(errno == ENOMEM);
}

void absurd_sizes_are_refused() {
  const std::size_t above_ptrdiff = static_cast<std::size_t>(PTRDIFF_MAX) + 1;
  for (const std::size_t n : {too_much(), too_much(1), too_much(15), too_much(4095), above_ptrdiff}) {
    expect_no_memory([=] { return std::malloc(n); });
    expect_no_memory([=] { return std::calloc(1, n); });
    expect_no_memory([=] { return std::realloc(nullptr, n); });
    expect_no_memory([=] { return memalign(64, n); });
    expect_no_memory([=] { return std::aligned_alloc(4096, n); });
    expect_no_memory([=] { return valloc(n); });
    expect_no_memory([=] { return pvalloc(n); });
    void* p = &p;
    EXPECT(posix_memalign(&p, 64, n) == ENOMEM);
    EXPECT(p == &p);
  }
  const std::size_t half = std::size_t{1} << 32;
  expect_no_memory([=] { return std::calloc(*opaque(&half), half); });
  expect_no_memory([=] { return std::calloc(*opaque(&half), half + 5); });
  expect_no_memory([=] { return reallocarray(nullptr, *opaque(&half), half); });
  void* const kept = opaque(std::malloc(100));
  cases::fill(kept, 100, 3);
  expect_no_memory([=] { return reallocarray(kept, *opaque(&half), half); });
  expect_no_memory([=] { return std::realloc(kept, too_much()); });
  EXPECT(cases::filled(kept, 100, 3));
  std::free(kept);
}

void calloc_clears_what_was_used_before() {
  for (const std::size_t n : sizes) {
    for (int round = 0; round < 4; ++round) {
      void* const p = opaque(std::calloc(n, 1));
      EXPECT(p != nullptr && cases::all_zero(p, n));
      std::memset(p, 0xff, malloc_usable_size(p));
      std::free(p);
    }
  }
  void* const p = opaque(std::calloc(7, 13));
  EXPECT(cases::all_zero(p, 91));
  std::free(p);
  EXPECT((std::free(opaque(std::calloc(0, 100))), true));
}

void calloc_clears_recycled_blocks_of_all_sizes() {
  constexpr int count = 200;
  for (std::size_t n = 1; n < 300000; n += n / 3 + 1) {
    void* blocks[count];
    const int used = n > 20000 ? 20 : count;
    for (int i = 0; i < used; ++i) std::memset(blocks[i] = opaque(std::malloc(n)), 0xee, n);
    for (int i = 0; i < used; ++i) std::free(blocks[i]);
    for (int i = 0; i < used; ++i) EXPECT(cases::all_zero(blocks[i] = opaque(std::calloc(1, n)), n));
    for (int i = 0; i < used; ++i) std::free(blocks[i]);
  }
}

void realloc_keeps_contents() {
  for (const std::size_t from : sizes) {
    for (const std::size_t to : sizes) {
      if (to == 0 || (from > (4 << 20) && to > (4 << 20))) continue;
      void* const p = opaque(std::malloc(from));
      cases::fill(p, from, 5);
      errno = 77;
      void* const q = opaque(std::realloc(p, to));
      EXPECT(q != nullptr && errno == 77);
      EXPECT(cases::filled(q, from < to ? from : to, 5));
      EXPECT(malloc_usable_size(q) >= to);
      cases::fill(q, to, 9);
      EXPECT(cases::filled(q, to, 9));
      std::free(q);
    }
  }
}

void realloc_grows_step_by_step() {
  char* p = nullptr;
  std::size_t n = 0;
  while (n < (32 << 20)) {
    const std::size_t more = n + n / 2 + 1;
    p = static_cast<char*>(std::realloc(p, more));
    EXPECT(p != nullptr);
    EXPECT(cases::filled(p, n < 4096 ? n : 4096, 11));
    cases::fill(p, more, 11);
    n = more;
  }
  while (n > 8) {
    n /= 3;
    p = static_cast<char*>(std::realloc(p, n + 1));
    EXPECT(p != nullptr && cases::filled(p, n + 1, 11));
  }
  std::free(p);
}

void realloc_as_malloc_and_as_free() {
  void* const p = opaque(std::realloc(nullptr, 100));
  EXPECT(p != nullptr);
  EXPECT(opaque(std::realloc(p, 0)) == nullptr);
  void* const q = opaque(std::realloc(nullptr, 0));
  EXPECT(q != nullptr);
  std::free(q);
  void* const r = opaque(reallocarray(nullptr, 10, 20));
  EXPECT(r != nullptr && malloc_usable_size(r) >= 200);
  EXPECT(opaque(reallocarray(r, 0, 20)) == nullptr);
}

void posix_memalign_aligns() {
  for (std::size_t alignment = sizeof(void*); alignment <= (1 << 20); alignment *= 2) {
    for (const std::size_t n : sizes) {
      void* p[3] = {};
      for (void*& block : p) {
        errno = 77;
        EXPECT(posix_memalign(&block, alignment, n) == 0);
        EXPECT(errno == 77 && block != nullptr && aligned(block, alignment));
        EXPECT(malloc_usable_size(block) >= n);
        cases::fill(block, n < 70000 ? n : 70000, 2);
      }
      for (void* block : p) {
        EXPECT(cases::filled(block, n < 70000 ? n : 70000, 2));
        std::free(block);
      }
    }
  }
}

void posix_memalign_refuses_bad_alignments() {
  void* p = &p;
  for (const std::size_t alignment : {0ul, 1ul, 2ul, 4ul, 3ul, 12ul, 24ul, 48ul, 4097ul}) {
    EXPECT(posix_memalign(&p, *opaque(&alignment), 100) == EINVAL);
    EXPECT(p == &p);
  }
  EXPECT(posix_memalign(&p, std::size_t{1} << 62, 100) == ENOMEM);
  EXPECT(p == &p);
}

void aligned_alloc_and_memalign() {
  for (std::size_t alignment = 1; alignment <= (4 << 20); alignment *= 2) {
    for (const std::size_t n : {std::size_t{1}, alignment, alignment * 3, alignment + 1}) {
      void* const p = opaque(std::aligned_alloc(alignment, n));
      void* const q = opaque(memalign(alignment, n));
      EXPECT(p != nullptr && q != nullptr && p != q);
      EXPECT(aligned(p, alignment) && aligned(q, alignment));
      EXPECT(malloc_usable_size(p) >= n && malloc_usable_size(q) >= n);
      std::memset(p, 1, n);
      std::memset(q, 2, n);
      std::free(p);
      std::free(q);
    }
  }
  for (const std::size_t alignment : {3ul, 12ul, 24ul, 48ul, 100ul}) {
    errno = 0;
    EXPECT(std::aligned_alloc(*opaque(&alignment), 96) == nullptr && errno == EINVAL);
    errno = 0;
    EXPECT(memalign(*opaque(&alignment), 96) == nullptr && errno == EINVAL);
  }
}

void aligned_blocks_can_be_resized() {
  for (std::size_t alignment = 16; alignment <= (1 << 20); alignment *= 4) {
    void* p = opaque(memalign(alignment, 1000));
    cases::fill(p, 1000, 4);
    p = opaque(std::realloc(p, 100000));
    EXPECT(p != nullptr && cases::filled(p, 1000, 4));
    p = opaque(std::realloc(p, 10));
    EXPECT(p != nullptr && cases::filled(p, 10, 4));
    std::free(p);
  }
}

void valloc_and_pvalloc() {
  const std::size_t page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  for (const std::size_t n : {std::size_t{1}, page - 1, page, page + 1, 10 * page}) {
    void* const p = opaque(valloc(n));
    void* const q = opaque(pvalloc(n));
    EXPECT(aligned(p, page) && aligned(q, page));
    EXPECT(malloc_usable_size(q) >= (n + page - 1) / page * page);
    std::free(p);
    std::free(q);
  }
}

void frees_of_every_name() {
  std::free(nullptr);
  if (cfree != nullptr) {
    cfree(opaque(std::malloc(10)));
    cfree(nullptr);
  }
  if (free_sized == nullptr) return;
  for (const std::size_t n : sizes) {
    free_sized(opaque(std::malloc(n)), n);
    free_sized(opaque(std::calloc(1, n)), n);
    free_sized(opaque(std::realloc(std::malloc(5), n + 1)), n + 1);
    for (std::size_t alignment = 1; alignment <= (1 << 16); alignment *= 4)
      free_aligned_sized(opaque(std::aligned_alloc(alignment, n)), alignment, n);
  }
  free_sized(nullptr, 10);
  free_aligned_sized(nullptr, 64, 10);
}

void usable_size_of_null() { EXPECT(malloc_usable_size(opaque<void>(nullptr)) == 0); }

void mallopt_knows_its_parameters() {
  EXPECT(mallopt(M_MMAP_THRESHOLD, 1 << 20) == 1);
  EXPECT(mallopt(M_TRIM_THRESHOLD, 1 << 20) == 1);
  EXPECT(mallopt(M_ARENA_MAX, 2) == 1);
  EXPECT(mallopt(M_MXFAST, 64) == 1);
  EXPECT(mallopt(M_PERTURB, 0) == 1);
}

void trim_releases() {
  constexpr std::size_t n = 256 << 20;
  char* const p = static_cast<char*>(std::malloc(n));
  std::memset(p, 1, n);
  void* blocks[5000];
  for (void*& block : blocks) block = std::memset(opaque(std::malloc(4000)), 1, 4000);
  for (void* block : blocks) std::free(block);
  std::free(opaque(p));
  static_cast<void>(malloc_trim(0));
  EXPECT(cases::resident() < (40 << 20));
}

void mallinfo_tells_of_this_heap() {
  const struct mallinfo2 before = mallinfo2();
  char* const large = static_cast<char*>(opaque(std::malloc(64 << 20)));
  void* blocks[10000];
  for (void*& block : blocks) block = opaque(std::malloc(1000));
  const struct mallinfo2 after = mallinfo2();
  const std::size_t used_before = before.uordblks + before.hblkhd;
  const std::size_t used_after = after.uordblks + after.hblkhd;
  EXPECT(used_after - used_before >= (64 << 20) + 10000 * 1000);
  EXPECT(used_after - used_before <= (65 << 20) + 10000 * 1100);
  const struct mallinfo narrow = mallinfo();
  EXPECT(narrow.uordblks > 9000000 && narrow.hblkhd >= (64 << 20));
  for (void* block : blocks) std::free(block);
  std::free(large);
  const struct mallinfo2 last = mallinfo2();
  EXPECT(last.uordblks + last.hblkhd < used_before + (1 << 20));
}

void malloc_info_prints_xml() {
  char* text = nullptr;
  std::size_t length = 0;
  std::FILE* const stream = open_memstream(&text, &length);
  EXPECT(malloc_info(0, stream) == 0);
  EXPECT(malloc_info(1, stream) == EINVAL);
  std::fclose(stream);
  const std::string xml(text, length);
  EXPECT(xml.find("<malloc version=") == 0);
  EXPECT(xml.find("</malloc>") != std::string::npos);
  std::free(text);
}

constexpr cases::test_case all[] = {
    {"malloc is aligned and usable", malloc_is_aligned_and_usable},
    {"malloc(0) is unique", malloc_of_nothing_is_unique},
    {"absurd sizes are refused", absurd_sizes_are_refused},
    {"calloc clears what was used before", calloc_clears_what_was_used_before},
    {"calloc clears recycled blocks of all sizes", calloc_clears_recycled_blocks_of_all_sizes},
    {"realloc keeps contents", realloc_keeps_contents},
    {"realloc grows step by step", realloc_grows_step_by_step},
    {"realloc as malloc and as free", realloc_as_malloc_and_as_free},
    {"posix_memalign aligns", posix_memalign_aligns},
    {"posix_memalign refuses bad alignments", posix_memalign_refuses_bad_alignments},
    {"aligned_alloc and memalign", aligned_alloc_and_memalign},
    {"aligned blocks can be resized", aligned_blocks_can_be_resized},
    {"valloc and pvalloc", valloc_and_pvalloc},
    {"frees of every name", frees_of_every_name},
    {"usable size of null", usable_size_of_null},
    {"mallopt knows its parameters", mallopt_knows_its_parameters},
    {"malloc_trim releases", trim_releases},
    {"mallinfo tells of this heap", mallinfo_tells_of_this_heap},
    {"malloc_info prints XML", malloc_info_prints_xml},
};

}  // namespace

int main(int argc, char** argv) { return cases::run(argc, argv, all); }

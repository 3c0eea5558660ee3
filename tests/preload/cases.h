// The frame of the black-box programs: named cases, each run in a process of its own by run_cases.py.
//
// `PROGRAM` lists its cases, `PROGRAM CASE` runs one and says by its exit status whether it passed. The programs see
// the allocator only through the C library's names, so they run under any.
#pragma once

#include <fcntl.h>
#include <unistd.h>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#define EXPECT(condition) \
  (static_cast<bool>(condition) ? static_cast<void>(0) : cases::fail(#condition, __FILE__, __LINE__))

namespace cases {

struct test_case {
  const char* name;
  void (*run)();
};

inline int failures = 0;

inline void fail(const char* condition, const char* file, int line) {
  if (++failures <= 20) std::fprintf(stderr, "%s:%d: expected %s\n", file, line, condition);
}

template <std::size_t N>
int run(int argc, char** argv, const test_case (&all)[N]) {
  if (argc < 2) {
    for (const test_case& c : all) std::puts(c.name);
    return 0;
  }
  for (const test_case& c : all) {
    if (std::strcmp(c.name, argv[1]) != 0) continue;
    c.run();
    return failures == 0 ? 0 : 1;
  }
  std::fprintf(stderr, "no case named %s\n", argv[1]);
  return 2;
}

// Keeps the compiler from knowing what `p` points to, so that it cannot remove an allocation or warn of misuse.
template <class T>
T* opaque(T* p) {
  asm volatile("" : "+r"(p) : : "memory");
  return p;
}

// A figure of /proc/self/statm in bytes: 0 the address space, 1 what is resident. Allocates nothing.
inline std::size_t statm(int field) {
  char text[128] = {};
  const int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  const ssize_t length = read(file, text, sizeof text - 1);
  close(file);
  const char* at = text;
  for (; length > 0 && field > 0; --field) at = std::strchr(at, ' ') + 1;
  return std::strtoul(at, nullptr, 10) * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}
inline std::size_t address_space() { return statm(0); }
inline std::size_t resident() { return statm(1); }

inline std::uintptr_t address_of(const void* p) { return reinterpret_cast<std::uintptr_t>(p); }
inline bool aligned(const void* p, std::size_t alignment) { return address_of(p) % alignment == 0; }

inline void fill(void* p, std::size_t n, unsigned seed) {
  unsigned char* bytes = static_cast<unsigned char*>(p);
  for (std::size_t i = 0; i < n; ++i) bytes[i] = static_cast<unsigned char>(seed + i * 7 + (i >> 8));
}
inline bool filled(const void* p, std::size_t n, unsigned seed) {
  const unsigned char* bytes = static_cast<const unsigned char*>(p);
  for (std::size_t i = 0; i < n; ++i)
    if (bytes[i] != static_cast<unsigned char>(seed + i * 7 + (i >> 8))) return false;
  return true;
}
inline bool all_zero(const void* p, std::size_t n) {
  const unsigned char* bytes = static_cast<const unsigned char*>(p);
  for (std::size_t i = 0; i < n; ++i)
    if (bytes[i] != 0) return false;
  return true;
}

}  // namespace cases

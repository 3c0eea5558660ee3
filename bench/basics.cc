// The parts that need no inlining: reading the process's own memory figures and ending with a message.
#include "basics.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace bench {

void fail(const char* why) {
  std::fprintf(stderr, "%s: %s\n", program_invocation_short_name, why);
  std::_Exit(3);
}

std::uint64_t status_kb(const char* field) {
  char text[4096];
  const int file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  const ssize_t length = read(file, text, sizeof text - 1);
  close(file);
  if (length <= 0) return 0;
  text[length] = '\0';
  const char* found = std::strstr(text, field);
  return found == nullptr ? 0 : std::strtoull(found + std::strlen(field), nullptr, 10);
}

}  // namespace bench

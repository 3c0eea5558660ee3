// The parts that need no inlining: reading the process's own memory figures and ending with a message.
#include "basics.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace bench {

void fail(const char* why) {
  std::fprintf(stderr, "%s: %s\n", program_invocation_short_name, why);
  std::_Exit(3);
}

std::uint64_t number_in(std::string_view text) {
  const std::size_t first = text.find_first_of("0123456789");
  std::uint64_t number = 0;
  if (first != std::string_view::npos) std::from_chars(text.data() + first, text.data() + text.size(), number);
  return number;
}

std::string_view read_file(const char* path, std::span<char> into) {
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  const ssize_t length = read(file, into.data(), into.size());
  close(file);
  return {into.data(), length < 0 ? 0 : static_cast<std::size_t>(length)};
}

std::uint64_t status_kb(const char* field) {
  char text[4096];
  const std::string_view status = read_file("/proc/self/status", text);
  const std::size_t at = status.find(field);
  if (at == std::string_view::npos) return 0;
  return number_in(status.substr(at + std::strlen(field)));
}

}  // namespace bench

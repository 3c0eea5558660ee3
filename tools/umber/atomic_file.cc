// Every step is checked, close and fsync too: some file systems tell of a full disk only then.
#include "atomic_file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>

#include <fmt/format.h>

#include "command.h"

namespace umber::tool {

namespace {

bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = write(file, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return fsync(file) == 0 || errno == EINVAL;
}

[[noreturn]] void give_up(const std::filesystem::path& path, int reason) {
  throw failure(1, fmt::format("cannot write {}: {}", path.string(), strerror(reason)));
}

// A device or a pipe cannot be replaced by rename: it is written as it is.
void write_in_place(const std::filesystem::path& path, std::string_view text) {
  const int file = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (file < 0) give_up(path, errno);
  const bool written = write_all(file, text);
  const int reason = errno;
  close(file);
  if (!written) give_up(path, reason);
}

}  // namespace

void check_writable(const std::filesystem::path& path) {
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  if (std::filesystem::is_directory(path)) give_up(path, EISDIR);
  if (access(path.c_str(), F_OK) == 0 && access(path.c_str(), W_OK) != 0) give_up(path, errno);
  if (access(folder.c_str(), W_OK | X_OK) != 0) give_up(path, errno);
}

void write_atomically(const std::filesystem::path& path, std::string_view text) {
  struct stat existing = {};
  if (stat(path.c_str(), &existing) == 0 && !S_ISREG(existing.st_mode) && !S_ISDIR(existing.st_mode)) {
    return write_in_place(path, text);
  }
  std::string temporary = path.string() + ".XXXXXX";
  const int file = mkostemp(temporary.data(), O_CLOEXEC);
  if (file < 0) give_up(path, errno);
  const mode_t mask = umask(0);
  umask(mask);
  bool good = write_all(file, text) && fchmod(file, 0666 & ~mask) == 0;
  int reason = good ? 0 : errno;
  if (close(file) != 0 && good) {
    good = false;
    reason = errno;
  }
  if (good && rename(temporary.c_str(), path.c_str()) != 0) {
    good = false;
    reason = errno;
  }
  if (good) return;
  unlink(temporary.c_str());
  give_up(path, reason);
}

}  // namespace umber::tool

#include "output.h"

#include <errno.h>
#include <unistd.h>

namespace umber::gc {

output& output::quoted(const char* s, std::size_t length) {
  for (std::size_t i = 0; i < length; ++i) {
    if (s[i] == '"' || s[i] == '\\') *this << '\\';
    *this << (s[i] >= ' ' && s[i] < 127 ? s[i] : '?');
  }
  return *this;
}

void output::flush() {
  const int errno_before = errno;
  std::size_t done = 0;
  while (done < used_ && failure_ == 0) {
    const ssize_t count = ::write(file_, buffer_ + done, used_ - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      failure_ = count == 0 ? ENOSPC : errno;
    } else {
      done += static_cast<std::size_t>(count);
    }
  }
  written_ += done;
  used_ = 0;
  errno = errno_before;
}

}  // namespace umber::gc

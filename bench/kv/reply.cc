// One string that grows; a reply is copied into it once, and sent from there.
#include "reply.h"

#include <algorithm>
#include <cstring>

#include "numbers.h"

namespace kv {

void reply::header(char type, std::int64_t n) {
  const digits written(n);
  char line[40];
  line[0] = type;
  std::memcpy(line + 1, written.text().data(), written.text().size());
  std::memcpy(line + 1 + written.text().size(), "\r\n", 2);
  text_.append(line, written.text().size() + 3);
}

void reply::bulk(std::string_view bytes) {
  header('$', static_cast<std::int64_t>(bytes.size()));
  text_.append(bytes).append("\r\n", 2);
}

void reply::bulk(double n) { bulk(digits(n).text()); }

void reply::error(std::string_view line) {
  const std::size_t begin = text_.size() + 1;
  text_.append("-").append(line);
  std::replace_if(
      text_.begin() + static_cast<std::ptrdiff_t>(begin), text_.end(), [](char c) { return c == '\r' || c == '\n'; },
      ' ');
  text_ += "\r\n";
}

void reply::drop(std::size_t bytes) {
  sent_ += bytes;
  if (sent_ < text_.size()) return;
  text_.clear();
  sent_ = 0;
  if (text_.capacity() > kept) text_.shrink_to_fit();
}

}  // namespace kv

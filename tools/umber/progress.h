// A line on the terminal that is overwritten by the next; nothing at all when stderr is a file.
#pragma once

#include <unistd.h>

#include <cstdio>
#include <string>

#include <fmt/core.h>

namespace umber::tool {

class progress {
 public:
  progress() = default;
  ~progress() { show(""); }
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;
  void show(const std::string& text) const {
    if (terminal_) fmt::print(stderr, "\r\033[K{}", text);
  }

 private:
  bool terminal_ = isatty(STDERR_FILENO) == 1;
};

}  // namespace umber::tool

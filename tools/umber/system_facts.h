// What the kernel and the limits of this process mean for a heap. Read from /proc, /sys and getrlimit; nothing is
// changed.
#pragma once

#include <string>
#include <vector>

namespace umber::tool {

// One line of `umber doctor`. The advice is "ok" when there is nothing to change.
struct finding {
  std::string what;
  std::string found;
  std::string advice;
};

[[nodiscard]] std::vector<finding> system_findings();

}  // namespace umber::tool

// What the kernel and the limits of this process mean for a heap. Read from /proc, /sys and getrlimit; nothing is
// changed.
#pragma once

#include <cstdint>
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

// What a program may be resident with, in bytes: the machine's memory, or the smaller limit of the cgroup.
[[nodiscard]] std::uint64_t usable_memory();

}  // namespace umber::tool

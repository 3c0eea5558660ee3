// What the system says of this process.
#pragma once

#include <cstdint>

namespace bench {

[[nodiscard]] std::uint64_t resident_bytes();
[[nodiscard]] std::uint64_t peak_resident_bytes();
[[nodiscard]] std::uint64_t thread_cpu_ns();  // of the calling thread

struct process_figures {
  std::uint64_t cpu_ns;  // user and system, all threads
  std::uint64_t minor_faults;
  std::uint64_t major_faults;
};
[[nodiscard]] process_figures read_process_figures();

}  // namespace bench

#include "process_figures.h"

#include "../basics.h"

#include <sys/resource.h>
#include <unistd.h>
#include <ctime>

namespace bench {

std::uint64_t resident_bytes() {
  char text[128];
  const std::string_view sizes = read_file("/proc/self/statm", text);
  const std::size_t second = sizes.find(' ');
  if (second == std::string_view::npos) return 0;
  return number_in(sizes.substr(second)) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

std::uint64_t peak_resident_bytes() { return status_kb("VmHWM:") * 1024; }

std::uint64_t thread_cpu_ns() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(t.tv_nsec);
}

process_figures read_process_figures() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto ns = [](const timeval& t) {
    return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(t.tv_usec) * 1000u;
  };
  return {ns(used.ru_utime) + ns(used.ru_stime), static_cast<std::uint64_t>(used.ru_minflt),
          static_cast<std::uint64_t>(used.ru_majflt)};
}

}  // namespace bench

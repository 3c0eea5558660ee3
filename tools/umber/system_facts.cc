// One function per finding. A file that is absent is reported as such: containers often hide parts of /proc and /sys.
#include "system_facts.h"

#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>
#include <thread>

#include <fmt/format.h>

namespace umber::tool {

namespace {

constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20;

std::optional<std::string> first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  return line;
}

std::string size_text(std::uint64_t bytes) {
  if (bytes >= 1024 * mebibyte)
    return fmt::format("{:.1f} GiB", static_cast<double>(bytes) / 1024 / static_cast<double>(mebibyte));
  return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / static_cast<double>(mebibyte));
}

// The kernel writes alternatives with the one in force in brackets: "always [madvise] never".
std::string chosen_of(const std::string& alternatives) {
  const std::size_t open = alternatives.find('[');
  const std::size_t close = alternatives.find(']');
  if (open == std::string::npos || close == std::string::npos || close < open) return alternatives;
  return alternatives.substr(open + 1, close - open - 1);
}

finding kernel() {
  utsname names = {};
  uname(&names);
  int major = 0;
  int minor = 0;
  std::istringstream release(names.release);
  char dot = 0;
  release >> major >> dot >> minor;
  const bool recent = major > 5 || (major == 5 && minor >= 4);
  return {"kernel", fmt::format("{} {} {}", names.sysname, names.release, names.machine),
          recent ? "ok" : "5.4 or later is what umber is tested on"};
}

finding cores() {
  const unsigned count = std::thread::hardware_concurrency();
  return {"cores", std::to_string(count),
          count > 1 ? "ok" : "rows with several threads measure switching, not sharing"};
}

finding processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (line.rfind("model name", 0) == 0 && colon != std::string::npos)
      return {"processor", line.substr(colon + 2), "ok"};
  }
  return {"processor", "not named", "ok"};
}

std::uint64_t physical_memory() {
  return static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

finding memory() { return {"memory", size_text(physical_memory()), "ok"}; }

finding page_size() {
  const long bytes = sysconf(_SC_PAGESIZE);
  return {"page size", fmt::format("{} B", bytes),
          bytes <= 8192 ? "ok" : "larger than umber's own 8 KiB pages: memory goes back in coarser steps"};
}

finding huge_pages() {
  const auto mode = first_line("/sys/kernel/mm/transparent_hugepage/enabled");
  if (!mode)
    return {"huge pages", "not offered", "first touches cost about four times more; enable transparent huge pages"};
  const std::string chosen = chosen_of(*mode);
  if (chosen == "madvise") return {"huge pages", chosen, "ok"};
  if (chosen == "always")
    return {"huge pages", chosen,
            "madvise lets the allocator choose; always can raise the resident memory of sparse heaps"};
  return {"huge pages", chosen, "madvise would let dense heaps use huge pages"};
}

finding huge_page_defrag() {
  const auto mode = first_line("/sys/kernel/mm/transparent_hugepage/defrag");
  if (!mode) return {"huge page defrag", "not offered", "ok"};
  const std::string chosen = chosen_of(*mode);
  const bool stalls = chosen == "always";
  return {"huge page defrag", chosen, stalls ? "defer+madvise avoids stalls for compaction in page faults" : "ok"};
}

finding khugepaged() {
  const auto none = first_line("/sys/kernel/mm/transparent_hugepage/khugepaged/max_ptes_none");
  if (!none) return {"khugepaged", "not offered", "ok"};
  const bool undoes = std::atoi(none->c_str()) > 64;
  return {"khugepaged", fmt::format("max_ptes_none {}", *none),
          undoes ? "0 keeps khugepaged from filling the holes that a heap has given back" : "ok"};
}

finding overcommit() {
  const auto policy = first_line("/proc/sys/vm/overcommit_memory");
  if (!policy) return {"overcommit", "not readable", "ok"};
  if (*policy == "2")
    return {"overcommit", "2 (strict)", "reserved address space counts against the limit; 0 is what allocators expect"};
  return {"overcommit", *policy == "1" ? "1 (always)" : "0 (heuristic)", "ok"};
}

finding mapping_limit() {
  const auto text = first_line("/proc/sys/vm/max_map_count");
  if (!text) return {"max_map_count", "not readable", "ok"};
  return {"max_map_count", *text,
          std::atol(text->c_str()) >= 65530 ? "ok" : "65530 or more, for heaps with many holes"};
}

// The path of this process in the hierarchy, as /proc/self/cgroup says it for version 2 ("0::/path").
std::string cgroup_path() {
  std::ifstream file("/proc/self/cgroup");
  std::string line;
  while (std::getline(file, line)) {
    if (line.compare(0, 3, "0::") == 0) return line.substr(3);
  }
  return "/";
}

// A limit anywhere above a group holds for it too: the smallest on the way up counts.
std::optional<std::uint64_t> smallest_limit() {
  std::optional<std::uint64_t> smallest;
  std::string path = cgroup_path();
  while (true) {
    const auto text = first_line("/sys/fs/cgroup" + path + "/memory.max");
    if (text && *text != "max") {
      const std::uint64_t limit = std::strtoull(text->c_str(), nullptr, 10);
      if (!smallest || limit < *smallest) smallest = limit;
    }
    if (path.empty() || path == "/") return smallest;
    path.erase(path.rfind('/'));
  }
}

finding cgroup_limit() {
  const char* advice = "ok";
  if (first_line("/sys/fs/cgroup/cgroup.controllers")) {
    const auto limit = smallest_limit();
    return {"cgroup memory limit", limit ? size_text(*limit) + " (v2)" : "none (v2)", advice};
  }
  const auto old = first_line("/sys/fs/cgroup/memory/memory.limit_in_bytes");
  if (!old) return {"cgroup memory limit", "no cgroup visible", advice};
  const std::uint64_t limit = std::strtoull(old->c_str(), nullptr, 10);
  constexpr std::uint64_t unlimited = std::uint64_t{1} << 60;
  return {"cgroup memory limit", limit >= unlimited ? "none (v1)" : size_text(limit) + " (v1)", advice};
}

finding resource_limit(const char* name, decltype(RLIMIT_AS) which, const char* advice) {
  rlimit limit = {};
  getrlimit(which, &limit);
  if (limit.rlim_cur == RLIM_INFINITY) return {name, "unlimited", "ok"};
  return {name, size_text(limit.rlim_cur), advice};
}

finding static_tls() {
  const auto tunables = std::getenv("GLIBC_TUNABLES");
  const std::string text = tunables == nullptr ? "" : tunables;
  const std::size_t at = text.find("rtld.optional_static_tls=");
  if (at == std::string::npos) return {"static TLS", "512 B optional (default)", "ok"};
  return {"static TLS", text.substr(at, text.find(':', at) - at), "ok"};
}

finding secure_mode() {
  const bool secure = getauxval(AT_SECURE) != 0;
  return {"LD_PRELOAD", secure ? "ignored (set-uid program)" : "honoured", secure ? "run umber without set-uid" : "ok"};
}

}  // namespace

std::uint64_t usable_memory() {
  return std::min(physical_memory(), smallest_limit().value_or(std::numeric_limits<std::uint64_t>::max()));
}

std::vector<finding> system_findings() {
  return {kernel(),
          processor(),
          cores(),
          memory(),
          page_size(),
          huge_pages(),
          huge_page_defrag(),
          khugepaged(),
          overcommit(),
          mapping_limit(),
          cgroup_limit(),
          resource_limit("RLIMIT_AS", RLIMIT_AS,
                         "address space is reserved in large pieces; unlimited avoids early failure"),
          resource_limit("RLIMIT_DATA", RLIMIT_DATA, "counts every writable mapping; unlimited avoids early failure"),
          resource_limit("RLIMIT_STACK", RLIMIT_STACK, "ok"),
          static_tls(),
          secure_mode()};
}

}  // namespace umber::tool

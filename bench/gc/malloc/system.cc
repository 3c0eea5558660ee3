#include "system.h"

#include "../harness.h"

#include <gnu/libc-version.h>

namespace bench {

const char* take_option(std::string_view name, std::string_view, memory_choices&) {
  if (name == "--percent" || name == "--limit" || name == "--workers" || name == "--collector")
    return "malloc has no collector to tell this";
  return "there is no such option";
}

std::vector<std::pair<const char*, std::string>> listed(const memory_choices&) { return {}; }

std::string memory::version() const {
  const char* preloaded = std::getenv("LD_PRELOAD");
  if (preloaded != nullptr && *preloaded != '\0') return preloaded;
  return std::string("glibc ") + gnu_get_libc_version();
}

std::span<const workload> own_workloads() { return {}; }

}  // namespace bench

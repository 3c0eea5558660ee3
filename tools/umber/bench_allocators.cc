// Finding is by file name in the system's folders: no library is opened here, so a broken one shows as a failed row.
#include "bench_allocators.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "command.h"
#include "places.h"

namespace umber::tool {

namespace {

constexpr peer peers[] = {
    {"glibc", "libc.so.6", "libc6"},
    {"mimalloc", "libmimalloc.so.2", "libmimalloc2.0"},
    {"jemalloc", "libjemalloc.so.2", "libjemalloc2"},
    {"tcmalloc", "libtcmalloc_minimal.so.4", "libtcmalloc-minimal4"},
};

std::optional<allocator> find_allocator(const std::string& name) {
  if (name == "umber") {
    const auto library = find_umber_library();
    return library ? std::optional(allocator{name, *library, "LD_PRELOAD"}) : std::nullopt;
  }
  for (const peer& each : peers) {
    if (name != each.name) continue;
    const auto library = find_library(each.library);
    return library ? std::optional(allocator{name, *library, "LD_PRELOAD"}) : std::nullopt;
  }
  return std::nullopt;
}

// Why a name does not lead to a library, and which names do.
std::string explain(const std::string& name) {
  std::string valid;
  for (const char* each : {"umber", "glibc", "mimalloc", "jemalloc", "tcmalloc"}) {
    if (find_allocator(each)) valid += (valid.empty() ? "" : ", ") + std::string(each);
  }
  if (name == "umber")
    return fmt::format("libumber_malloc.so is not beside this program; set UMBER_LIBRARY (found: {})", valid);
  for (const peer& each : peers) {
    if (name == each.name)
      return fmt::format("{} is not installed: apt-get install {} (found: {})", name, each.package, valid);
  }
  return fmt::format("no allocator is called '{}'; there are {}, and --with NAME=PATH", name, valid);
}

allocator parse_with(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
    throw failure(2, fmt::format("--with {}: expected NAME=/path/of/library.so", text));
  }
  const allocator parsed = {text.substr(0, equals), std::filesystem::path(text.substr(equals + 1)), "LD_PRELOAD"};
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(parsed.library, ignored)) {
    throw failure(2, fmt::format("--with {}: no such file", text));
  }
  return {parsed.name, std::filesystem::absolute(parsed.library), parsed.variable};
}

void check_distinct(const std::vector<allocator>& chosen) {
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    if (chosen[i].library.string().find_first_of(" :") != std::string::npos) {
      throw failure(2, fmt::format("{}: LD_PRELOAD allows no space or colon in a path", chosen[i].library.string()));
    }
    for (std::size_t k = 0; k < i; ++k) {
      if (chosen[i].name == chosen[k].name) throw failure(2, fmt::format("'{}' is given twice", chosen[i].name));
    }
  }
}

}  // namespace

std::span<const peer> known_peers() { return peers; }

std::vector<allocator> choose_allocators(const std::vector<std::string>& names, const std::vector<std::string>& with) {
  std::vector<allocator> given;
  for (const std::string& text : with) given.push_back(parse_with(text));
  std::vector<allocator> chosen;
  for (const std::string& name : names) {
    const auto own = std::find_if(given.begin(), given.end(), [&](const allocator& each) { return each.name == name; });
    const auto found = own == given.end() ? find_allocator(name) : std::nullopt;
    if (own == given.end() && !found) throw failure(2, explain(name));
    chosen.push_back(found ? *found : *own);
    if (own != given.end()) given.erase(own);
  }
  if (names.empty()) {
    for (const char* name : {"umber", "glibc", "mimalloc", "jemalloc", "tcmalloc"}) {
      const bool replaced =
          std::any_of(given.begin(), given.end(), [&](const allocator& each) { return each.name == name; });
      const auto found = find_allocator(name);
      if (found && !replaced) chosen.push_back(*found);
    }
  }
  chosen.insert(chosen.end(), given.begin(), given.end());
  check_distinct(chosen);
  return chosen;
}

}  // namespace umber::tool

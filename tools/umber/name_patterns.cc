// Patterns are those of file names.
#include "name_patterns.h"

#include <fnmatch.h>

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "command.h"

namespace umber::tool {

bool matches(const std::string& name, const std::vector<std::string>& patterns) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& each) { return fnmatch(each.c_str(), name.c_str(), 0) == 0; });
}

void check_known(const std::vector<std::string>& patterns, const std::vector<std::string>& names, const char* kind) {
  for (const std::string& pattern : patterns) {
    if (std::any_of(names.begin(), names.end(), [&](const std::string& name) { return matches(name, {pattern}); }))
      continue;
    throw failure(2, fmt::format("no {} is called '{}'; there are: {}", kind, pattern, fmt::join(names, " ")));
  }
}

}  // namespace umber::tool

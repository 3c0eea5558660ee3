// Names that a user chooses from a list, each given whole or as a pattern such as `random-*`.
#pragma once

#include <string>
#include <vector>

namespace umber::tool {

[[nodiscard]] bool matches(const std::string& name, const std::vector<std::string>& patterns);

// Throws `failure` with status 2, naming what is valid, when a pattern matches none of the names. `kind` is what the
// names are of, such as "workload".
void check_known(const std::vector<std::string>& patterns, const std::vector<std::string>& names, const char* kind);

}  // namespace umber::tool

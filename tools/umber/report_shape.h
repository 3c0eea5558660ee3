// The shape of the documents that `umber report` reads: which fields there are and of what kind. The page relies on it,
// so that a document of another kind is refused here, in one line, and not half shown there.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace umber::tool {

// Returns what is wrong with a document of `umber bench --json`, such as "rows/3/median/wall_ns is text, not a number";
// empty when nothing is. Members that are null are taken for absent and removed.
[[nodiscard]] std::string shape_problem(nlohmann::ordered_json& document);

}  // namespace umber::tool

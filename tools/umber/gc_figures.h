// The figures of one run, under the names of bench/results.md, taken or computed from the object that it printed.
#pragma once

#include <map>
#include <string>

#include <nlohmann/json.hpp>

namespace umber::tool {

using figure_map = std::map<std::string, double>;

// What the object does not say is absent.
[[nodiscard]] figure_map figures_of(const nlohmann::ordered_json& run);

// Takes out what is large: the buckets of every histogram, the timeline, pauses, cycles and utilisation.
void drop_details(nlohmann::ordered_json& run);

}  // namespace umber::tool

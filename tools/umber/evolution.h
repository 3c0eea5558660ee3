// The steps by which allocators and collectors came to be what they are: what each was taken for, and in figures.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace umber::tool {

// The end of a figure's name is its unit: _ns, seconds, _kb.
struct step_figure {
  std::string row;
  std::string figure;
  double from = 0;
  double to = 0;
};

struct evolution_step {
  std::string from;
  std::string to;
  std::string why;
  std::vector<step_figure> figures;
};

// A line for each step, and below it one for each figure; empty without steps.
[[nodiscard]] std::string evolution_text(const std::vector<evolution_step>& steps);

// The array `steps` of bench/results.md.
[[nodiscard]] nlohmann::ordered_json evolution_json(const std::vector<evolution_step>& steps);

}  // namespace umber::tool

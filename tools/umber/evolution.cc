// Shown in the unit in which the figures of a step have few digits.
#include "evolution.h"

#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "table.h"

namespace umber::tool {

namespace {

struct unit {
  const char* ending;
  const char* name;
  double factor;
};

constexpr unit units[] = {{"_ns", "us", 1e-3}, {"seconds", "ms", 1e3}, {"_kb", "MiB", 1.0 / 1024}};

unit unit_of(const std::string& figure) {
  for (const unit& each : units) {
    const std::string ending = each.ending;
    if (figure.size() >= ending.size() && figure.compare(figure.size() - ending.size(), ending.size(), ending) == 0)
      return each;
  }
  return {"", "", 1};
}

std::string short_number(double value) {
  const double size = std::fabs(value);
  return fmt::format("{:.{}f}", value, size == 0 || size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

}  // namespace

std::string evolution_text(const std::vector<evolution_step>& steps) {
  std::string text;
  for (const evolution_step& each : steps) {
    text += fmt::format("{} -> {}: {}\n", each.from, each.to, each.why);
    table lines({align::left, align::left, align::right, align::left, align::right, align::left});
    for (const step_figure& one : each.figures) {
      const unit in = unit_of(one.figure);
      lines.add({fmt::format("  {}", one.row), one.figure, short_number(one.from * in.factor), "->",
                 short_number(one.to * in.factor), in.name});
    }
    text += lines.text() + "\n";
  }
  return text;
}

nlohmann::ordered_json evolution_json(const std::vector<evolution_step>& steps) {
  nlohmann::ordered_json array = nlohmann::ordered_json::array();
  for (const evolution_step& each : steps) {
    nlohmann::ordered_json step = {{"from", each.from}, {"to", each.to}, {"why", each.why}};
    for (const step_figure& one : each.figures)
      step["figures"].push_back({{"row", one.row}, {"figure", one.figure}, {"from", one.from}, {"to", one.to}});
    array.push_back(step);
  }
  return array;
}

}  // namespace umber::tool

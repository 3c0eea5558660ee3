// Arithmetic only.
#include "statistics.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace umber::tool {

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::optional<double> fitted_exponent(const std::vector<std::pair<double, double>>& points) {
  double count = 0;
  double sum_x = 0;
  double sum_y = 0;
  double sum_xx = 0;
  double sum_xy = 0;
  for (const auto& [x, y] : points) {
    if (x <= 0 || y <= 0) continue;
    const double log_x = std::log(x);
    const double log_y = std::log(y);
    count += 1;
    sum_x += log_x;
    sum_y += log_y;
    sum_xx += log_x * log_x;
    sum_xy += log_x * log_y;
  }
  const double width = count * sum_xx - sum_x * sum_x;
  if (count < 3 || width <= 1e-9) return std::nullopt;
  return (count * sum_xy - sum_x * sum_y) / width;
}

void agreement::add(const std::string& name, const std::string& checksum) {
  std::vector<std::string>& names = names_[checksum];
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

std::string agreement::disagreement() const {
  std::string text;
  if (holds()) return text;
  for (const auto& [checksum, names] : names_)
    text += fmt::format("{}{} from {}", text.empty() ? "" : "; ", checksum, fmt::join(names, " "));
  return text;
}

}  // namespace umber::tool

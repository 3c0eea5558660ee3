// What several runs come to, and whether they computed the same.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace umber::tool {

// Zero for none.
[[nodiscard]] double median(std::vector<double> values);

// The k of y ~ x^k, by least squares over the logarithms. Nothing below three points that are above zero.
[[nodiscard]] std::optional<double> fitted_exponent(const std::vector<std::pair<double, double>>& points);

// Who computed what: checksum to the names that arrived at it.
class agreement {
 public:
  void add(const std::string& name, const std::string& checksum);
  [[nodiscard]] bool holds() const { return names_.size() < 2; }
  // "CHECKSUM from NAME NAME; CHECKSUM from NAME", or nothing while it holds.
  [[nodiscard]] std::string disagreement() const;
  [[nodiscard]] const std::map<std::string, std::vector<std::string>>& names_by_checksum() const { return names_; }

 private:
  std::map<std::string, std::vector<std::string>> names_;
};

}  // namespace umber::tool

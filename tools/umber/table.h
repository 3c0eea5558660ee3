// A table for the terminal: columns as wide as their widest cell, the first to the left and numbers to the right.
#pragma once

#include <string>
#include <vector>

namespace umber::tool {

enum class align { left, right };

class table {
 public:
  explicit table(std::vector<align> columns) : columns_(std::move(columns)) {}

  // A row may be shorter than the table.
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

  // Returns all rows, each ending in a line feed and none in a space.
  [[nodiscard]] std::string text() const;

 private:
  std::vector<align> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace umber::tool

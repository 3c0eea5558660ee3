// What `umber bench gc` runs: each row is a workload with its arguments, done by every system that has it.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace umber::tool {

enum class gc_part { main, scaling, tuning, evolution };

[[nodiscard]] const char* name_of(gc_part part);

struct gc_row {
  gc_part part = gc_part::main;
  std::string workload;
  std::vector<std::string> arguments;
  // Of a row that is one point of a study: the size of its live set, or the setting that it has.
  std::uint64_t live_bytes = 0;
  // Of a row that our heap alone does, and only where there is room for it: what it holds. 0: all do it.
  std::uint64_t own_live_bytes = 0;
  std::optional<unsigned> percent = {};
  std::optional<std::uint64_t> limit = {};

  // Everything after the workload's name.
  [[nodiscard]] std::vector<std::string> words() const;
  // The workload and its words: rows of one name are the same work.
  [[nodiscard]] std::string name() const;
  // The same without the setting of a tuning row.
  [[nodiscard]] std::string study() const;
};

struct gc_plan_options {
  std::set<gc_part> parts;
  // Patterns; all when empty.
  std::vector<std::string> workloads;
  // In place of the plan's own.
  std::vector<std::string> arguments;
  std::optional<double> scale;
  bool quick = false;
  std::vector<std::uint64_t> live_sizes;
  std::vector<unsigned> percents;
  std::vector<std::uint64_t> limits;
};

// The rows in the order in which they run. `workloads` is what the systems have between them: what the plan does not
// know is run as it is.
[[nodiscard]] std::vector<gc_row> plan_rows(const gc_plan_options& options, const std::set<std::string>& workloads);

}  // namespace umber::tool

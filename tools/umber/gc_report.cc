// A table has a line for each system and only the columns in which one of them has a figure.
#include "gc_report.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include <fmt/format.h>

#include "gc_studies.h"
#include "gc_targets.h"
#include "table.h"

namespace umber::tool {

namespace {

std::string figure_text(double value) {
  const double size = std::fabs(value);
  return fmt::format("{:.{}f}", value, size == 0 || size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

std::string unit_text(std::optional<double> value, double unit) { return value ? figure_text(*value / unit) : ""; }

struct column {
  std::string title;
  std::function<std::string(const gc_cell&)> text;
};

column measured(const char* title, const char* figure, double unit) {
  return {title, [figure, unit](const gc_cell& cell) { return unit_text(cell.figure(figure), unit); }};
}

std::string share(std::optional<double> part) { return part ? fmt::format("{:.0f}%", *part * 100) : ""; }

std::string factor(std::optional<double> ratio) { return ratio ? fmt::format("{:.2f}", *ratio) : ""; }

// Of a paced row the response counts, of another the service.
std::string latency(const gc_cell& cell, const std::string& point) {
  const auto response = cell.figure("response_" + point + "_ns");
  return unit_text(response ? response : cell.figure("service_" + point + "_ns"), 1e3);
}

column latency_column(const char* title, const char* point) {
  return {title, [point](const gc_cell& cell) { return latency(cell, point); }};
}

std::string utilisation(const gc_cell& cell) {
  std::string text;
  for (const char* window : {"mmu_1ms", "mmu_10ms", "mmu_100ms"}) {
    const auto value = cell.figure(window);
    if (!value) return "";
    if (!text.empty()) text += '/';
    text += fmt::format("{:.0f}", *value * 100);
  }
  return text;
}

constexpr double mebibyte = 1024 * 1024;

std::vector<column> time_columns() {
  return {
      measured("ms", "wall_ns", 1e6),
      {"spread",
       [](const gc_cell& cell) { return share(cell.relative_spread(cell.paced ? "response_p99_ns" : "wall_ns")); }},
      {"ratio", [](const gc_cell& cell) { return factor(cell.time_ratio); }},
      {"x cheapest CPU", [](const gc_cell& cell) { return factor(cell.lower_bound_cpu); }},
      measured("cycles", "cycles", 1),
      measured("CPU ms", "process_ns", 1e6),
      measured("mutator", "mutator_ns", 1e6),
      measured("mark", "mark_ns", 1e6),
      measured("sweep", "sweep_ns", 1e6),
      measured("assist", "assist_ns", 1e6),
      measured("barrier", "barrier_ns", 1e6),
      measured("collector", "collector_ns", 1e6),
      measured("garbage MiB/CPU s", "garbage_bytes_per_cpu_s", mebibyte),
  };
}

std::vector<column> latency_columns() {
  return {
      latency_column("p50 us", "p50"),
      latency_column("p99", "p99"),
      latency_column("p99.9", "p99.9"),
      latency_column("p99.99", "p99.99"),
      latency_column("max", "max"),
      measured("longest stall", "stall_max_ns", 1e3),
      measured("machine p99.99", "jitter_p99.99_ns", 1e3),
      measured("machine max", "jitter_max_ns", 1e3),
      {"MMU % 1/10/100 ms", utilisation},
      measured("stalls/s", "stalls_per_s", 1),
      measured("stalled ms", "stall_sum_ns", 1e6),
      measured("operations/s", "operations_per_s", 1),
  };
}

// Of a server: what one client beside the load felt, and while the server collected.
std::vector<column> probe_columns() {
  return {
      measured("probe p50 us", "probe_p50_ns", 1e3),
      measured("p99", "probe_p99_ns", 1e3),
      measured("p99.9", "probe_p99.9_ns", 1e3),
      measured("max", "probe_max_ns", 1e3),
      measured("collecting: p50 us", "probe_collecting_p50_ns", 1e3),
      measured("p99", "probe_collecting_p99_ns", 1e3),
      measured("p99.9", "probe_collecting_p99.9_ns", 1e3),
      measured("max", "probe_collecting_max_ns", 1e3),
  };
}

std::vector<column> memory_columns() {
  return {
      measured("RSS MiB", "peak_rss", mebibyte),
      measured("at end", "end_rss", mebibyte),
      measured("returned", "returned_bytes", mebibyte),
      measured("live", "live_bytes", mebibyte),
      measured("held", "held_bytes", mebibyte),
      measured("held/live", "fragmentation", 1),
      measured("metadata", "metadata_bytes", mebibyte),
      measured("page faults", "minor_faults", 1),
      measured("allocated MiB/s", "allocated_bytes_per_s", mebibyte),
      measured("cores", "cores_used", 1),
      measured("first/later", "warm_up", 1),
  };
}

// What the workload measures besides, under the names it gives.
std::vector<column> own_columns(const gc_row_result& result) {
  std::vector<column> columns;
  std::set<std::string> seen;
  for (const gc_cell& cell : result.cells) {
    if (!cell.measured() || !cell.runs[cell.shown].object.contains("figures")) continue;
    for (const auto& [name, value] : cell.runs[cell.shown].object["figures"].items()) {
      if (!value.is_number() || !seen.insert(name).second) continue;
      columns.push_back({name, [figure = name](const gc_cell& each) { return unit_text(each.figure(figure), 1); }});
    }
  }
  return columns;
}

bool same_in_all(const std::vector<gc_cell>& cells, const column& one) {
  return std::all_of(cells.begin(), cells.end(),
                     [&](const gc_cell& cell) { return !cell.measured() || one.text(cell).empty(); });
}

std::string cell_table(const std::vector<gc_cell>& cells, std::vector<column> columns) {
  columns.erase(
      std::remove_if(columns.begin(), columns.end(), [&](const column& one) { return same_in_all(cells, one); }),
      columns.end());
  if (columns.empty()) return "";
  std::vector<align> alignment = {align::left};
  alignment.resize(1 + columns.size(), align::right);
  table lines(alignment);
  std::vector<std::string> header = {"  system"};
  for (const column& one : columns) header.emplace_back(one.title);
  lines.add(header);
  for (const gc_cell& cell : cells) {
    std::vector<std::string> texts = {fmt::format("  {}", cell.system)};
    if (!cell.measured()) {
      if (cell.unsupported) continue;
      texts.emplace_back("FAILED");
    } else {
      for (const column& one : columns) texts.push_back(one.text(cell).empty() ? "-" : one.text(cell));
    }
    lines.add(texts);
  }
  return lines.text();
}

bool is_latency_row(const gc_row_result& result) {
  return std::any_of(result.cells.begin(), result.cells.end(), [](const gc_cell& cell) {
    return cell.figure("response_p99_ns") || cell.figure("service_p99_ns") || cell.figure("stall_max_ns");
  });
}

std::string fewer_runs(const gc_row_result& result) {
  if (result.runs_done >= result.runs_asked) return "";
  return fmt::format(" ({} of {} runs: it takes long)", result.runs_done, result.runs_asked);
}

// A row without any figure is told of by the lines at the end.
std::string row_text(const gc_row_result& result) {
  if (std::none_of(result.cells.begin(), result.cells.end(), [](const gc_cell& cell) { return cell.measured(); }))
    return "";
  std::string text = fmt::format("{}: {}{}\n", result.row.name(), result.cells.front().description, fewer_runs(result));
  text += cell_table(result.cells, time_columns());
  if (is_latency_row(result)) text += fmt::format("\n{}", cell_table(result.cells, latency_columns()));
  const std::string probe = cell_table(result.cells, probe_columns());
  if (!probe.empty()) text += fmt::format("\n{}", probe);
  text += fmt::format("\n{}", cell_table(result.cells, memory_columns()));
  const std::string own = cell_table(result.cells, own_columns(result));
  return fmt::format("{}{}{}\n", text, own.empty() ? "" : "\n", own);
}

// What rounds to nothing has no sign.
std::string exponent_text(std::optional<double> exponent) {
  if (!exponent) return "-";
  return fmt::format("{:.2f}", std::fabs(*exponent) < 0.005 ? 0.0 : *exponent);
}

std::string scaling_text(const gc_results& all) {
  const std::vector<scaling_study> studies = scaling_studies(all);
  if (studies.empty()) return "";
  table lines({align::left, align::left, align::left, align::right, align::left});
  lines.add({"scaling with the live set", "system", "figure", "exponent", "live MiB: ms"});
  for (const scaling_study& each : studies) {
    std::string points;
    for (const scaling_point& point : each.points) {
      points += fmt::format("{}{}: {}", points.empty() ? "" : ", ", figure_text(point.live_bytes / mebibyte),
                            figure_text(point.value / 1e6));
    }
    lines.add({each.workload, each.system, each.figure, exponent_text(each.exponent), points});
  }
  return lines.text() + "\n";
}

std::string setting_text(const gc_row& row) {
  if (row.percent) return fmt::format("{} %", *row.percent);
  return row.limit ? fmt::format("{} MiB", figure_text(static_cast<double>(*row.limit) / mebibyte)) : "";
}

std::string tuning_text(const gc_results& all) {
  const std::vector<tuning_study> studies = tuning_studies(all);
  if (studies.empty()) return "";
  table lines({align::left, align::left, align::right, align::right, align::right, align::right, align::right});
  lines.add({"tuning", "system", "setting", "ms", "CPU ms", "RSS MiB", "cycles"});
  for (const tuning_study& each : studies) {
    for (const tuning_point& point : each.points) {
      lines.add({each.workload, each.system, setting_text(*point.row), unit_text(point.cell->figure("wall_ns"), 1e6),
                 unit_text(point.cell->figure("process_ns"), 1e6), unit_text(point.cell->figure("peak_rss"), mebibyte),
                 unit_text(point.cell->figure("cycles"), 1)});
    }
  }
  return lines.text() + "\n";
}

std::string notes(const gc_results& all) {
  std::string text;
  const auto shorter = std::count_if(all.rows.begin(), all.rows.end(),
                                     [](const gc_row_result& each) { return each.runs_done < each.runs_asked; });
  if (shorter != 0)
    text +=
        fmt::format("{} of {} rows have fewer runs than the others, as they say: they take long; --runs has all done\n",
                    shorter, all.rows.size());
  for (const missing_system& each : all.missing) text += fmt::format("not measured: {}: {}\n", each.name, each.remedy);
  for (const gc_row_result& result : all.rows) {
    for (const gc_cell& cell : result.cells) {
      if (cell.problem.empty()) continue;
      text += fmt::format("{} under {}: {}\n", result.row.name(), cell.system,
                          cell.unsupported ? fmt::format("not possible: {}", cell.problem) : cell.problem);
    }
    if (!result.checksums.holds())
      text += fmt::format("{}: the checksums differ: {}\n", result.row.name(), result.checksums.disagreement());
  }
  return text;
}

}  // namespace

std::string gc_row_report(const gc_row_result& result) {
  const bool stands_alone = result.row.part == gc_part::main || result.row.part == gc_part::evolution;
  return stands_alone ? row_text(result) : "";
}

std::string gc_summary(const gc_results& all) {
  return evolution_text(evolution_steps(all)) + scaling_text(all) + tuning_text(all) +
         targets_text(judge_targets(all)) + notes(all);
}

std::string gc_commands(const gc_results& all) {
  std::string text = "\nTo reproduce a row:\n";
  for (const gc_row_result& result : all.rows) {
    for (const gc_cell& cell : result.cells) text += fmt::format("  {}\n", cell.command);
  }
  return text;
}

}  // namespace umber::tool

// The baseline is shown in absolute figures, the others relative to it: below 1.00 is faster, or smaller.
#include "bench_report.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "places.h"
#include "table.h"

namespace umber::tool {

namespace {

using json = nlohmann::ordered_json;

constexpr std::size_t columns_per_allocator = 3;

std::vector<std::string> others(const comparison& all) {
  std::vector<std::string> names;
  for (const allocator& each : all.allocators) {
    if (each.name != all.baseline) names.push_back(each.name);
  }
  return names;
}

std::string milliseconds(double seconds) { return fmt::format("{:.1f}", seconds * 1000); }
std::string mebibytes(double kib) { return fmt::format("{:.1f}", kib / 1024); }
std::string percent(double part) { return fmt::format("{:.0f}%", part * 100); }

table table_for(const comparison& all) {
  std::vector<align> columns = {align::left};
  columns.resize(1 + columns_per_allocator * all.allocators.size(), align::right);
  return table(columns);
}

void add_header(table& lines, const comparison& all) {
  std::vector<std::string> names = {""};
  std::vector<std::string> units = {"workload", "ms", "MiB", "spread"};
  names.insert(names.end(), {all.baseline, "", ""});
  for (const std::string& name : others(all)) {
    names.insert(names.end(), {name, "", ""});
    units.insert(units.end(), {"time", "RSS", "spread"});
  }
  lines.add(names);
  lines.add(units);
}

std::vector<std::string> timed_cells(const row_result& result, const comparison& all) {
  const auto base = result.cells.find(all.baseline);
  std::vector<std::string> cells = {result.row.name};
  if (base->second.problem.empty()) {
    cells.insert(cells.end(), {milliseconds(base->second.seconds), mebibytes(base->second.peak_rss_kb),
                               percent(base->second.spread())});
  } else {
    cells.insert(cells.end(), {"FAILED", "", ""});
  }
  for (const std::string& name : others(all)) {
    const cell& own = result.cells.at(name);
    const auto relation = relative(result, name, all.baseline);
    if (!own.problem.empty())
      cells.insert(cells.end(), {"FAILED", "", ""});
    else if (!relation)
      cells.insert(cells.end(), {"-", "-", percent(own.spread())});
    else {
      cells.insert(cells.end(), {fmt::format("{:.2f}", relation->time), fmt::format("{:.2f}", relation->memory),
                                 percent(own.spread())});
    }
  }
  return cells;
}

void add_mean(table& lines, const comparison& all, const std::string& title, const std::string& group) {
  std::vector<std::string> cells = {title, "", "", ""};
  bool any = false;
  for (const std::string& name : others(all)) {
    const auto mean = geometric_mean(all, name, group);
    any = any || mean.has_value();
    cells.push_back(mean ? fmt::format("{:.2f}", mean->time) : "-");
    cells.push_back(mean ? fmt::format("{:.2f}", mean->memory) : "-");
    cells.emplace_back("");
  }
  if (any) lines.add(cells);
}

std::string timed_table(const comparison& all) {
  table lines = table_for(all);
  add_header(lines, all);
  std::vector<std::string> groups;
  for (const row_result& each : all.rows) {
    if (!each.is_timed()) continue;
    lines.add(timed_cells(each, all));
    if (groups.empty() || groups.back() != each.row.group) groups.push_back(each.row.group);
  }
  if (groups.empty()) return "";
  if (all.allocators.size() > 1) lines.add({""});
  if (groups.size() > 1) {
    for (const std::string& group : groups) add_mean(lines, all, "geometric mean, " + group, group);
  }
  add_mean(lines, all, "geometric mean", "");
  return lines.text();
}

std::string memory_table(const comparison& all) {
  std::vector<align> columns = {align::left, align::left};
  columns.resize(2 + all.allocators.size(), align::right);
  table lines(columns);
  std::vector<std::string> header = {"memory scenario", "figure"};
  for (const allocator& each : all.allocators) header.push_back(each.name);
  lines.add(header);
  bool any = false;
  for (const row_result& each : all.rows) {
    if (each.is_timed()) continue;
    any = true;
    std::vector<std::string> cells = {each.row.name, ""};
    for (const allocator& one : all.allocators) {
      const cell& own = each.cells.at(one.name);
      if (cells[1].empty() && !own.runs.empty()) cells[1] = own.runs.front().figure;
      cells.push_back(own.problem.empty() ? fmt::format("{:.0f}", own.value) : "FAILED");
    }
    lines.add(cells);
  }
  return any ? lines.text() : "";
}

std::string failures(const comparison& all) {
  std::string text;
  for (const row_result& each : all.rows) {
    for (const auto& [name, own] : each.cells) {
      if (!own.problem.empty()) text += fmt::format("{} under {}: {}\n", each.row.name, name, own.problem);
    }
    if (!each.disagreement.empty())
      text += fmt::format("{}: the checksums differ: {}\n", each.row.name, each.disagreement);
  }
  return text;
}

json cell_json(const row_result& result, const std::string& name, const comparison& all) {
  const cell& own = result.cells.at(name);
  json runs = json::array();
  for (const measurement& each : own.runs) {
    if (!each.problem.empty()) {
      runs.push_back({{"problem", each.problem}});
      continue;
    }
    json run = {{"seconds", each.seconds}, {"peak_rss_kb", each.peak_rss_kb}, {"checksum", each.checksum}};
    if (!each.figure.empty()) run[each.figure] = each.value;
    if (!each.rss_samples_kb.empty()) run["rss_samples_kb"] = each.rss_samples_kb;
    runs.push_back(run);
  }
  json document;
  if (own.problem.empty()) {
    document = {
        {"seconds", own.seconds}, {"fastest", own.fastest}, {"slowest", own.slowest}, {"peak_rss_kb", own.peak_rss_kb}};
    if (!own.runs.empty() && !own.runs.front().figure.empty()) document[own.runs.front().figure] = own.value;
  } else {
    document = {{"problem", own.problem}};
  }
  if (const auto relation = relative(result, name, all.baseline); relation && result.is_timed()) {
    document["time_ratio"] = relation->time;
    document["rss_ratio"] = relation->memory;
  }
  document["runs"] = runs;
  return document;
}

std::string command_for(const row_result& result, const allocator& under) {
  if (result.row.kind != job_kind::redis) return with_allocator(result.row, under).shell_form();
  return fmt::format("{} bench malloc --no-commands --runs 1 --scale {} --only {} --allocators {} --with {}={}",
                     own_path().string(), result.row.scale, result.row.name, under.name, under.name,
                     under.library.string());
}

}  // namespace

std::string report_text(const comparison& all) {
  std::string text = timed_table(all);
  const std::string memory = memory_table(all);
  if (!memory.empty()) text += (text.empty() ? "" : "\n") + memory;
  const std::string broken = failures(all);
  if (!broken.empty()) text += "\n" + broken;
  return text;
}

std::string commands_text(const comparison& all) {
  std::string text = "\nTo reproduce a row, choose an allocator by its library:\n";
  for (const allocator& each : all.allocators) text += fmt::format("  {}={}\n", each.name, each.library.string());
  for (const row_result& each : all.rows) {
    const std::string& first = all.allocators.front().name;
    const allocator by_name = {first, "$" + first, all.allocators.front().variable};
    std::string command = command_for(each, by_name);
    const std::string quoted = "'$" + first + "'";
    if (const std::size_t at = command.find(quoted); at != std::string::npos)
      command.replace(at, quoted.size(), "$" + first);
    text += "  " + command + "\n";
  }
  return text;
}

std::string report_json(const comparison& all, const std::vector<evolution_step>& steps, int runs, double scale) {
  json document = {{"bench", "malloc"}, {"baseline", all.baseline}, {"runs", runs}, {"scale", scale}};
  for (const allocator& each : all.allocators) document["allocators"][each.name] = each.library.string();
  document["rows"] = json::array();
  for (const row_result& each : all.rows) {
    json row = {{"name", each.row.name}, {"group", each.row.group}, {"description", each.row.description}};
    for (const allocator& one : all.allocators) {
      row["results"][one.name] = cell_json(each, one.name, all);
      row["commands"][one.name] = command_for(each, one);
    }
    if (!each.disagreement.empty()) row["disagreement"] = each.disagreement;
    document["rows"].push_back(row);
  }
  for (const allocator& each : all.allocators) {
    if (const auto mean = geometric_mean(all, each.name, "")) {
      document["geometric_means"][each.name] = {{"time", mean->time}, {"rss", mean->memory}};
    }
  }
  if (!steps.empty()) {
    for (const row_result& each : all.rows) document["evolution"]["rows"].push_back(each.row.name);
    document["evolution"]["steps"] = evolution_json(steps);
  }
  document["failed"] = all.failed();
  return document.dump(2) + "\n";
}

}  // namespace umber::tool

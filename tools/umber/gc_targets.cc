// A bound is a number, or a factor of the same figure of a peer in the same row, or of another figure of the same run.
#include "gc_targets.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "table.h"

namespace umber::tool {

namespace {

constexpr const char* ours = "umber";
constexpr double us = 1e3, ms = 1e6, mebibyte = 1024 * 1024;
constexpr std::uint64_t large_live_set = std::uint64_t{1} << 30;

enum class bound_kind { at_most, at_least };
using bound_kind::at_least;
using bound_kind::at_most;

// A parameter of the run, flags being 0 or 1.
struct condition {
  const char* parameter;
  double low;
  double high;
};

struct target {
  const char* workload;
  std::vector<condition> where;
  const char* figure;
  bound_kind kind;
  double factor;
  // Of whom the factor is: the same figure of that system, or that figure of our own; null for a plain number.
  const char* system = nullptr;
  const char* own_figure = nullptr;
};

const condition one_thread = {"threads", 1, 1}, two_threads = {"threads", 2, 2}, depth_18 = {"depth", 18, 18};
const condition in_order = {"random", 0, 0}, shuffled = {"random", 1, 1};
const condition paced = {"rate", 250000, 250000}, unthrottled = {"rate", 0, 0};
const condition at_usual_size = {"depth", 0, 23}, at_4_gib = {"depth", 24, 25};

const std::vector<target>& targets() {
  static const std::vector<target> all = {
      {"binary_trees", {depth_18, one_thread}, "wall_ns", at_most, 0.30, "go"},
      {"binary_trees", {depth_18, one_thread}, "wall_ns", at_most, 1.0, "malloc:mimalloc"},
      {"binary_trees", {depth_18, two_threads}, "wall_ns", at_most, 0.30, "go"},
      {"binary_trees", {depth_18, two_threads}, "wall_ns", at_most, 1.0, "malloc:mimalloc"},
      {"gcbench", {depth_18}, "wall_ns", at_most, 0.36, "go"},
      {"allocate", {}, "object_ns", at_most, 6},
      {"recording", {}, "operation_ns", at_most, 30},
      {"recording", {}, "paced_operation_ns", at_most, 30},
      {"barrier", {}, "idle_ns", at_most, 1.05, nullptr, "plain_ns"},
      {"barrier", {}, "marking_ns", at_most, 1.5, nullptr, "plain_ns"},
      {"graph_mutate", {{"depth", 20, 20}, {"beside", 1, 1e9}}, "swap_ns", at_most, 50},
      {"graph_mutate", {{"depth", 20, 20}}, "beside_per_second", at_least, 10e6},
      {"full_collection", {in_order}, "mark_cpu_ns_an_object", at_most, 7},
      {"full_collection", {shuffled}, "mark_cpu_ns_an_object", at_most, 25},
      {"linked_list", {}, "mark_cpu_ns_an_object", at_most, 1.2, nullptr, "pointer_chase_ns"},
      {"message_ring", {paced}, "operations_per_s", at_least, 0.99 * 250000},
      {"message_ring", {paced, in_order, at_usual_size}, "response_max_ns", at_most, 150 * us},
      {"message_ring", {paced, shuffled, at_usual_size}, "response_p99.99_ns", at_most, 20 * us},
      {"message_ring", {paced, shuffled, at_usual_size}, "response_max_ns", at_most, 1 * ms},
      {"message_ring", {paced, in_order, at_4_gib}, "response_max_ns", at_most, 1.5 * 150 * us},
      {"message_ring", {paced, shuffled, at_4_gib}, "response_p99.99_ns", at_most, 1.5 * 20 * us},
      {"message_ring", {paced, shuffled, at_4_gib}, "response_max_ns", at_most, 1.5 * ms},
      {"message_ring", {paced}, "stall_max_ns", at_most, 200 * us},
      // 1.15 x live x (1 + percent / 100), of a heap that may grow by 100 percent.
      {"message_ring", {paced}, "peak_rss", at_most, 2.3, nullptr, "live_bytes"},
      {"message_ring", {paced}, "metadata_bytes", at_most, 0.035, nullptr, "heap_bytes"},
      {"message_ring", {unthrottled, in_order}, "operations_per_s", at_least, 2.8e6},
      {"message_ring", {unthrottled, shuffled}, "operations_per_s", at_least, 1.5e6},
      {"handshakes", {{"threads", 1000, 1000}}, "round_ns", at_most, 2 * ms},
      {"handshakes", {{"threads", 1000, 1000}}, "longest_stall_ns", at_most, 200 * us},
      {"kv", {}, "service_p99.9_ns", at_most, 1.2, "redis"},
      {"kv", {}, "service_p99.9_ns", at_most, 0.5, "go"},
      {"kv", {}, "operations_per_cpu_s", at_least, 0.8, "redis"},
      // Redis has no collections: against what its client sees at any time.
      {"kv", {}, "probe_collecting_p99.9_ns", at_most, 1.2, "redis", "probe_p99.9_ns"},
      {"kv", {}, "probe_collecting_p99.9_ns", at_most, 0.5, "go"},
  };
  return all;
}

bool holds(const condition& each, const nlohmann::ordered_json& parameters) {
  if (!parameters.contains(each.parameter)) return false;
  const auto& value = parameters[each.parameter];
  const double number = value.is_boolean() ? (value.get<bool>() ? 1 : 0) : value.is_number() ? value.get<double>() : -1;
  return number >= each.low && number <= each.high;
}

// With a setting that the targets are not about, nothing is judged; nor in a study of small live sets.
bool is_judged(const gc_row_result& result, const gc_cell& cell) {
  const gc_row& row = result.row;
  const bool large = row.part == gc_part::scaling && row.live_bytes >= large_live_set;
  if ((row.part != gc_part::main && !large) || !cell.measured()) return false;
  const auto& object = cell.runs[cell.shown].object;
  if (!object.contains("parameters") || !object["parameters"].is_object()) return false;
  return !object["parameters"].contains("percent") && !object["parameters"].contains("limit");
}

struct reference {
  double value;
  std::string basis;
};

std::optional<reference> reference_of(const target& wanted, const gc_row_result& result, const gc_cell& own) {
  if (wanted.system == nullptr && wanted.own_figure == nullptr) return reference{1, ""};
  const gc_cell* cell = wanted.system != nullptr ? result.cell_of(wanted.system) : &own;
  if (cell == nullptr || !cell->measured()) return std::nullopt;
  const auto value = cell->figure(wanted.own_figure != nullptr ? wanted.own_figure : wanted.figure);
  if (!value) return std::nullopt;
  return reference{*value,
                   fmt::format("{} x {}", wanted.factor, wanted.system != nullptr ? wanted.system : wanted.own_figure)};
}

std::optional<double> machine_of(const std::string& figure, const gc_cell& cell) {
  if (figure == "stall_max_ns") return cell.figure("jitter_max_ns");
  for (const std::string prefix : {"response_", "probe_collecting_", "probe_"}) {
    if (figure.starts_with(prefix)) return cell.figure("jitter_" + figure.substr(prefix.size()));
  }
  return std::nullopt;
}

std::optional<judged_target> judge(const target& wanted, const gc_row_result& result, const gc_cell& cell) {
  const auto& parameters = cell.runs[cell.shown].object["parameters"];
  if (result.row.workload != wanted.workload) return std::nullopt;
  if (!std::all_of(wanted.where.begin(), wanted.where.end(),
                   [&](const condition& each) { return holds(each, parameters); }))
    return std::nullopt;
  const auto measured = cell.figure(wanted.figure);
  const auto against = reference_of(wanted, result, cell);
  if (!measured || !against) return std::nullopt;
  return judged_target{result.row.name(), wanted.figure, wanted.kind == at_least,        wanted.factor * against->value,
                       against->basis,    *measured,     machine_of(wanted.figure, cell)};
}

// The unit is the end of the figure's name.
std::string text_of(const std::string& figure, double value) {
  const auto digits = [](double number) { return number >= 100 ? 0 : number >= 10 ? 1 : 2; };
  const auto with = [&](double number, const char* unit) {
    return fmt::format("{:.{}f}{}", number, digits(number), unit);
  };
  if (figure.ends_with("rss") || figure.ends_with("bytes")) return with(value / mebibyte, " MiB");
  if (!figure.ends_with("_ns") && !figure.ends_with("an_object")) return fmt::format("{:.0f}", value);
  return value < us ? with(value, " ns") : value < ms ? with(value / us, " us") : with(value / ms, " ms");
}

}  // namespace

std::vector<judged_target> judge_targets(const gc_results& all) {
  std::vector<judged_target> judged;
  for (const gc_row_result& result : all.rows) {
    const gc_cell* cell = result.cell_of(ours);
    if (cell == nullptr || !is_judged(result, *cell)) continue;
    for (const target& each : targets()) {
      if (const auto found = judge(each, result, *cell)) judged.push_back(*found);
    }
  }
  return judged;
}

std::string targets_text(const std::vector<judged_target>& targets) {
  if (targets.empty()) return "";
  table lines({align::left, align::left, align::right, align::right, align::right, align::left, align::left});
  lines.add({"targets of umber", "figure", "target", "measured", "machine", "", ""});
  for (const judged_target& each : targets) {
    lines.add({each.row, each.figure,
               fmt::format("{} {}", each.at_least ? ">=" : "<=", text_of(each.figure, each.bound)),
               text_of(each.figure, each.measured), each.machine ? text_of(each.figure, *each.machine) : "",
               each.met() ? "met" : "MISSED", each.basis});
  }
  const auto missed = std::count_if(targets.begin(), targets.end(), [](const auto& each) { return !each.met(); });
  return fmt::format("{}{} of {} targets missed\n\n", lines.text(), missed, targets.size());
}

nlohmann::ordered_json targets_json(const std::vector<judged_target>& targets) {
  auto array = nlohmann::ordered_json::array();
  for (const judged_target& each : targets) {
    nlohmann::ordered_json object = {{"row", each.row}, {"figure", each.figure}};
    object[each.at_least ? "at_least" : "at_most"] = each.bound;
    if (!each.basis.empty()) object["basis"] = each.basis;
    object["measured"] = each.measured;
    if (each.machine) object["machine"] = *each.machine;
    object["met"] = each.met();
    array.push_back(object);
  }
  return array;
}

}  // namespace umber::tool

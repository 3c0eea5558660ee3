// One function for each object of the document. Rows stand on lines of their own, compact: indented, a curve of a
// thousand points would be four thousand lines.
#include "gc_document.h"

#include <nlohmann/json.hpp>

#include "gc_studies.h"
#include "gc_targets.h"
#include "system_facts.h"

namespace umber::tool {

namespace {

using json = nlohmann::ordered_json;

json environment() {
  json object = json::object();
  for (const finding& each : system_findings()) object[each.what] = each.found;
  return object;
}

json systems(const gc_results& all) {
  json array = json::array();
  for (const gc_system& each : all.systems) {
    json object = {{"name", each.name}};
    if (const std::string version = all.version_of(each.name); !version.empty()) object["version"] = version;
    array.push_back(object);
  }
  return array;
}

json missing(const gc_results& all) {
  json array = json::array();
  for (const missing_system& each : all.missing) array.push_back({{"system", each.name}, {"remedy", each.remedy}});
  return array;
}

void add_figures(const gc_cell& cell, json& object) {
  object["shown"] = cell.shown;
  object["median"] = cell.median;
  for (const auto& [name, range] : cell.spread) object["spread"][name] = {range.first, range.second};
  if (cell.time_ratio) object["time_ratio"] = *cell.time_ratio;
  if (cell.lower_bound_wall) object["lower_bound"]["wall"] = *cell.lower_bound_wall;
  if (cell.lower_bound_cpu) object["lower_bound"]["cpu"] = *cell.lower_bound_cpu;
}

json row(const gc_row_result& result, const gc_cell& cell) {
  const gc_row& of = result.row;
  json object = {{"row", of.name()},        {"part", name_of(of.part)},
                 {"workload", of.workload}, {"description", cell.description},
                 {"arguments", of.words()}, {"system", cell.system},
                 {"command", cell.command}};
  if (of.live_bytes != 0) object["live_bytes"] = of.live_bytes;
  object["runs_asked"] = result.runs_asked;
  json runs = json::array();
  for (const gc_run& each : cell.runs)
    runs.push_back(each.problem.empty() ? each.object : json{{"problem", each.problem}});
  if (cell.unsupported) {
    object["unsupported"] = cell.problem;
  } else if (!cell.problem.empty()) {
    object["problem"] = cell.problem;
  } else {
    object["paced"] = cell.paced;
    if (runs[cell.shown].contains("parameters")) object["parameters"] = runs[cell.shown]["parameters"];
    add_figures(cell, object);
  }
  object["runs"] = runs;
  return object;
}

json disagreements(const gc_results& all) {
  json array = json::array();
  for (const gc_row_result& each : all.rows) {
    if (!each.checksums.holds())
      array.push_back({{"row", each.row.name()}, {"checksums", each.checksums.names_by_checksum()}});
  }
  return array;
}

json scaling(const gc_results& all) {
  json array = json::array();
  for (const scaling_study& each : scaling_studies(all)) {
    json object = {{"workload", each.workload}, {"system", each.system}, {"figure", each.figure}};
    for (const scaling_point& point : each.points) {
      object["points"].push_back(
          {{"live_bytes", point.live_bytes}, {"value", point.value}, {"low", point.low}, {"high", point.high}});
    }
    if (each.exponent) object["exponent"] = *each.exponent;
    array.push_back(object);
  }
  return array;
}

json tuning(const gc_results& all) {
  json array = json::array();
  for (const tuning_study& each : tuning_studies(all)) {
    json object = {{"workload", each.workload}, {"system", each.system}};
    for (const tuning_point& point : each.points) {
      json entry = {{"median", point.cell->median}};
      if (point.row->percent) entry["percent"] = *point.row->percent;
      if (point.row->limit) entry["limit"] = *point.row->limit;
      object["points"].push_back(entry);
    }
    array.push_back(object);
  }
  return array;
}

json evolution(const gc_results& all) {
  json object = {{"rows", json::array()}};
  for (const gc_row_result& each : all.rows) {
    if (each.row.part == gc_part::evolution) object["rows"].push_back(each.row.name());
  }
  object["steps"] = evolution_json(evolution_steps(all));
  return object;
}

bool measured(const gc_results& all, gc_part part) {
  for (const gc_row_result& each : all.rows) {
    if (each.row.part == part) return true;
  }
  return false;
}

// A member of the document; an array has each element on a line of its own.
std::string line_of(const std::string& name, const json& value) {
  std::string text = json(name).dump() + ": ";
  if (!value.is_array() || value.empty()) return text + value.dump(-1, ' ', false, json::error_handler_t::replace);
  text += "[\n";
  for (std::size_t i = 0; i < value.size(); ++i)
    text += value[i].dump(-1, ' ', false, json::error_handler_t::replace) + (i + 1 < value.size() ? ",\n" : "\n]");
  return text;
}

}  // namespace

std::string gc_document(const gc_results& all, const gc_occasion& occasion) {
  json rows = json::array();
  for (const gc_row_result& each : all.rows) {
    for (const gc_cell& cell : each.cells) rows.push_back(row(each, cell));
  }
  json document = {{"bench", "gc"},
                   {"format", 1},
                   {"command", occasion.command},
                   {"started", occasion.started},
                   {"seconds", occasion.seconds},
                   {"runs", all.runs},
                   {"environment", environment()},
                   {"systems", systems(all)},
                   {"missing", missing(all)},
                   {"rows", std::move(rows)},
                   {"disagreements", disagreements(all)}};
  if (measured(all, gc_part::scaling)) document["scaling"] = scaling(all);
  if (measured(all, gc_part::tuning)) document["tuning"] = tuning(all);
  if (measured(all, gc_part::evolution)) document["evolution"] = evolution(all);
  document["targets"] = targets_json(judge_targets(all));
  document["failed"] = all.failed();
  std::string text = "{\n";
  for (const auto& [name, value] : document.items()) text += (text.size() > 2 ? ",\n" : "") + line_of(name, value);
  return text + "\n}\n";
}

}  // namespace umber::tool

// Shapes are written as JSON: "text", "number" and "flag" are kinds; [shape] is a list, [a, b] a list of just these; an
// object names its fields, `!` marks one that has to be there, `*` stands for all that are not named. "@name" is
// another shape. Fields that no shape names may be anything: later versions may add some.
#include "report_shape.h"

#include <fmt/format.h>

namespace umber::tool {

namespace {

using json = nlohmann::ordered_json;

constexpr const char* shapes_text = R"({
  "histogram": {"count!": "number", "max!": "number", "min": "number", "mean": "number", "p50": "number", "p90": "number",
    "p99": "number", "p99.9": "number", "p99.99": "number", "p99.999": "number", "buckets": [["number", "number"]]},
  "run": {"problem": "text", "service_ns": "@histogram", "response_ns": "@histogram", "jitter_ns": "@histogram",
    "probe_ns": "@histogram", "probe_collecting_ns": "@histogram",
    "stalls": {"*": "@histogram"}, "mmu": [["number", "number"]],
    "pauses": [{"at_ns!": "number", "ns!": "number", "cause": "text"}],
    "timeline": [{"at_ns!": "number", "rss": "number", "live": "number", "goal": "number", "heap": "number"}],
    "marking": [{"at_ns!": "number", "ns!": "number", "live": "number", "goal": "number"}]},
  "gc_row": {"row!": "text", "part!": "text", "system!": "text", "workload": "text", "description": "text",
    "command": "text", "problem": "text", "paced": "flag", "runs": ["@run"], "shown": "number",
    "median": {"*": "number"}, "spread": {"*": ["number", "number"]}, "lower_bound": {"*": "number"}},
  "step": {"from!": "text", "to!": "text", "why!": "text",
    "figures": [{"row!": "text", "figure!": "text", "from!": "number", "to!": "number"}]},
  "evolution": {"rows": ["text"], "steps!": ["@step"]},
  "gc": {"command": "text", "started": "text", "seconds": "number", "runs": "number", "environment": {"*": "text"},
    "systems": [{"name!": "text", "version": "text"}], "missing": [{"system!": "text", "remedy!": "text"}],
    "rows!": ["@gc_row"], "disagreements": [{"row!": "text", "checksums!": {"*": ["text"]}}],
    "scaling": [{"workload!": "text", "system!": "text", "figure!": "text", "exponent": "number",
      "points!": [{"live_bytes!": "number", "value!": "number", "low": "number", "high": "number"}]}],
    "tuning": [{"workload!": "text", "system!": "text",
      "points!": [{"percent": "number", "limit": "number", "median": {"*": "number"}}]}],
    "targets": [{"row!": "text", "figure!": "text", "at_most": "number", "at_least": "number", "basis": "text",
      "measured!": "number", "machine": "number", "met!": "flag"}],
    "evolution": "@evolution", "failed": "flag"},
  "malloc_result": {"problem": "text", "seconds": "number", "fastest": "number", "slowest": "number",
    "peak_rss_kb": "number", "time_ratio": "number", "rss_ratio": "number"},
  "malloc": {"command": "text", "started": "text", "seconds": "number", "runs": "number", "environment": {"*": "text"},
    "baseline!": "text", "allocators": {"*": "text"}, "evolution": "@evolution", "failed": "flag",
    "rows!": [{"name!": "text", "group": "text", "description": "text", "disagreement": "text",
      "results": {"*": "@malloc_result"}, "commands": {"*": "text"}}]}
})";

const char* kind_of(const json& value) {
  if (value.is_string()) return "text";
  if (value.is_number()) return "number";
  if (value.is_boolean()) return "flag";
  if (value.is_array()) return "list";
  return value.is_object() ? "object" : "null";
}

class checker {
 public:
  checker() : shapes_(json::parse(shapes_text)) {}

  // Fills in `problem` and returns false at the first that does not fit.
  bool fits(const json& value, const json& shape, const std::string& path) {
    if (shape.is_string()) {
      const std::string& name = shape.get_ref<const std::string&>();
      if (name.front() == '@') return fits(value, shapes_[name.substr(1)], path);
      return is_a(value, name, path);
    }
    return shape.is_array() ? fits_list(value, shape, path) : fits_object(value, shape, path);
  }

  [[nodiscard]] const json& shape(const std::string& name) const { return shapes_.at(name); }
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  bool is_a(const json& value, const std::string& kind, const std::string& path) {
    if (kind_of(value) == kind) return true;
    problem_ = fmt::format("{} is {}, not {}", path.empty() ? "the document" : path, kind_of(value), kind);
    return false;
  }

  bool fits_list(const json& value, const json& shape, const std::string& path) {
    if (!is_a(value, "list", path)) return false;
    if (shape.size() > 1 && value.size() != shape.size()) {
      problem_ = fmt::format("{} has {} elements, not {}", path, value.size(), shape.size());
      return false;
    }
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (!fits(value[i], shape[shape.size() > 1 ? i : 0], fmt::format("{}/{}", path, i))) return false;
    }
    return true;
  }

  bool fits_object(const json& value, const json& shape, const std::string& path) {
    if (!is_a(value, "object", path)) return false;
    const std::string inside = path.empty() ? "" : path + "/";
    for (const auto& [field, inner] : shape.items()) {
      const bool required = field.back() == '!';
      const std::string name = required ? field.substr(0, field.size() - 1) : field;
      if (name == "*") continue;
      if (value.contains(name)) {
        if (!fits(value[name], inner, inside + name)) return false;
      } else if (required) {
        problem_ = fmt::format("{}{} is missing", inside, name);
        return false;
      }
    }
    if (!shape.contains("*")) return true;
    for (const auto& [name, each] : value.items()) {
      if (!fits(each, shape["*"], inside + name)) return false;
    }
    return true;
  }

  json shapes_;
  std::string problem_;
};

void remove_nulls(json& value) {
  if (value.is_object()) {
    for (auto each = value.begin(); each != value.end();) each = each->is_null() ? value.erase(each) : std::next(each);
  }
  if (value.is_structured()) {
    for (json& each : value) remove_nulls(each);
  }
}

}  // namespace

std::string shape_problem(nlohmann::ordered_json& document) {
  remove_nulls(document);
  const bool named = document.is_object() && document.contains("bench") && document["bench"].is_string();
  const std::string bench = named ? document["bench"].get<std::string>() : "";
  if (bench != "gc" && bench != "malloc")
    return "not written by `umber bench gc --json` or `umber bench malloc --json`";
  checker all;
  return all.fits(document, all.shape(bench), "") ? "" : all.problem();
}

}  // namespace umber::tool

// What a program prints is believed when it is one object that has the fields no run is without.
#include "gc_run.h"

#include <chrono>

#include <fmt/format.h>

namespace umber::tool {

namespace {

using json = nlohmann::ordered_json;

constexpr int status_cannot = 2;

// Empty when nothing is wrong.
std::string fault_of(const json& object, const gc_row& row) {
  if (!object.is_object()) return "its output is not one JSON object";
  for (const char* field : {"workload", "system", "checksum"}) {
    if (!object.contains(field) || !object[field].is_string()) return fmt::format("its output has no text '{}'", field);
  }
  // A row that measures one thing has no operations.
  if (!object.contains("wall_ns") || !object["wall_ns"].is_number()) return "its output has no number 'wall_ns'";
  if (object["workload"] != row.workload)
    return fmt::format("its output is of the workload '{}'", object["workload"].get<std::string>());
  return "";
}

std::string problem_of(const finished& run, const run_limits& limits) {
  if (run.errors.find("cannot be preloaded") != std::string::npos) return "its allocator cannot be preloaded";
  if (run.how == ending::too_large) {
    return fmt::format("stopped after {:.1f} s: resident with more than {:.0f} MiB (--memory-limit)", run.seconds,
                       static_cast<double>(limits.bytes) / (1 << 20));
  }
  if (run.how == ending::timed_out) return fmt::format("stopped after {:.1f} s (--timeout)", run.seconds);
  return run.succeeded() ? "" : run.complaint();
}

}  // namespace

command_line command_of(const gc_row& row, const gc_system& system, const run_limits& limits) {
  const gc_workload& work = system.workloads.at(row.workload);
  command_line command = work.start;
  if (!limits.processors.empty())
    command.words.insert(command.words.begin(), {"taskset", "--cpu-list", limits.processors});
  command.words.push_back(row.workload);
  const std::vector<std::string> words = row.words();
  command.words.insert(command.words.end(), words.begin(), words.end());
  command.words.insert(command.words.end(), work.last_words.begin(), work.last_words.end());
  return command;
}

gc_run run_once(const gc_row& row, const gc_system& system, const run_limits& limits) {
  const double started = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  const finished done = run_captured(command_of(row, system, limits), limits.seconds, limits.bytes);
  gc_run run;
  run.problem = problem_of(done, limits);
  run.unsupported = done.how == ending::exited && done.code == status_cannot;
  if (!run.problem.empty()) return run;
  run.object = json::parse(done.output, nullptr, false);
  run.problem = fault_of(run.object, row);
  if (!run.problem.empty()) return run;
  run.object["outside"] = {{"started", started},
                           {"seconds", done.seconds},
                           {"cpu_seconds", done.user_seconds + done.system_seconds},
                           {"peak_rss", done.peak_rss_kb * 1024}};
  return run;
}

}  // namespace umber::tool

// `umber doctor`: what this system offers a heap, and what would have to change for umber to work at its best. Each
// finding is a line: what was looked at, what was found, and "ok" or an advice.
#include <unistd.h>

#include <algorithm>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bench_allocators.h"
#include "bench_hosts.h"
#include "command.h"
#include "places.h"
#include "process.h"
#include "system_facts.h"
#include "table.h"

namespace umber::tool {

namespace {

constexpr double load_timeout_seconds = 10;

// Loads the library into the smallest program there is.
finding library_loads() {
  const auto library = find_umber_library();
  if (!library) return {"libumber_malloc.so", "not found", "build it, or set UMBER_LIBRARY to its path"};
  const auto smallest = find_program("true");
  if (!smallest) return {"libumber_malloc.so", library->string(), "not tried: there is no program `true`"};
  const command_line command = {{smallest->string()}, {{"LD_PRELOAD", library->string()}}};
  const finished result = run_captured(command, load_timeout_seconds);
  if (!result.succeeded()) return {"libumber_malloc.so", library->string(), "does not load: " + result.complaint()};
  // The dynamic linker only warns when it cannot preload a library.
  if (!result.errors.empty())
    return {"libumber_malloc.so", library->string(), "warns: " + result.errors.substr(0, 160)};
  return {"libumber_malloc.so", library->string(), "ok"};
}

finding peers() {
  std::string found;
  std::string missing;
  for (const peer& each : known_peers()) {
    std::string& list = find_library(each.library) ? found : missing;
    list += (list.empty() ? "" : " ") + std::string(each.name);
    if (&list == &missing) missing += fmt::format(" ({})", each.package);
  }
  return {"peers", found.empty() ? "none" : found,
          missing.empty() ? "ok" : "to compare with more, install: " + missing};
}

finding hosts() {
  std::string found;
  std::string missing;
  for (const host_program& each : known_hosts()) {
    std::string& list = find_program(each.program) ? found : missing;
    list += (list.empty() ? "" : " ") + std::string(each.program);
  }
  return {"hosts", found.empty() ? "none" : found, missing.empty() ? "ok" : "to measure more, install: " + missing};
}

int diagnose(bool as_json) {
  std::vector<finding> findings = system_findings();
  findings.push_back(library_loads());
  findings.push_back(peers());
  findings.push_back(hosts());
  if (as_json) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const finding& each : findings) {
      list.push_back({{"what", each.what}, {"found", each.found}, {"advice", each.advice}});
    }
    fmt::print("{}\n", list.dump(2));
  } else {
    table lines({align::left, align::left, align::left});
    for (const finding& each : findings) lines.add({each.what, each.found, each.advice});
    fmt::print("{}", lines.text());
  }
  if (std::fflush(stdout) != 0) throw failure(1, "cannot write the report");
  return 0;
}

}  // namespace

void add_doctor(CLI::App& program, action& chosen) {
  const auto as_json = std::make_shared<bool>(false);
  CLI::App* command = program.add_subcommand("doctor", "Show what this system offers, and what umber would change");
  command->add_flag("--json", *as_json, "Print the findings as JSON");
  command->callback([as_json, &chosen] { chosen = [as_json] { return diagnose(*as_json); }; });
}

}  // namespace umber::tool

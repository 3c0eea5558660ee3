// A system is there when its program lists its workloads. What it says on stderr instead is the remedy.
#include "gc_systems.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bench_allocators.h"
#include "bench_kv.h"
#include "command.h"
#include "places.h"

namespace umber::tool {

namespace {

// A launcher may have to compile its program first.
constexpr double list_timeout_seconds = 300;
constexpr const char* runtimes[] = {"go", "g1", "zgc", "shenandoah", "parallel"};
constexpr const char* collectors[] = {"stop_the_world", "insertion", "deletion", "hybrid"};
constexpr const char* malloc_prefix = "malloc:";
constexpr const char* only_server = "redis";
constexpr const char* with_server[] = {"umber", "go", only_server};

bool is_malloc(const std::string& name) { return name.rfind(malloc_prefix, 0) == 0; }

bool is_runtime(const std::string& name) {
  return std::find(std::begin(runtimes), std::end(runtimes), name) != std::end(runtimes);
}

command_line own_program(const char* program, const char* variable) {
  return {{need_bench_program(program, variable).string()}, {}};
}

command_line start_of(const std::string& name) {
  if (name == "umber") return own_program("umber-gc-workloads", "UMBER_GC_WORKLOADS");
  if (name == "boehm") {
    const auto program = find_bench_program("umber-gc-boehm", "UMBER_GC_BOEHM");
    if (!program) throw failure(1, "umber-gc-boehm is not built: apt-get install libgc-dev, then meson setup --wipe");
    return {{program->string()}, {}};
  }
  if (is_malloc(name)) {
    const allocator under = choose_allocators({name.substr(std::string(malloc_prefix).size())}, {}).front();
    command_line start = own_program("umber-gc-malloc", "UMBER_GC_MALLOC");
    start.environment.emplace_back("LD_PRELOAD", under.library.string());
    return start;
  }
  const auto launcher = find_peers();
  if (!launcher) throw failure(1, "bench/peers/run is not beside this program; set UMBER_PEERS to its path");
  return {{launcher->string(), name}, {}};
}

std::map<std::string, gc_workload> list_workloads(const command_line& start) {
  command_line command = start;
  command.words.emplace_back("--list");
  const finished listing = run_captured(command, list_timeout_seconds);
  if (!listing.succeeded()) throw failure(1, listing.complaint());
  std::map<std::string, gc_workload> workloads;
  std::istringstream lines(listing.output);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t tab = line.find('\t');
    if (tab != std::string::npos) workloads[line.substr(0, tab)] = {line.substr(tab + 1), start, {}};
  }
  if (workloads.empty()) throw failure(1, fmt::format("{} names no workload", command.shell_form()));
  return workloads;
}

// Adds the server of a system that has one. What is missing for it keeps nobody from the other workloads.
void add_server(gc_system& system, found_systems& found) {
  if (std::find(std::begin(with_server), std::end(with_server), system.name) == std::end(with_server)) return;
  try {
    static_cast<void>(kv_server_command(system.name));
    system.workloads["kv"] = {"a server of keys and values under redis-benchmark: what its clients see",
                              kv_run_command(),
                              {"--server", system.name}};
  } catch (const failure& reason) {
    if (system.name == only_server) throw;
    found.without_server.push_back({system.name, reason.what()});
  }
}

gc_system find_system(const std::string& name) {
  gc_system system{name, {}, !is_malloc(name) && name != only_server};
  if (name != only_server) system.workloads = list_workloads(start_of(name));
  return system;
}

}  // namespace

std::vector<std::string> usual_systems() {
  std::vector<std::string> names = {"umber", "malloc:mimalloc", "malloc:glibc", "malloc:umber", "boehm"};
  names.insert(names.end(), std::begin(runtimes), std::end(runtimes));
  names.emplace_back(only_server);
  return names;
}

found_systems find_systems(const std::vector<std::string>& names) {
  found_systems found;
  for (auto name = names.begin(); name != names.end(); ++name) {
    if (std::find(names.begin(), name, *name) != name) throw failure(2, fmt::format("'{}' is given twice", *name));
    if (*name != "umber" && *name != "boehm" && *name != only_server && !is_malloc(*name) && !is_runtime(*name)) {
      throw failure(2, fmt::format("no system is called '{}'; there are: {}", *name, fmt::join(usual_systems(), " ")));
    }
    try {
      gc_system system = find_system(*name);
      add_server(system, found);
      found.present.push_back(std::move(system));
    } catch (const failure& reason) {
      found.missing.push_back({*name, reason.what()});
    }
  }
  return found;
}

std::vector<gc_system> historical_collectors(const gc_system& umber) {
  std::vector<gc_system> systems;
  for (const char* kind : collectors) {
    systems.push_back(umber);
    systems.back().name = fmt::format("umber:{}", kind);
    for (auto& [name, workload] : systems.back().workloads) workload.last_words = {"--collector", kind};
  }
  return systems;
}

}  // namespace umber::tool

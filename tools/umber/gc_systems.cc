// A system is there when its program lists its workloads. What it says on stderr instead is the remedy.
#include "gc_systems.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bench_allocators.h"
#include "command.h"
#include "places.h"

namespace umber::tool {

namespace {

// A launcher may have to compile its program first.
constexpr double list_timeout_seconds = 300;
constexpr const char* runtimes[] = {"go", "g1", "zgc", "shenandoah", "parallel"};
constexpr const char* collectors[] = {"stop_the_world", "insertion", "deletion", "hybrid"};
constexpr const char* malloc_prefix = "malloc:";

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

std::map<std::string, std::string> list_workloads(const command_line& start) {
  command_line command = start;
  command.words.emplace_back("--list");
  const finished listing = run_captured(command, list_timeout_seconds);
  if (!listing.succeeded()) throw failure(1, listing.complaint());
  std::map<std::string, std::string> workloads;
  std::istringstream lines(listing.output);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t tab = line.find('\t');
    if (tab != std::string::npos) workloads[line.substr(0, tab)] = line.substr(tab + 1);
  }
  if (workloads.empty()) throw failure(1, fmt::format("{} names no workload", command.shell_form()));
  return workloads;
}

}  // namespace

std::vector<std::string> usual_systems() {
  std::vector<std::string> names = {"umber", "malloc:mimalloc", "malloc:glibc", "malloc:umber", "boehm"};
  names.insert(names.end(), std::begin(runtimes), std::end(runtimes));
  return names;
}

found_systems find_systems(const std::vector<std::string>& names) {
  found_systems found;
  for (auto name = names.begin(); name != names.end(); ++name) {
    if (std::find(names.begin(), name, *name) != name) throw failure(2, fmt::format("'{}' is given twice", *name));
    if (*name != "umber" && *name != "boehm" && !is_malloc(*name) && !is_runtime(*name)) {
      throw failure(2, fmt::format("no system is called '{}'; there are: {}", *name, fmt::join(usual_systems(), " ")));
    }
    try {
      gc_system system{*name, start_of(*name), {}, {}, !is_malloc(*name)};
      system.workloads = list_workloads(system.start);
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
    systems.back().last_words = {"--collector", kind};
  }
  return systems;
}

}  // namespace umber::tool

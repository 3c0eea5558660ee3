// The memory managers that `umber bench gc` measures: our heap, the same programs with malloc and free under each
// malloc, Boehm's collector, and the runtimes that bring their own. Each is a program of the contract in bench/run.md,
// and tells by itself which workloads it has. The workload kv is a server under load, and the same program measures all
// of these; redis does nothing else.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "process.h"

namespace umber::tool {

// What stands before the name of a workload, and after its arguments.
struct gc_workload {
  std::string description;
  command_line start;
  std::vector<std::string> last_words;
};

struct gc_system {
  std::string name;
  // By name.
  std::map<std::string, gc_workload> workloads;
  // Not so for malloc and free.
  bool collects = true;
};

struct missing_system {
  std::string name;
  // One line: what to install or to set.
  std::string remedy;
};

struct found_systems {
  std::vector<gc_system> present;
  std::vector<missing_system> missing;
  // Those of `present` that have no server, or no load for it: they do not run kv.
  std::vector<missing_system> without_server;
};

// The valid names; any allocator of bench_allocators.h may follow `malloc:`.
[[nodiscard]] std::vector<std::string> usual_systems();

// Looks for the systems named. Throws `failure` with status 2 for a name that there is not.
[[nodiscard]] found_systems find_systems(const std::vector<std::string>& names);

// Our heap with each collector that led to the present one, in that order: umber:stop_the_world to umber:hybrid.
[[nodiscard]] std::vector<gc_system> historical_collectors(const gc_system& umber);

}  // namespace umber::tool

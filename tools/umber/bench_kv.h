// The servers of keys and values that `umber bench gc kv` compares. `umber bench kv` measures one of them once, and
// prints what bench/run.md says of a run.
#pragma once

#include <string>

#include "process.h"

namespace umber::tool {

// How to start the server of a system: umber, redis or go; a port is to follow. Throws `failure`, naming the remedy,
// where it or its load is not here. A server that has to be built first is built by this.
[[nodiscard]] command_line kv_server_command(const std::string& system, unsigned threads = 1);

// The command that measures the server once, up to the workload's name; what follows the arguments is `--server
// SYSTEM`.
[[nodiscard]] command_line kv_run_command();

}  // namespace umber::tool

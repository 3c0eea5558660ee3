// The servers that `umber bench gc kv` compares, and their runs, one after the other in turn.
#pragma once

#include <string>
#include <vector>

#include "kv_load.h"

namespace umber::tool {

struct kv_server {
  std::string name;      // umber, redis or go
  command_line command;  // up to the port
};

// Those that are here of the ones that are named. What is missing is said on stderr, in a line each.
[[nodiscard]] std::vector<kv_server> find_kv_servers(const std::vector<std::string>& names, unsigned threads);

struct kv_row {
  std::string server;
  std::string command;           // of the server
  std::vector<kv_figures> runs;  // of one kind of request
  kv_figures median;             // of each figure by itself
};

// A row for each server and kind of request. Shows where it is on a terminal.
[[nodiscard]] std::vector<kv_row> run_kv_bench(const std::vector<kv_server>& servers, const kv_load& load,
                                               unsigned runs, double timeout_seconds);

}  // namespace umber::tool

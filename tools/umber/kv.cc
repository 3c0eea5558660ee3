// `umber kv [OPTIONS...]`: becomes the program umber-kv, a server in redis' protocol whose data live in a managed heap.
// All options are that program's, `--help` too.
#include <string.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "command.h"
#include "places.h"

namespace umber::tool {

namespace {

int run(const std::vector<std::string>& options) {
  std::string program = need_bench_program("kv/umber-kv", "UMBER_KV").string();
  std::vector<std::string> words = options;
  std::vector<char*> arguments = {program.data()};
  for (std::string& each : words) arguments.push_back(each.data());
  arguments.push_back(nullptr);
  execv(arguments[0], arguments.data());
  throw failure(1, fmt::format("{}: {}; build it again, or set UMBER_KV to its path", program, strerror(errno)));
}

}  // namespace

void add_kv(CLI::App& program, action& chosen) {
  CLI::App* command = program.add_subcommand("kv", "Serve keys and values in redis' protocol, from a managed heap");
  command->prefix_command();
  command->set_help_flag();
  command->callback([command, &chosen] { chosen = [options = command->remaining()] { return run(options); }; });
}

}  // namespace umber::tool

// The program `umber`: reads the command line, calls the command, turns errors into one line and an exit status.
#include <exception>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "command.h"

namespace {

int report(int status, const char* line) {
  fmt::print(stderr, "umber: {}\n", line);
  return status;
}

// As it is typed: "umber bench gc".
std::string typed(const CLI::App& command) {
  return command.get_parent() == nullptr ? command.get_name()
                                         : fmt::format("{} {}", typed(*command.get_parent()), command.get_name());
}

// A word that is no command is named, along with those that are; the parser itself only says that one is missing.
std::string explain(const CLI::App& program, const CLI::ParseError& error) {
  const CLI::App* deepest = &program;
  while (!deepest->get_subcommands().empty()) deepest = deepest->get_subcommands().back();
  const std::vector<std::string> unknown = program.remaining(true);
  const auto commands = deepest->get_subcommands([](const CLI::App*) { return true; });
  const bool command_missing = deepest->get_require_subcommand_min() > 0 && !commands.empty();
  if (!command_missing) return fmt::format("{}; see {} --help", error.what(), typed(*deepest));
  std::string names;
  for (const CLI::App* each : commands) names += (names.empty() ? "" : ", ") + each->get_name();
  if (unknown.empty()) return fmt::format("{} is followed by a command: {}", typed(*deepest), names);
  return fmt::format("there is no command '{} {}', but {}", typed(*deepest), unknown.front(), names);
}

int run(int argc, char** argv) {
  CLI::App program{"umber: a malloc replacement, and the tools around it", "umber"};
  program.require_subcommand(1);
  program.set_version_flag("--version", "umber " UMBER_VERSION);
  umber::tool::action chosen;
  umber::tool::add_run(program, chosen);
  umber::tool::add_doctor(program, chosen);
  umber::tool::add_heap(program, chosen);
  umber::tool::add_report(program, chosen);
  umber::tool::add_kv(program, chosen);
  CLI::App* bench = program.add_subcommand("bench", "Compare allocators, collectors and servers");
  bench->require_subcommand(1);
  umber::tool::add_bench_malloc(*bench, chosen);
  umber::tool::add_bench_gc(*bench, chosen);
  umber::tool::add_bench_kv(*bench, chosen);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return program.exit(error);
    return report(2, explain(program, error).c_str());
  }
  return chosen();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const int status = run(argc, argv);
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return status;
    return report(1, "cannot write to stdout; is the disk full?");
  } catch (const umber::tool::failure& error) {
    return report(error.status(), error.what());
  } catch (const std::exception& error) {
    return report(1, error.what());
  }
}

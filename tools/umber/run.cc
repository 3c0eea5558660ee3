// `umber run [--stats] [--json] [--library PATH] -- PROGRAM...`: runs a program with umber as its malloc. Without
// --stats this program becomes the other one by exec; with --stats it waits, and adds wall time, processor time and
// peak memory to the statistics that the library prints at exit.
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "command.h"
#include "places.h"
#include "process.h"

namespace umber::tool {

namespace {

// What a shell answers when a program exists but cannot be run, and when there is none.
constexpr int cannot_run = 126;
constexpr int not_found = 127;

struct run_options {
  bool stats = false;
  bool json = false;
  std::string library;
  std::vector<std::string> program;
};

std::filesystem::path library_for(const run_options& options) {
  if (!options.library.empty()) {
    if (access(options.library.c_str(), R_OK) != 0) {
      throw failure(cannot_run, fmt::format("{}: {}; give --library the path of libumber_malloc.so", options.library,
                                            strerror(errno)));
    }
    return std::filesystem::absolute(options.library);
  }
  std::optional<std::filesystem::path> found;
  try {
    found = find_umber_library();
  } catch (const failure& error) {
    throw failure(cannot_run, error.what());
  }
  if (!found) {
    throw failure(cannot_run, "libumber_malloc.so is not beside this program; build it, or give --library its path");
  }
  return *found;
}

// The dynamic linker splits LD_PRELOAD at spaces and colons and offers no way to quote them; and what it cannot load it
// leaves out with a warning, so that the program would run with another malloc.
void check_preloadable(const std::string& path) {
  char magic[4] = {};
  std::ifstream file(path, std::ios::binary);
  if (!file.read(magic, sizeof magic) || std::string_view(magic, sizeof magic) != "\177ELF") {
    throw failure(cannot_run, fmt::format("{} is not a shared library; give the path of libumber_malloc.so", path));
  }
  if (path.find_first_of(" :") == std::string::npos) return;
  throw failure(cannot_run,
                fmt::format("{}: LD_PRELOAD allows no space or colon in a path; copy or link it elsewhere", path));
}

// Adds to the front of a list in the environment that may already be there.
void prepend(const char* variable, const std::string& value, const char* separator) {
  const char* old = getenv(variable);
  const std::string whole = old == nullptr || *old == '\0' ? value : value + separator + old;
  setenv(variable, whole.c_str(), 1);
}

// A later key overrides an earlier one, so that the user's own choice of the statistics' form stands.
void prepare_environment(const run_options& options) {
  const std::string library = library_for(options).string();
  check_preloadable(library);
  prepend("LD_PRELOAD", library, ":");
  if (options.stats) prepend("UMBER_OPTIONS", options.json ? "stats=json" : "stats=exit", ",");
}

[[noreturn]] void become(const std::vector<std::string>& program) {
  std::vector<char*> arguments;
  std::vector<std::string> words = program;
  for (std::string& each : words) arguments.push_back(each.data());
  arguments.push_back(nullptr);
  execvp(arguments[0], arguments.data());
  const int reason = errno;
  fmt::print(stderr, "umber: {}: {}\n", words[0],
             reason == ENOENT ? "no such program; give its path, or a name in PATH" : strerror(reason));
  _exit(reason == ENOENT ? not_found : cannot_run);
}

void print_usage(const run_options& options, double seconds, const rusage& usage) {
  const auto in_seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  const double user = in_seconds(usage.ru_utime);
  const double system = in_seconds(usage.ru_stime);
  if (options.json) {
    const nlohmann::ordered_json line = {{"wall_seconds", seconds},
                                         {"user_seconds", user},
                                         {"system_seconds", system},
                                         {"peak_rss_kb", usage.ru_maxrss}};
    fmt::print(stderr, "{}\n", line.dump());
    return;
  }
  fmt::print(stderr, "umber run: {:.3f} s wall, {:.3f} s user, {:.3f} s system, {:.1f} MiB peak resident\n", seconds,
             user, system, static_cast<double>(usage.ru_maxrss) / 1024);
}

// Ends as the child ended: a signal that killed it kills this program too, without a core file of its own.
int end_like(int status) {
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  const int number = WTERMSIG(status);
  const rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  signal(number, SIG_DFL);
  raise(number);
  return 128 + number;
}

pid_t child_to_forward_to = 0;

// Ctrl-C reaches the child by itself, being in the same group; what is sent to this program alone is passed on.
void forward_signals(pid_t child) {
  child_to_forward_to = child;
  struct sigaction handling = {};
  handling.sa_flags = SA_RESTART;
  handling.sa_handler = [](int number) { kill(child_to_forward_to, number); };
  for (const int number : {SIGTERM, SIGHUP, SIGUSR1, SIGUSR2}) sigaction(number, &handling, nullptr);
  signal(SIGINT, SIG_IGN);
  signal(SIGQUIT, SIG_IGN);
}

int run_and_measure(const run_options& options) {
  const auto begin = std::chrono::steady_clock::now();
  const pid_t child = fork();
  if (child < 0) throw failure(cannot_run, fmt::format("fork: {}", strerror(errno)));
  if (child == 0) become(options.program);
  forward_signals(child);
  int status = 0;
  rusage usage = {};
  while (wait4(child, &status, 0, &usage) < 0 && errno == EINTR) {
  }
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
  print_usage(options, elapsed.count(), usage);
  return end_like(status);
}

int run(const run_options& options) {
  prepare_environment(options);
  if (!options.stats) become(options.program);
  return run_and_measure(options);
}

}  // namespace

void add_run(CLI::App& program, action& chosen) {
  const auto options = std::make_shared<run_options>();
  CLI::App* command = program.add_subcommand("run", "Run a program with umber as its malloc");
  command->add_flag("--stats", options->stats, "Print statistics, time and peak memory on stderr when it ends");
  command->add_flag("--json", options->json, "Print the statistics as JSON (with --stats)")->needs("--stats");
  command->add_option("--library", options->library, "The library to load instead of the one beside this program");
  command->add_option("program", options->program, "The program and its arguments, after --")->required();
  command->prefix_command(false)->positionals_at_end();
  command->callback([options, &chosen] { chosen = [options] { return run(*options); }; });
}

}  // namespace umber::tool

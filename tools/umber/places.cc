// Looks for files in a short list of places, the first that exists wins.
#include "places.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <vector>

#include <fmt/format.h>

#include "command.h"
#include "process.h"

namespace umber::tool {

namespace {

namespace fs = std::filesystem;

std::optional<fs::path> first_existing(const std::vector<fs::path>& candidates) {
  for (const fs::path& each : candidates) {
    std::error_code ignored;
    if (fs::exists(each, ignored)) return fs::canonical(each);
  }
  return std::nullopt;
}

// A variable that is set but names nothing is an error of its own: silently taking another file would mislead.
std::optional<fs::path> from_environment(const char* variable) {
  const char* value = std::getenv(variable);
  if (value == nullptr || *value == '\0') return std::nullopt;
  const auto found = first_existing({value});
  if (!found) throw failure(2, fmt::format("{}={}: no such file", variable, value));
  return found;
}

std::string multiarch() {
  utsname names = {};
  uname(&names);
  return fmt::format("{}-linux-gnu", names.machine);
}

bool is_executable(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored) && access(path.c_str(), X_OK) == 0;
}

}  // namespace

fs::path own_path() { return fs::read_symlink("/proc/self/exe"); }

std::string own_command() {
  std::ifstream file("/proc/self/cmdline");
  command_line command;
  for (std::string word; std::getline(file, word, '\0');) command.words.push_back(word);
  return command.shell_form();
}

std::optional<fs::path> find_umber_library() {
  if (auto chosen = from_environment("UMBER_LIBRARY")) return chosen;
  const fs::path here = own_path().parent_path();
  const std::string name = "libumber_malloc.so";
  return first_existing({here / "../.." / name, here / ".." / "lib" / multiarch() / name, here / "../lib" / name,
                         here / "../lib64" / name});
}

std::optional<fs::path> find_bench_program(const std::string& name, const char* variable) {
  if (auto chosen = from_environment(variable)) return chosen;
  const fs::path here = own_path().parent_path();
  return first_existing({here / "../../bench" / name, here / "../libexec/umber" / name, here / name});
}

fs::path need_bench_program(const std::string& name, const char* variable) {
  const auto found = find_bench_program(name, variable);
  if (!found)
    throw failure(1, fmt::format("{} is not beside this program; build it, or set {} to its path", name, variable));
  return *found;
}

std::optional<fs::path> find_peers() {
  if (auto chosen = from_environment("UMBER_PEERS")) return chosen;
  const fs::path here = own_path().parent_path();
  const fs::path name = "bench/peers/run";
  return first_existing({here / "../.." / name, here / "../../../.." / name, here / "../share/umber/peers/run"});
}

std::optional<fs::path> find_host_scripts() {
  if (auto chosen = from_environment("UMBER_HOSTS")) return chosen;
  const fs::path here = own_path().parent_path();
  return first_existing({here / "../../bench/hosts", here / "../share/umber/hosts"});
}

std::optional<fs::path> find_report_page() {
  if (auto chosen = from_environment("UMBER_REPORT_PAGE")) return chosen;
  const fs::path here = own_path().parent_path();
  return first_existing({here / "../report/report.html", here / "../share/umber/report.html"});
}

std::optional<fs::path> find_library(const std::string& name) {
  std::vector<fs::path> candidates;
  for (const char* root : {"/usr/local/lib", "/usr/lib", "/lib"})
    candidates.push_back(fs::path(root) / multiarch() / name);
  for (const char* root : {"/usr/local/lib", "/usr/lib64", "/lib64", "/usr/lib", "/lib"}) {
    candidates.push_back(fs::path(root) / name);
  }
  return first_existing(candidates);
}

std::optional<fs::path> find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return is_executable(name) ? std::optional<fs::path>(name) : std::nullopt;
  const char* path = std::getenv("PATH");
  std::vector<fs::path> folders;
  std::string rest = path == nullptr ? "/usr/bin:/bin" : path;
  while (!rest.empty()) {
    const std::size_t colon = rest.find(':');
    folders.emplace_back(rest.substr(0, colon));
    rest = colon == std::string::npos ? "" : rest.substr(colon + 1);
  }
  std::stable_partition(folders.begin(), folders.end(), [](const fs::path& each) { return each == "/usr/bin"; });
  for (const fs::path& each : folders) {
    if (is_executable(each / name)) return each / name;
  }
  return std::nullopt;
}

}  // namespace umber::tool

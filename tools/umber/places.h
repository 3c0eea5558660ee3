// Where things are: umber's own library, workloads and scripts, the peers' libraries, and programs on the PATH.
// Everything is found beside the running program, so that a build tree and an installation both work without
// configuration.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace umber::tool {

// Returns libumber_malloc.so: $UMBER_LIBRARY when set, else beside this program in the build tree or the installation.
// Empty when there is none.
[[nodiscard]] std::optional<std::filesystem::path> find_umber_library();

// Returns a program of bench/ such as umber-workloads: the file that `variable` names when it is set, else beside this
// program. Empty when there is none.
[[nodiscard]] std::optional<std::filesystem::path> find_bench_program(const std::string& name, const char* variable);

// The same for a program without which nothing can be measured: throws `failure`, naming the remedy.
[[nodiscard]] std::filesystem::path need_bench_program(const std::string& name, const char* variable);

// Returns the launcher of the collectors that other languages bring: $UMBER_PEERS when set, else bench/peers/run of the
// build tree, the source tree around it, or the installation. Empty when there is none.
[[nodiscard]] std::optional<std::filesystem::path> find_peers();

// Returns the folder of the scripts for hosts: $UMBER_HOSTS when set, else beside this program. Empty when there is
// none.
[[nodiscard]] std::optional<std::filesystem::path> find_host_scripts();

// Returns the page that `umber report` fills: $UMBER_REPORT_PAGE when set, else beside this program. Empty when there
// is none.
[[nodiscard]] std::optional<std::filesystem::path> find_report_page();

// Returns a shared library by its name, such as libmimalloc.so.2, from the system's library folders.
[[nodiscard]] std::optional<std::filesystem::path> find_library(const std::string& name);

// Returns a program as a shell would find it, but that /usr/bin, where the PATH has it, comes first: a shim would be
// measured along with the host.
[[nodiscard]] std::optional<std::filesystem::path> find_program(const std::string& name);

// The path of the running program.
[[nodiscard]] std::filesystem::path own_path();

// How it was called, as a shell takes it.
[[nodiscard]] std::string own_command();

}  // namespace umber::tool

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

// Returns the program umber-workloads: $UMBER_WORKLOADS when set, else beside this program. Throws `failure` without
// it.
[[nodiscard]] std::filesystem::path find_workloads();

// Returns the folder of the scripts for hosts: $UMBER_HOSTS when set, else beside this program. Empty when there is
// none.
[[nodiscard]] std::optional<std::filesystem::path> find_host_scripts();

// Returns the page that `umber report` fills: $UMBER_REPORT_PAGE when set, else beside this program. Empty when there
// is none.
[[nodiscard]] std::optional<std::filesystem::path> find_report_page();

// Returns a shared library by its name, such as libmimalloc.so.2, from the system's library folders.
[[nodiscard]] std::optional<std::filesystem::path> find_library(const std::string& name);

// Returns a program as a shell would find it. /usr/bin comes first: a shim in the PATH would be measured along with the
// host.
[[nodiscard]] std::optional<std::filesystem::path> find_program(const std::string& name);

// The path of the running program.
[[nodiscard]] std::filesystem::path own_path();

}  // namespace umber::tool

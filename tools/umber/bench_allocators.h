// The allocators that can be compared: umber, the peers as the distribution ships them, and any library given by path.
// Each is a shared library to preload, the C library's own included: programs such as redis-server are linked to an
// allocator of their own, and only preloading libc.so.6 makes them use the C library's.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace umber::tool {

struct peer {
  const char* name;
  const char* library;
  const char* package;
};

struct allocator {
  std::string name;
  // What `variable` is set to for a run.
  std::filesystem::path library;
  std::string variable = "LD_PRELOAD";
};

// What is looked for in the system's library folders. Umber itself is not among them.
[[nodiscard]] std::span<const peer> known_peers();

// Resolves the names asked for, or, when `names` is empty, takes umber and every peer that is installed; then the
// NAME=PATH pairs of `with`. Throws `failure` with status 2 for a name that is unknown or not installed, naming the
// valid ones.
[[nodiscard]] std::vector<allocator> choose_allocators(const std::vector<std::string>& names,
                                                       const std::vector<std::string>& with);

}  // namespace umber::tool

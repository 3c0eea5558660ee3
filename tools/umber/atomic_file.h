// Writing a file so that it is either whole or not there: a temporary beside it, then rename.
#pragma once

#include <filesystem>
#include <string_view>

namespace umber::tool {

// Throws `failure` when a file at `path` could not be made: what takes long is better refused before than after.
void check_writable(const std::filesystem::path& path);

// Throws `failure` with one line when the text cannot be written whole, for instance to a full disk; then nothing is
// left behind and what stood there before stays.
void write_atomically(const std::filesystem::path& path, std::string_view text);

}  // namespace umber::tool

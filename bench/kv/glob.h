// The patterns of KEYS and SCAN: `*`, `?`, `[a-z]`, `[^a-z]`, and a backslash before what is to be taken literally.
#pragma once

#include <string_view>

namespace kv {

// Whether the pattern is that of the whole text. Time is at most the product of their lengths.
[[nodiscard]] bool glob_matches(std::string_view pattern, std::string_view text) noexcept;

}  // namespace kv

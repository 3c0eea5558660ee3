// When a key ends, as commands say it: in seconds or milliseconds, from now or since 1970.
#pragma once

#include "command.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace kv {

enum class expire_unit : std::uint8_t { seconds, milliseconds, at_seconds, at_milliseconds };

struct expire_option {
  expire_unit unit;
  std::string_view number;
};

// EX, PX, EXAT and PXAT.
[[nodiscard]] std::optional<expire_unit> parse_expire_unit(std::string_view word) noexcept;

// In milliseconds since 1970; nothing if that is no number of 64 bits.
[[nodiscard]] std::optional<std::int64_t> expires_at(std::int64_t number, expire_unit unit, std::int64_t now) noexcept;

// The same of the option of a command, where only what is above 0 makes sense. False if it is wrong; that is replied.
bool read_expire(call& c, const expire_option& option, std::string_view command, std::int64_t& at);
void invalid_expire(call& c, std::string_view command);

}  // namespace kv

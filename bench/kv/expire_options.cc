// Every step is checked for overflow: times come from users.
#include "expire_options.h"

#include <fmt/format.h>

#include "words.h"

namespace kv {

std::optional<expire_unit> parse_expire_unit(std::string_view word) noexcept {
  if (same_word(word, "ex")) return expire_unit::seconds;
  if (same_word(word, "px")) return expire_unit::milliseconds;
  if (same_word(word, "exat")) return expire_unit::at_seconds;
  if (same_word(word, "pxat")) return expire_unit::at_milliseconds;
  return std::nullopt;
}

std::optional<std::int64_t> expires_at(std::int64_t number, expire_unit unit, std::int64_t now) noexcept {
  const bool in_seconds = unit == expire_unit::seconds || unit == expire_unit::at_seconds;
  const bool from_now = unit == expire_unit::seconds || unit == expire_unit::milliseconds;
  std::int64_t at = 0;
  if (__builtin_mul_overflow(number, in_seconds ? 1000 : 1, &at)) return std::nullopt;
  if (from_now && __builtin_add_overflow(at, now, &at)) return std::nullopt;
  return at;
}

void invalid_expire(call& c, std::string_view command) {
  c.out.error(fmt::format("ERR invalid expire time in '{}' command", command));
}

bool read_expire(call& c, const expire_option& option, std::string_view command, std::int64_t& at) {
  std::int64_t number = 0;
  if (!c.integer(option.number, number)) return false;
  const auto found = number <= 0 ? std::nullopt : expires_at(number, option.unit, c.now);
  if (!found) {
    invalid_expire(c, command);
    return false;
  }
  at = *found;
  return true;
}

}  // namespace kv

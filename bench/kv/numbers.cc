// Integers by <charconv>; reals by strtod and printf, whose every digit redis shows.
#include "numbers.h"

#include <cctype>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace kv {

std::optional<std::int64_t> parse_integer(std::string_view text) noexcept {
  const std::string_view unsigned_part = text.starts_with('-') ? text.substr(1) : text;
  if (unsigned_part.empty() || (unsigned_part.front() == '0' && text.size() > 1)) return std::nullopt;
  std::int64_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<double> parse_real(const std::string& text) {
  if (text.empty() || std::isspace(static_cast<unsigned char>(text.front())) != 0) return std::nullopt;
  errno = 0;
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  const bool out_of_range = errno == ERANGE && (std::isinf(number) || number == 0);
  if (end != text.c_str() + text.size() || out_of_range || std::isnan(number)) return std::nullopt;
  return number;
}

std::optional<score_bound> parse_bound(const std::string& text) {
  const bool exclusive = text.starts_with('(');
  const char* const begin = text.c_str() + (exclusive ? 1 : 0);
  char* end = nullptr;
  const double number = std::strtod(begin, &end);
  if (*end != '\0' || std::isnan(number)) return std::nullopt;
  return score_bound{number, exclusive};
}

digits::digits(std::int64_t number) noexcept {
  size_ = static_cast<std::size_t>(std::to_chars(text_, text_ + sizeof text_, number).ptr - text_);
}

digits::digits(double number) noexcept {
  if (std::isinf(number))
    size_ = static_cast<std::size_t>(std::snprintf(text_, sizeof text_, "%s", number > 0 ? "inf" : "-inf"));
  else
    size_ = static_cast<std::size_t>(std::snprintf(text_, sizeof text_, "%.17g", number));
}

}  // namespace kv

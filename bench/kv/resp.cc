// A line ends with a line feed; a carriage return before it belongs to the end.
#include "resp.h"

#include <algorithm>
#include <cstring>

#include "numbers.h"
#include "words.h"

namespace kv {

namespace {

constexpr std::size_t none = std::string_view::npos;

std::size_t find_line_feed(std::string_view input, std::size_t from = 0) noexcept {
  const void* const found = from < input.size() ? std::memchr(input.data() + from, '\n', input.size() - from) : nullptr;
  return found == nullptr ? none : static_cast<std::size_t>(static_cast<const char*>(found) - input.data());
}

bool is_from_a_browser(std::string_view line) noexcept {
  const std::string_view word = line.substr(0, line.find(' '));
  return same_word(word, "post") || same_word(word, "host:");
}

}  // namespace

parsed request_parser::next(std::string_view input, bool client_is_known) {
  consumed_ = 0;
  words_.clear();
  if (mode_ == mode::in_array) return parse_words(input, client_is_known);
  if (mode_ != mode::between) return skip(input);
  if (input.empty()) return parsed::incomplete;
  return input.front() == '*' ? parse_header(input, client_is_known) : parse_line(input);
}

// The line at at_, without its end, and at_ moves behind it; nothing if its end has not arrived.
std::optional<std::string_view> request_parser::take_line(std::string_view input) noexcept {
  const std::size_t end = find_line_feed(input, at_);
  if (end == none) return std::nullopt;
  std::string_view line = input.substr(at_, end - at_);
  if (line.ends_with('\r')) line.remove_suffix(1);
  at_ = end + 1;
  return line;
}

// What comes before `at_line` is done with; the rest of the line there is to be skipped.
parsed request_parser::fail(std::string problem, std::size_t at_line) {
  problem_ = "Protocol error: " + std::move(problem);
  consumed_ = at_line;
  at_ = 0;
  bulk_ = -1;
  mode_ = mode::skipping_line;
  return parsed::malformed;
}

// What is left of a broken request.
parsed request_parser::skip(std::string_view input) noexcept {
  while (consumed_ < input.size()) {
    const std::string_view rest = input.substr(consumed_);
    if (mode_ == mode::skipping_bulk) {
      const std::size_t skipped = std::min<std::uint64_t>(bytes_to_skip_, rest.size());
      consumed_ += skipped;
      bytes_to_skip_ -= skipped;
      if (bytes_to_skip_ == 0) mode_ = mode::skipping_line;
    } else if (mode_ == mode::skipping_line) {
      const std::size_t end = find_line_feed(rest);
      consumed_ += end == none ? rest.size() : end + 1;
      if (end != none) mode_ = mode::between_broken;
    } else if (rest.front() != '$') {
      mode_ = mode::between;
      return parsed::request;
    } else if (!skip_bulk_line(rest)) {
      return parsed::incomplete;
    }
  }
  return parsed::incomplete;
}

// A line that begins with a dollar sign; false if its end has not arrived.
bool request_parser::skip_bulk_line(std::string_view input) noexcept {
  constexpr std::size_t longest_header = 32;
  at_ = 1;
  const auto line = take_line(input);
  const std::size_t behind = std::exchange(at_, 0);
  if (!line && input.size() < longest_header) return false;
  const auto length = line ? parse_integer(*line) : std::nullopt;
  consumed_ += line ? behind : input.size();
  if (!line) {
    mode_ = mode::skipping_line;
  } else if (length && *length >= 0 && *length <= longest_bulk) {
    bytes_to_skip_ = static_cast<std::uint64_t>(*length);
    mode_ = *length == 0 ? mode::skipping_line : mode::skipping_bulk;
  }
  return true;
}

parsed request_parser::parse_header(std::string_view input, bool client_is_known) {
  at_ = 1;
  const auto line = take_line(input);
  if (!line && input.size() > longest_line) return fail("too big mbulk count string", input.size());
  if (!line) return parsed::incomplete;
  const auto count = parse_integer(*line);
  if (!count || *count > most_words) return fail("invalid multibulk length", at_ - 1);
  if (!client_is_known && *count > most_words_unknown) return fail("unauthenticated multibulk length", at_ - 1);
  if (*count <= 0) {
    consumed_ = at_;
    return parsed::request;
  }
  found_.clear();
  words_left_ = *count;
  mode_ = mode::in_array;
  return parse_words(input, client_is_known);
}

// False: it has not arrived, or is malformed, and then problem_ is set.
bool request_parser::parse_bulk_length(std::string_view input, bool client_is_known) {
  problem_.clear();
  if (at_ == input.size()) return false;
  const std::size_t begin = at_;
  if (input[begin] != '$') {
    fail(std::string("expected '$', got '") + input[begin] + "'", begin);
    return false;
  }
  ++at_;
  const auto line = take_line(input);
  if (!line) {
    at_ = begin;
    if (input.size() - begin > longest_line) fail("too big bulk count string", input.size());
    return false;
  }
  const auto length = parse_integer(*line);
  if (!length || *length < 0 || *length > longest_bulk)
    fail("invalid bulk length", at_ - 1);
  else if (!client_is_known && *length > longest_bulk_unknown)
    fail("unauthenticated bulk length", at_ - 1);
  else
    bulk_ = *length;
  return bulk_ >= 0;
}

parsed request_parser::parse_words(std::string_view input, bool client_is_known) {
  while (words_left_ > 0) {
    if (bulk_ < 0 && !parse_bulk_length(input, client_is_known))
      return problem_.empty() ? parsed::incomplete : parsed::malformed;
    const auto length = static_cast<std::size_t>(bulk_);
    if (input.size() - at_ < length + 2) return parsed::incomplete;
    const std::size_t end = at_ + length;
    if (input[end] != '\r' || input[end + 1] != '\n')
      return fail("a bulk string is not as long as it says", std::max<std::size_t>(end, 1) - 1);
    found_.emplace_back(at_, length);
    at_ = end + 2;
    bulk_ = -1;
    --words_left_;
  }
  for (const auto& [offset, length] : found_) words_.push_back(input.substr(offset, length));
  consumed_ = std::exchange(at_, 0);
  mode_ = mode::between;
  return parsed::request;
}

parsed request_parser::parse_line(std::string_view input) {
  at_ = 0;
  const auto line = take_line(input);
  if (!line && input.size() > longest_line) return fail("too big inline request", input.size());
  if (!line) return parsed::incomplete;
  consumed_ = std::exchange(at_, 0);
  if (is_from_a_browser(*line)) return parsed::foreign;
  if (split_words(*line, unquoted_, words_)) return parsed::request;
  words_.clear();
  return fail("unbalanced quotes in request", consumed_ - 1);
}

}  // namespace kv

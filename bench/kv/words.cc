// A word is never longer than what it was written as, so one place for all is made before the first.
#include "words.h"

#include <cctype>
#include <charconv>

namespace kv {

namespace {

bool is_space(char c) noexcept { return std::isspace(static_cast<unsigned char>(c)) != 0; }

// The character behind a backslash, and how much of the text it is.
char unescape(std::string_view text, std::size_t& length) {
  length = 1;
  if (text.front() == 'x' && text.size() >= 3) {
    unsigned value = 0;
    const char* const end = text.data() + 3;
    if (std::from_chars(text.data() + 1, end, value, 16).ptr == end) {
      length = 3;
      return static_cast<char>(value);
    }
  }
  constexpr std::string_view names = "nrtab", meanings = "\n\r\t\a\b";
  const std::size_t known = names.find(text.front());
  return known == std::string_view::npos ? text.front() : meanings[known];
}

// Takes a quoted word off the line, which begins behind the quote. False if it is not closed.
bool take_quoted(std::string_view& line, char quote, std::string& into) {
  while (!line.empty()) {
    const char c = line.front();
    line.remove_prefix(1);
    if (c == quote) return line.empty() || is_space(line.front());
    if (c == '\\' && quote == '"' && !line.empty()) {
      std::size_t length;
      into += unescape(line, length);
      line.remove_prefix(length);
    } else if (c == '\\' && quote == '\'' && line.starts_with('\'')) {
      into += '\'';
      line.remove_prefix(1);
    } else {
      into += c;
    }
  }
  return false;
}

}  // namespace

bool split_words(std::string_view line, std::string& unquoted, std::vector<std::string_view>& words) {
  unquoted.clear();
  unquoted.reserve(line.size());
  for (;;) {
    while (!line.empty() && is_space(line.front())) line.remove_prefix(1);
    if (line.empty()) return true;
    const std::size_t begin = unquoted.size();
    while (!line.empty() && !is_space(line.front())) {
      const char c = line.front();
      line.remove_prefix(1);
      if (c != '"' && c != '\'')
        unquoted += c;
      else if (!take_quoted(line, c, unquoted))
        return false;
    }
    words.emplace_back(unquoted.data() + begin, unquoted.size() - begin);
  }
}

}  // namespace kv

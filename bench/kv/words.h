// Words: how they are compared, and how a line is split into them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kv {

constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Whether `word` is the other one, which is in lower case, in whatever case.
constexpr bool same_word(std::string_view word, std::string_view lower_case) noexcept {
  if (word.size() != lower_case.size()) return false;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (lower(word[i]) != lower_case[i]) return false;
  }
  return true;
}

// Splits at blank space. A word may be quoted: 'so', with \' in it, or "so", with \n, \r, \t, \a, \b, \xff, \\ and \".
// The words are views of `unquoted`. False if a quote is not closed, or not followed by space.
[[nodiscard]] bool split_words(std::string_view line, std::string& unquoted, std::vector<std::string_view>& words);

}  // namespace kv

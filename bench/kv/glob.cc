// One star is remembered, the last: what an earlier one could take besides, the last can take as well.
#include "glob.h"

#include <utility>

namespace kv {

namespace {

// Whether `c` is in the class that begins behind its bracket. `pattern` becomes what is behind the class.
bool in_class(std::string_view& pattern, char c) noexcept {
  const bool negated = pattern.starts_with('^');
  if (negated) pattern.remove_prefix(1);
  bool found = false;
  while (!pattern.empty() && pattern.front() != ']') {
    if (pattern.front() == '\\' && pattern.size() >= 2) {
      found |= pattern[1] == c;
      pattern.remove_prefix(2);
    } else if (pattern.size() >= 3 && pattern[1] == '-') {
      auto low = static_cast<unsigned char>(pattern[0]), high = static_cast<unsigned char>(pattern[2]);
      if (low > high) std::swap(low, high);
      found |= low <= static_cast<unsigned char>(c) && static_cast<unsigned char>(c) <= high;
      pattern.remove_prefix(3);
    } else {
      found |= pattern.front() == c;
      pattern.remove_prefix(1);
    }
  }
  if (!pattern.empty()) pattern.remove_prefix(1);
  return found != negated;
}

// Whether `c` matches what the pattern begins with, which is no star; that is then taken off.
bool take_one(std::string_view& pattern, char c) noexcept {
  const char first = pattern.front();
  pattern.remove_prefix(1);
  if (first == '?') return true;
  if (first == '[') return in_class(pattern, c);
  if (first != '\\' || pattern.empty()) return first == c;
  const char literal = pattern.front();
  pattern.remove_prefix(1);
  return literal == c;
}

}  // namespace

bool glob_matches(std::string_view pattern, std::string_view text) noexcept {
  bool starred = false;
  std::string_view behind_star, left_to_star;
  for (;;) {
    if (pattern.starts_with('*')) {
      pattern.remove_prefix(1);
      starred = true;
      behind_star = pattern;
      left_to_star = text;
      continue;
    }
    if (text.empty() && pattern.empty()) return true;
    if (!text.empty() && !pattern.empty() && take_one(pattern, text.front())) {
      text.remove_prefix(1);
      continue;
    }
    if (!starred || left_to_star.empty()) return false;
    left_to_star.remove_prefix(1);
    pattern = behind_star;
    text = left_to_star;
  }
}

}  // namespace kv

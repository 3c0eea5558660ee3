// Numbers as the protocol writes them. What is taken for an integer is what redis takes for one: its only decimal form,
// so that 7 is one and +7, 07 and " 7" are not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kv {

[[nodiscard]] std::optional<std::int64_t> parse_integer(std::string_view text) noexcept;

// All of the text is the number, inf or -inf; neither blank space before it, nor nan.
[[nodiscard]] std::optional<double> parse_real(const std::string& text);
// The end of a range of scores, which may begin with `(`: then the end itself is not part of it.
struct score_bound {
  double score;
  bool exclusive;
};
[[nodiscard]] std::optional<score_bound> parse_bound(const std::string& text);

// A number as text, in a place of its own.
class digits {
 public:
  explicit digits(std::int64_t number) noexcept;
  explicit digits(double number) noexcept;  // 17 significant digits
  [[nodiscard]] std::string_view text() const noexcept { return {text_, size_}; }

 private:
  char text_[40];
  std::size_t size_;
};

}  // namespace kv

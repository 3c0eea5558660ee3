// Replies in RESP2, gathered until there is reason to send them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace kv {

class reply {
 public:
  void ok() { text_ += "+OK\r\n"; }
  void simple(std::string_view line) { text_.append("+").append(line).append("\r\n"); }
  // The whole line, which begins with its class: ERR, WRONGTYPE ... What would end it early becomes a space.
  void error(std::string_view line);
  void number(std::int64_t n) { header(':', n); }
  void null() { text_ += "$-1\r\n"; }
  void null_array() { text_ += "*-1\r\n"; }
  void array(std::size_t size) { header('*', static_cast<std::int64_t>(size)); }
  void bulk(std::string_view bytes);
  void bulk(double n);

  // What was gathered and not dropped.
  [[nodiscard]] std::string_view pending() const noexcept { return std::string_view(text_).substr(sent_); }
  // The first `bytes` of it were sent.
  void drop(std::size_t bytes);

 private:
  static constexpr std::size_t kept = 64 << 10;  // memory that an idle connection may keep

  void header(char type, std::int64_t n);

  std::string text_;
  std::size_t sent_ = 0;
};

}  // namespace kv

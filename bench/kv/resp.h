// Requests in RESP2, out of the bytes of a connection: arrays of bulk strings, and lines of words ("inline").
//
// The parser is given what has arrived and was not consumed yet, as often as more arrives. It copies nothing: the words
// of a request are views of the input. It remembers how far it has looked, so a large request that comes in a thousand
// parts is not read a thousand times.
//
// What breaks the protocol is answered with one error, and the connection goes on: the rest of the broken line is
// skipped, and so are whole bulk strings that follow it (they are what is left of the broken request, and what a user
// stored must not be taken for a command); the next line that begins otherwise begins a request. Lengths beyond the
// limits are refused when they are read, before any memory is spent on them. A line that is a web browser's request
// ends the connection: a page must not be able to talk to a server on the loopback.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kv {

enum class parsed : std::uint8_t {
  incomplete,  // more input is needed
  request,     // words() are its words; none where there was nothing but what is skipped
  malformed,   // problem() says why
  foreign,     // this is no client of ours
};

class request_parser {
 public:
  static constexpr std::size_t longest_line = 64 << 10;
  static constexpr std::int64_t most_words = 1 << 20;
  static constexpr std::int64_t longest_bulk = 512 << 20;
  // Before the client has said who it is.
  static constexpr std::int64_t most_words_unknown = 10;
  static constexpr std::int64_t longest_bulk_unknown = 16 << 10;

  // `input` begins with the first byte that was not consumed. Whatever is returned, consumed() bytes of it are done
  // with.
  [[nodiscard]] parsed next(std::string_view input, bool client_is_known = true);
  [[nodiscard]] std::size_t consumed() const noexcept { return consumed_; }
  // Of the last request; they live as long as the input that they were found in.
  [[nodiscard]] std::span<const std::string_view> words() const noexcept { return words_; }
  // Of what was malformed: what redis says of it.
  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }

 private:
  enum class mode : std::uint8_t { between, in_array, skipping_line, skipping_bulk, between_broken };

  std::optional<std::string_view> take_line(std::string_view input) noexcept;
  parsed skip(std::string_view input) noexcept;
  bool skip_bulk_line(std::string_view input) noexcept;
  parsed parse_header(std::string_view input, bool client_is_known);
  parsed parse_words(std::string_view input, bool client_is_known);
  bool parse_bulk_length(std::string_view input, bool client_is_known);
  parsed parse_line(std::string_view input);
  parsed fail(std::string problem, std::size_t at_line);

  mode mode_ = mode::between;
  std::size_t at_ = 0;  // of the input: the next byte to look at
  std::size_t consumed_ = 0;
  std::int64_t words_left_ = 0;      // of the array
  std::int64_t bulk_ = -1;           // the length of the bulk string that comes next, once it is known
  std::uint64_t bytes_to_skip_ = 0;  // of the bulk string that is skipped
  std::vector<std::pair<std::size_t, std::size_t>> found_;  // offsets and lengths of the array's words so far
  std::vector<std::string_view> words_;
  std::string unquoted_;  // the words of an inline request
  std::string problem_;
};

}  // namespace kv

// Requests out of bytes: however they are cut, whatever is broken in them.
#include "resp.h"

#include <catch2/catch_test_macros.hpp>

#include <random>
#include <string>
#include <vector>

namespace kv {
namespace {

using request = std::vector<std::string>;

std::string packed(const request& words) {
  std::string text = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string& each : words) text += "$" + std::to_string(each.size()) + "\r\n" + each + "\r\n";
  return text;
}

// What a connection would make of the input: requests, and the problems of what is malformed as requests of one word.
struct feeder {
  request_parser parser;
  std::string waiting;
  std::vector<request> seen;
  bool known = true, foreign = false;

  void feed(std::string_view more) {
    waiting += more;
    std::string_view input = waiting;
    for (;;) {
      const parsed found = parser.next(input, known);
      if (found == parsed::request && !parser.words().empty())
        seen.emplace_back(parser.words().begin(), parser.words().end());
      else if (found == parsed::malformed)
        seen.push_back({std::string("! ").append(parser.problem())});
      REQUIRE(parser.consumed() <= input.size());
      input.remove_prefix(parser.consumed());
      foreign |= found == parsed::foreign;
      if (found == parsed::incomplete || foreign) break;
    }
    waiting = input;
  }
};

std::vector<request> parse(std::string_view text, bool known = true) {
  feeder f;
  f.known = known;
  f.feed(text);
  return f.seen;
}

std::vector<request> parse_in_pieces(std::string_view text, std::mt19937_64& random) {
  feeder f;
  while (!text.empty()) {
    const std::size_t piece = 1 + random() % (random() % 4 == 0 ? 40 : 3);
    f.feed(text.substr(0, piece));
    text.remove_prefix(std::min(piece, text.size()));
  }
  return f.seen;
}

const request ping = {"PING"};
const request broken_length = {"! Protocol error: invalid bulk length"};

TEST_CASE("resp: arrays and lines are requests, and words are bytes of any kind") {
  CHECK(parse("*2\r\n$3\r\nGET\r\n$4\r\na\r\nb\r\n") == std::vector<request>{{"GET", "a\r\nb"}});
  CHECK(parse("PING\r\n  set  a 'b c' \"\\x41\\n\"\n\r\n") ==
        std::vector<request>{{"PING"}, {"set", "a", "b c", "A\n"}});
  CHECK(parse("*0\r\n*-1\r\n\r\n*1\r\n$0\r\n\r\n") == std::vector<request>{{""}});
}

TEST_CASE("resp: what is malformed is one error, and the next request is carried out") {
  const std::string next = packed(ping);
  CHECK(parse("*x\r\n" + next) == std::vector<request>{{"! Protocol error: invalid multibulk length"}, ping});
  CHECK(parse("*2\r\n:1\r\n" + next) == std::vector<request>{{"! Protocol error: expected '$', got ':'"}, ping});
  CHECK(parse("*1\r\n$-5\r\nPING\r\n") == std::vector<request>{broken_length, ping});
  CHECK(parse("*1\r\n$3\r\nPING\r\n" + next).size() == 2);
  CHECK(parse("get 'a\r\n" + next) == std::vector<request>{{"! Protocol error: unbalanced quotes in request"}, ping});
}

TEST_CASE("resp: what is left of a broken request is skipped, and no value in it is taken for a command") {
  const std::string broken = "*4\r\n$3\r\nSET\r\n$x\r\n$8\r\nFLUSHALL\r\n$14\r\n*1\r\n$4\r\nQUIT\r\n\r\n";
  CHECK(parse(broken + packed(ping)) == std::vector<request>{broken_length, ping});
}

TEST_CASE("resp: lengths beyond the limits are refused when they are read") {
  CHECK(parse("*1\r\n$536870913\r\n") == std::vector<request>{broken_length});
  CHECK(parse("*1\r\n$99999999999999999999999\r\n") == std::vector<request>{broken_length});
  CHECK(parse("*1048577\r\n") == std::vector<request>{{"! Protocol error: invalid multibulk length"}});
  CHECK(parse("*11\r\n", false) == std::vector<request>{{"! Protocol error: unauthenticated multibulk length"}});
  CHECK(parse("*1\r\n$16385\r\n", false) == std::vector<request>{{"! Protocol error: unauthenticated bulk length"}});
  CHECK(parse(std::string(70000, 'x')) == std::vector<request>{{"! Protocol error: too big inline request"}});
  CHECK(parse("*" + std::string(70000, '1')) == std::vector<request>{{"! Protocol error: too big mbulk count string"}});
}

TEST_CASE("resp: a line of a browser ends it") {
  feeder f;
  f.feed("POST / HTTP/1.1\r\nFLUSHALL\r\n");
  CHECK(f.foreign);
  CHECK(f.seen.empty());
}

TEST_CASE("resp: however the input is cut, the requests are the same") {
  const std::uint64_t seed = std::random_device{}();
  std::mt19937_64 random(seed);
  INFO("seed " << seed);
  for (int round = 0; round < 300; ++round) {
    std::vector<request> wanted;
    std::string text;
    for (std::size_t n = random() % 20; n > 0; --n) {
      request words(1 + random() % 5);
      for (std::string& each : words) {
        each.resize(random() % (random() % 8 == 0 ? 3000 : 12));
        for (char& c : each) c = "\r\n$*:1aZ\0"[random() % 9];
      }
      text += packed(words);
      wanted.push_back(words);
    }
    REQUIRE(parse(text) == wanted);
    REQUIRE(parse_in_pieces(text, random) == wanted);
  }
}

TEST_CASE(
    "resp: however bad the input is, and however it is cut, the outcome is the same, and a good request ends it") {
  const std::uint64_t seed = std::random_device{}();
  std::mt19937_64 random(seed);
  INFO("seed " << seed);
  // No length among them is one that what follows is too short for: that would be waited for, rightly.
  const std::string_view parts[] = {
      "*1\r\n", "*3\r\n", "$4\r\n", "PING\r\n", "$-1\r\n", "*x\r\n",        "$", "*", "\r\n", "\r", "\n",
      "$0\r\n", "abc",    "'a\r\n", "\"",       ":1\r\n",  "$600000000\r\n"};
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (std::size_t n = random() % 30; n > 0; --n) text += parts[random() % std::size(parts)];
    const std::vector<request> outcome = parse(text);
    REQUIRE(parse_in_pieces(text, random) == outcome);
    // Whatever was expected before: the second of three is seen, or the third.
    const std::vector<request> ended = parse(text + "\r\n\r\n" + packed(ping) + "\r\n" + packed(ping) + packed(ping));
    REQUIRE(!ended.empty());
    REQUIRE(ended.back() == ping);
  }
}

}  // namespace
}  // namespace kv

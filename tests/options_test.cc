#include "alloc/options.h"

#include <unistd.h>
#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <string>

using namespace umber::alloc;

namespace {

std::size_t size_of(const char* text) {
  std::size_t bytes = 4711;
  return parse_size(text, std::strlen(text), bytes) ? bytes : 4711;
}

// What `parse(text)` prints on stderr.
std::string complaint(const char* text, options& into, void (*parse)(const char*, options&) = parse_options) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const int before = dup(STDERR_FILENO);
  dup2(ends[1], STDERR_FILENO);
  parse(text, into);
  dup2(before, STDERR_FILENO);
  close(before);
  close(ends[1]);
  std::string said(1000, '\0');
  const ssize_t length = read(ends[0], said.data(), said.size());
  close(ends[0]);
  said.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  return said;
}

}  // namespace

TEST_CASE("options: sizes are bytes, or a number with a power of 1024") {
  CHECK(size_of("0") == 0);
  CHECK(size_of("1048576") == 1048576);
  CHECK(size_of("7b") == 7);
  CHECK(size_of("3k") == 3 * kib);
  CHECK(size_of("3K") == 3 * kib);
  CHECK(size_of("3KB") == 3 * kib);
  CHECK(size_of("512MiB") == 512 * mib);
  CHECK(size_of("512mib") == 512 * mib);
  CHECK(size_of("2g") == 2 * gib);
  CHECK(size_of("1TiB") == 1024 * gib);
}

TEST_CASE("options: what is no size is refused") {
  for (const char* text : {"", "k", "MiB", "-1", "+1", " 1", "1 k", "1.5g", "1x", "1kk", "1iB", "1kiBB", "0x10",
                           "18446744073709551616", "99999999999999999999999", "16777216TiB"})
    CHECK(size_of(text) == 4711);
  CHECK(size_of("18446744073709551615") == SIZE_MAX);
}

TEST_CASE("options: every key sets its member and no other") {
  options o;
  CHECK(complaint("stats=exit,decay_ms=250,thp=never,limit=1GiB,scavenger=off", o).empty());
  CHECK(o.stats == stats_at_exit::text);
  CHECK(o.decay_ms == 250);
  CHECK(o.thp == thp_policy::never);
  CHECK(o.memory_limit == gib);
  CHECK_FALSE(o.scavenger);
  CHECK(complaint("stats=json,decay_ms=-1,thp=always,scavenger=on", o).empty());
  CHECK(o.stats == stats_at_exit::json);
  CHECK(o.decay_ms == -1);
  CHECK(o.thp == thp_policy::always);
  CHECK(o.memory_limit == gib);
  CHECK(o.scavenger);
}

TEST_CASE("options: an empty string and stray commas mean nothing") {
  options o;
  CHECK(complaint("", o).empty());
  CHECK(complaint(",,decay_ms=5,,", o).empty());
  CHECK(o.decay_ms == 5);
}

TEST_CASE("options: what is not understood is said once, with what is valid, and the rest applies") {
  options o;
  const std::string said = complaint("color=red,decay_ms=7,thp=maybe,stats", o);
  CHECK(o.decay_ms == 7);
  CHECK(o.thp == thp_policy::system);
  CHECK(o.stats == stats_at_exit::off);
  CHECK(said.starts_with("umber: UMBER_OPTIONS: valid are stats=exit|json, "));
  CHECK(said.find("'color=red' 'thp=maybe' 'stats'\n") != std::string::npos);
  CHECK(said.find("decay_ms=7") == std::string::npos);
  CHECK(said.find('\n') == said.size() - 1);
}

TEST_CASE("options: bad values leave the default") {
  options o;
  for (const char* text : {"decay_ms=", "decay_ms=-2", "decay_ms=1s", "decay_ms=99999999999", "limit=", "limit=lots",
                           "scavenger=1", "scavenger", "stats=", "=5", "thp"})
    CHECK_FALSE(complaint(text, o).empty());
  CHECK(o.decay_ms == options().decay_ms);
  CHECK(o.memory_limit == SIZE_MAX);
  CHECK(o.scavenger);
}

TEST_CASE("options: a line that is too long is cut, not overrun") {
  options o;
  const std::string text(5000, 'x');
  const std::string said = complaint((text + ",a,b").c_str(), o);
  CHECK(said.size() <= 513);
  CHECK(said.find("limit=SIZE") != std::string::npos);
}

TEST_CASE("options: a profile is a file, and perhaps how often it is sampled") {
  options o;
  CHECK(complaint("out.pb.gz", o, parse_profile).empty());
  CHECK(std::string(o.profile, o.profile_length) == "out.pb.gz");
  CHECK(o.profile_every == 512 * kib);
  CHECK(complaint("/tmp/%p,every=1MiB", o, parse_profile).empty());
  CHECK(std::string(o.profile, o.profile_length) == "/tmp/%p");
  CHECK(o.profile_every == mib);
}

TEST_CASE("options: a profile that is not understood is said in one line, and there is none") {
  for (const char* text :
       {",every=1MiB", "file,every=0", "file,every=", "file,every=often", "file,color=red", "file,7"}) {
    options o;
    const std::string said = complaint(text, o, parse_profile);
    CHECK(said.starts_with("umber: UMBER_PROFILE: not understood: '" + std::string(text) + "'; valid: "));
    CHECK(said.find('\n') == said.size() - 1);
    CHECK(o.profile == nullptr);
  }
}

#include "alloc/pprof.h"

#include "profile_reader.h"

#include <fcntl.h>
#include <cerrno>
#include <random>

namespace umber::alloc::pprof {
namespace {

using testing::proto_message;
using testing::scratch_folder;

TEST_CASE("pprof: the checksum is gzip's, in one piece or two") {
  CHECK(crc32(0, "123456789", 9) == 0xcbf43926);
  CHECK(crc32(crc32(0, "12345", 5), "6789", 4) == 0xcbf43926);
}

TEST_CASE("pprof: numbers, strings and messages come back, across blocks") {
  const scratch_folder folder;
  const int file = open((folder / "x").c_str(), O_WRONLY | O_CREAT, 0666);
  auto written = std::make_unique<gzip_file>(file);
  const std::string text(100'000, 'x');
  CHECK(written->string("one") == 1);
  CHECK(written->string(text.data(), text.size(), "[]") == 2);
  fields inner, outer;
  inner.number(1, UINT64_MAX).number(2, 0).number(3, 127).number(4, 128);
  outer.message(7, inner).number(16, 1);
  written->message(100, outer);
  CHECK(written->finish() == 0);
  close(file);

  const std::string all = testing::unzipped(folder / "x");
  const proto_message top(all);
  REQUIRE(top.all(6).size() == 3);
  CHECK(top.all(6)[0].bytes.empty());  // [pprof.2]
  CHECK(top.all(6)[1].bytes == "one");
  CHECK(top.all(6)[2].bytes == text + "[]");
  const proto_message read(top.all(100).at(0).bytes);
  CHECK(read.number(16) == 1);
  const proto_message innermost(read.all(7).at(0).bytes);
  CHECK(innermost.number(1) == UINT64_MAX);
  CHECK(innermost.all(2).empty());
  CHECK(innermost.number(3) == 127);
  CHECK(innermost.number(4) == 128);
}

TEST_CASE("pprof: a full disk is told at the end [pprof.1]") {
  const int file = open("/dev/full", O_WRONLY);
  REQUIRE(file >= 0);
  auto written = std::make_unique<gzip_file>(file);
  for (int i = 0; i < 100'000; ++i) static_cast<void>(written->string("text"));
  CHECK(written->finish() == ENOSPC);
  close(file);
}

}  // namespace
}  // namespace umber::alloc::pprof

#include "alloc/check.h"

#include "testing.h"

namespace umber::testing {

TEST_CASE("check: a message is one line, numbers and addresses included") {
  const ending end = run_in_child([] {
    message line;
    line << "count " << std::size_t{0} << " and " << std::size_t{18446744073709551615U} << " at "
         << pointer_to(std::uintptr_t{0x1f});
    line.print();
    return true;
  });
  CHECK(end.succeeded());
  CHECK(end.output == "count 0 and 18446744073709551615 at 0x1f\n");
}

TEST_CASE("check: a message that is too long is cut, and still one line") {
  const ending end = run_in_child([] {
    message line;
    for (int i = 0; i < 100; ++i) line << "0123456789";
    line.print();
    return true;
  });
  CHECK(end.succeeded());
  CHECK(end.lines() == 1);
  CHECK(end.output.back() == '\n');
  CHECK(end.output.size() <= 512);
  CHECK(end.output.size() > 400);
}

TEST_CASE("check: misuse names the call, the address and what is known of it, and aborts") {
  const ending end = death_of([] { die_misuse("free", pointer_to(0x7f12), "was already freed", 48); });
  CHECK(end.aborted());
  CHECK(end.output == "umber: free(): 0x7f12 was already freed (48-byte object)\n");
}

TEST_CASE("check: misuse of an object whose size is unknown says nothing of it") {
  const ending end = death_of([] { die_misuse("free", nullptr, "was not allocated by this heap"); });
  CHECK(end.aborted());
  CHECK(end.lines() == 1);
  CHECK_FALSE(end.says("object)"));
}

TEST_CASE("check: a broken invariant names its condition and place") {
  const ending end = death_of([] { die_broken("a == b", "some_file.cc", 12); });
  CHECK(end.aborted());
  CHECK(end.says("a == b"));
  CHECK(end.says("some_file.cc"));
  CHECK(end.says("12"));
}

TEST_CASE("check: a condition is tested in debug builds, and only there") {
  const ending end = death_of([] { UMBER_DCHECK(1 + 1 == 3); });
#ifdef NDEBUG
  CHECK(end.succeeded());
#else
  CHECK(end.aborted());
  CHECK(end.says("1 + 1 == 3"));
#endif
}

}  // namespace umber::testing

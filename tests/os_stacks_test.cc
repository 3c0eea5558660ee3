#include "alloc/os_stacks.h"

#include "alloc/os_code.h"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

namespace umber::alloc {
namespace {

std::uintptr_t calls[64];
std::size_t depth = 0;

}  // namespace
}  // namespace umber::alloc

// Outside of the engine's names, and not to be made one by the compiler.
extern "C" {
[[gnu::noinline]] void stack_inner() {
  umber::alloc::depth = umber::alloc::os::call_stack(umber::alloc::calls, 64);
  asm volatile("" ::: "memory");
}
[[gnu::noinline]] void stack_outer() {
  stack_inner();
  asm volatile("" ::: "memory");
}
}

namespace umber::alloc {
namespace {

struct named_calls {
  std::vector<os::code_place> places;
  std::vector<std::string> names;
  std::uintptr_t last_end = 0;
  bool in_order = true;
};

void name_those_in(void* context, const os::code_range& range) {
  auto& all = *static_cast<named_calls*>(context);
  all.in_order = all.in_order && range.start >= all.last_end && range.end > range.start;
  all.last_end = range.end;
  std::vector<os::code_place> here;
  for (const os::code_place& p : all.places)
    if (p.address >= range.start && p.address < range.end) here.push_back(p);
  std::sort(here.begin(), here.end(), [](auto& a, auto& b) { return a.address < b.address; });
  struct {
    named_calls& all;
    std::vector<os::code_place>& here;
  } both{all, here};
  os::name_functions(
      range, here.data(), here.size(),
      [](void* to) {
        auto& in = *static_cast<decltype(both)*>(to);
        for (const os::code_place& p : in.here)
          if (p.function != nullptr) in.all.names.emplace_back(p.function);
      },
      &both);
}

TEST_CASE("os_stacks: a stack has the calls that the thread is in [os_stacks.1] [os_code.1]") {
  os::prepare_stacks();
  errno = 4711;
  stack_outer();
  CHECK(errno == 4711);
  REQUIRE(depth >= 3);
  named_calls named;
  for (std::size_t i = 0; i < depth; ++i) named.places.push_back({.address = calls[i]});
  REQUIRE(os::each_code_range(name_those_in, &named));
  CHECK(named.in_order);
  const auto has = [&](const char* name) {
    return std::find(named.names.begin(), named.names.end(), name) != named.names.end();
  };
  CHECK(has("stack_inner"));
  CHECK(has("stack_outer"));
  CHECK(has("main"));
}

TEST_CASE("os_stacks: no more calls than there is room for") {
  std::uintptr_t two[3] = {0, 0, 4711};
  CHECK(os::call_stack(two, 2) == 2);
  CHECK(two[2] == 4711);
}

// As [os_code.1] has it for a file that is not the one that is mapped.
TEST_CASE("os_code: what is no binary, or another one, names nothing") {
  os::code_place place{.address = calls[0]};
  os::code_range range;
  range.start = calls[0] & ~std::uintptr_t{4095};
  range.end = range.start + 4096;
  const unsigned char other[20] = {1};
  range.build_id = other;
  range.build_id_bytes = sizeof other;
  for (const char* path : {"/proc/self/exe", "/dev/null", "/no/such/file", "/etc/passwd", "[vdso]"}) {
    range.path = path;
    bool called = false;
    os::name_functions(
        range, &place, 1, [](void* to) { *static_cast<bool*>(to) = true; }, &called);
    CHECK(called);
    CHECK(place.function == nullptr);
  }
}

}  // namespace
}  // namespace umber::alloc

#include "gc/ahead.h"

#include "alloc/mheap.h"
#include "alloc/os.h"
#include "gc_testing.h"

#include <chrono>

namespace umber::testing {
namespace {

using namespace gc;

page_count backed_and_free() { return alloc::heap.figures().unscavenged; }

// A heap that plans as one of so many bytes does, in a process of whose free pages the system backs none.
struct planned_heap : test_heap {
  explicit planned_heap(std::size_t bytes) {
    while (alloc::heap.release(page_alloc::chunk_pages).value != 0) {
    }
    plan_ahead(h, bytes);
  }
};

}  // namespace

TEST_CASE("ahead: a large heap wants pages in proportion, a small one none") {
  if (!os::is_memory_uniform()) SKIP("pages belong beside who touches them first here");
  planned_heap t(63 * mib);
  CHECK(t.h.ahead == 0);
  plan_ahead(t.h, 128 * mib);
  CHECK(t.h.ahead * page_size == mib);
  plan_ahead(t.h, 100 * gib);
  CHECK(t.h.ahead * page_size == 2 * mib);
}

TEST_CASE("ahead: when few pages are backed the collector's thread is called, and sees to it") {
  if (!os::is_memory_uniform()) SKIP("pages belong beside who touches them first here");
  planned_heap t(128 * mib);
  REQUIRE(backed_and_free().value == 0);
  look_ahead(t.h);
  for (int i = 0; i < 1000 && (t.h.pages_wanted || backed_and_free().bytes() < mib); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  CHECK(backed_and_free().bytes() >= mib);
  CHECK_FALSE(t.h.pages_wanted);
  const std::uint32_t calls = t.h.calls;
  look_ahead(t.h);
  CHECK(t.h.calls == calls);
}

TEST_CASE("ahead: where no pages can be had nobody asks again before the next plan") {
  if (!os::is_memory_uniform()) SKIP("pages belong beside who touches them first here");
  planned_heap t(128 * mib);
  t.h.pages_wanted = true;
  os::inject_failure(0, SIZE_MAX);
  const bool brought = bring_pages(t.h);
  os::inject_failure(0, 0);
  CHECK_FALSE(brought);
  CHECK(t.h.ahead == 0);
  const std::uint32_t calls = t.h.calls;
  look_ahead(t.h);
  CHECK(t.h.calls == calls);
  t.heap.collect();
  CHECK(t.h.cycles == 1);
}

}  // namespace umber::testing

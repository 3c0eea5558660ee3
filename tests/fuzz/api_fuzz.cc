// The fuzz target of the public C interface: the input is a sequence of operations against their shadow.
#include "operations.h"

#include <umber/umber_c.h>

namespace {

struct umber_malloc_api {
  static void* malloc(std::size_t n) { return umber_malloc(n); }
  static void* calloc(std::size_t count, std::size_t n) { return umber_calloc(count, n); }
  static void* realloc(void* p, std::size_t n) { return umber_realloc(p, n); }
  static void* aligned_alloc(std::size_t alignment, std::size_t n) { return umber_aligned_alloc(alignment, n); }
  static void* allocate_at_least(std::size_t n, std::size_t& granted) {
    const umber_allocation block = umber_allocate_at_least(n);
    granted = block.size;
    if (block.ptr != nullptr && granted != umber_good_size(n))
      operations::fail("not the good size", block.ptr, granted);
    return block.ptr;
  }
  static std::size_t usable_size(const void* p) { return umber_usable_size(p); }
  static void free(void* p) { umber_free(p); }
  static void free_sized(void* p, std::size_t n) { umber_free_sized(p, n); }
  static void free_aligned_sized(void* p, std::size_t alignment, std::size_t n) {
    umber_free_aligned_sized(p, alignment, n);
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  operations::decisions d({data, size});
  operations::state<umber_malloc_api> s;
  while (!d.done()) {
    if (d.byte() == 255) umber_release();
    operations::perform_one(s, d);
  }
  return 0;
}

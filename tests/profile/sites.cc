// Allocates 64 MB by names that pprof_test.py looks for, three quarters of it by malloc, and keeps a half of each.
#include <umber/umber.h>

#include <cstdlib>
#include <vector>

namespace {

struct sites_node {
  umber::field<sites_node> next;
  std::uint64_t value = 0;
};

std::vector<void*> kept;

}  // namespace

[[gnu::noinline]] void site_that_keeps() {
  for (int i = 0; i < 250'000; ++i) kept.push_back(std::malloc(96));
  asm volatile("" ::: "memory");
}
[[gnu::noinline]] void site_that_frees() {
  for (int i = 0; i < 250'000; ++i) {
    void* p = std::malloc(96);
    asm volatile("" : "+r"(p)::"memory");
    std::free(p);
  }
}
[[gnu::noinline]] void site_of_nodes(umber::local<sites_node>& list) {
  for (int i = 0; i < 1'000'000; ++i) {
    const auto fresh = umber::make<sites_node>();
    if (i % 2 != 0) continue;
    fresh->next = list;
    list = fresh;
  }
}

int main() {
  kept.reserve(250'000);
  site_that_keeps();
  site_that_frees();
  umber::heap heap;
  const umber::mutator attached(heap);
  umber::local<sites_node> list;
  site_of_nodes(list);
  heap.collect();
  const char* file = std::getenv("SITES_PROFILE");
  if (file != nullptr && !umber::profile::write(file)) return 1;
  for (void* p : kept) std::free(p);
}

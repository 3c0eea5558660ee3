// A program that never forgets one object in ten: the heap grows as long as it runs, and each collection has more to
// look at than the one before.
#include "harness.h"

namespace bench {

namespace {

std::uint64_t leak(run& r, lane& l) {
  ref<wide_node> head(nullptr);
  std::uint64_t made = 0;
  l.run(r.operations(100'000), [&](std::size_t) {
    for (int n = 0; n < 100; ++n, ++made) {
      const ref<wide_node> fresh = make<wide_node>();
      fresh->words[0] = made;
      if (made % 10 == 0) {
        fresh->left = head;
        head = fresh;
      } else {
        keep(fresh);
        drop(fresh);
      }
    }
  });
  std::uint64_t sum = 0;
  for (wide_node* n = head; n != nullptr;) {
    sum = mix(sum, n->words[0]);
    wide_node* const next = n->left;
    drop(n);
    n = next;
  }
  return sum;
}

}  // namespace

outcome leak_slow(run& r) {
  return {r.on_lanes([&](lane& l) { return leak(r, l); })};
}

}  // namespace bench

// A message of 1 KiB into the next of 200,000 slots, at a fixed rate, over a large live set: what a server does that
// keeps much and forgets messages in the order in which they came.
#include "live_sets.h"

#include <cstring>

namespace bench {

namespace {

constexpr std::size_t slot_count = 200000;

struct message {
  char bytes[1024];
};

using ring_of_messages = array<link<message>>;

std::uint64_t checksum_of(ring_of_messages& ring) {
  std::uint64_t sum = 0;
  for (const link<message>& slot : ring) {
    const message* m = slot;
    const auto byte = [&](std::size_t i) { return std::uint64_t{static_cast<unsigned char>(m->bytes[i])}; };
    sum = mix(sum, m == nullptr ? 0 : 1 + byte(0) + 256 * byte(sizeof m->bytes - 1));
  }
  return sum;
}

}  // namespace

outcome message_ring(run& r) {
  return {r.on_lanes([&](lane& l) {
    const ref<wide_node> live = make_live_tree(r.depth(), r.chosen().random);
    const ref<ring_of_messages> ring = make_array<link<message>>(slot_count);
    l.run(r.operations(2'000'000), [&](std::size_t i) {
      const ref<message> fresh = make_plain<message>();
      std::memset(fresh->bytes, static_cast<int>(i & 255), sizeof fresh->bytes);
      link<message>& slot = (*ring)[i % slot_count];
      drop(slot);
      slot = fresh;
    });
    const std::uint64_t sum = checksum_of(*ring);
    for (link<message>& slot : *ring) drop(slot);
    drop(ring);
    keep(live);
    drop_tree(live);
    return mix(sum, (std::uint64_t{2} << r.depth()) - 1);
  })};
}

}  // namespace bench

// Objects of 64 bytes, of which a chosen share takes the place of others that live: from 0, where all die young, to 1,
// where each lives as long as any.
#include "harness.h"

namespace bench {

namespace {

ref<wide_node> make_numbered(std::uint64_t number) {
  ref<wide_node> made = make<wide_node>();
  made->words[0] = number;
  return made;
}

std::uint64_t churn(run& r, lane& l) {
  const std::size_t slots = std::max<std::size_t>(r.size() / r.threads(), 1);
  const ref<array<link<wide_node>>> live = make_array<link<wide_node>>(slots);
  for (std::size_t i = 0; i < slots; ++i) (*live)[i] = make_numbered(i);
  random_source random = random_of(l, 15);
  const double surviving = r.chosen().survival * 1e6;
  std::uint64_t made = 0;
  l.run(r.operations(200'000), [&](std::size_t) {
    for (int n = 0; n < 100; ++n) {
      const ref<wide_node> fresh = make_numbered(made++);
      if (static_cast<double>(random.below(1'000'000)) < surviving) {
        link<wide_node>& slot = (*live)[random.below(slots)];
        drop(slot);
        slot = fresh;
      } else {
        drop(fresh);
      }
    }
  });
  std::uint64_t sum = 0;
  for (const link<wide_node>& each : *live) {
    sum = mix(sum, each->words[0]);
    drop(each);
  }
  drop(live);
  return sum;
}

}  // namespace

outcome churn_survive(run& r) {
  return {r.on_lanes([&](lane& l) { return churn(r, l); })};
}

}  // namespace bench

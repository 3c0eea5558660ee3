// A cache by weak references: what was used lately is held, the rest is found as long as nobody has collected it. How
// often that is, is the collector's doing; what is computed is not.
#include "harness.h"

namespace bench {

namespace {

constexpr std::size_t held = 1024;

std::uint64_t look_up_often(run& r, lane& l, std::atomic<std::uint64_t>& hits, std::size_t operations) {
  const ref<array<weak_link<wide_node>>> known = make_array<weak_link<wide_node>>(r.size());
  const ref<array<shared_link<wide_node>>> recent = make_array<shared_link<wide_node>>(held);
  random_source random = random_of(l, 17);
  std::uint64_t sum = 0;
  std::uint64_t found_here = 0;
  std::size_t n = 0;
  l.run(operations, [&](std::size_t) {
    const std::size_t k = random.below(r.size());
    shared<wide_node> found = lock((*known)[k]);
    if (found != nullptr) {
      ++found_here;
    } else {
      found = make_counted<wide_node>();
      found->words[0] = k * k + 1;
      (*known)[k] = found;
    }
    (*recent)[n++ % held] = found;
    sum = mix(sum, found->words[0]);
  });
  hits += found_here;
  drop(known);
  drop(recent);
  return sum;
}

}  // namespace

outcome weak_cache(run& r) {
  std::atomic<std::uint64_t> hits{0};
  const std::size_t operations = r.operations(2'000'000);
  const std::uint64_t sum = r.on_lanes([&](lane& l) { return look_up_often(r, l, hits, operations); });
  return {sum, {{"hits", static_cast<double>(hits.load()) / static_cast<double>(operations)}}};
}

}  // namespace bench

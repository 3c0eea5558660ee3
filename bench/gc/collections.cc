// What a whole collection costs: of a tree, in the order of allocation or at random, and of a list, where each object
// is found only when the one before has been read.
#include "live_sets.h"

#include <algorithm>

namespace bench {

namespace {

constexpr int repetitions = 5;

class cheapest {
 public:
  void see(const system_reading::figure& before, const system_reading::figure& after) {
    if (before && after) see(static_cast<double>(*after - *before));
  }
  void see(double ns) { best_ = known_ ? std::min(best_, ns) : ns, known_ = true; }
  void add_to(std::vector<figure>& figures, const char* name, double objects) const {
    if (known_) figures.push_back({name, best_ / objects});
  }

 private:
  double best_ = 0;
  bool known_ = false;
};

std::vector<figure> collect_often(run& r, lane& l, std::size_t objects) {
  cheapest wall, mark, sweep, cpu;
  l.begin();
  for (int i = 0; i < repetitions; ++i) {
    const system_reading before = r.heap().read();
    const std::uint64_t cpu_before = read_process_figures().cpu_ns;
    const std::uint64_t began = now_ns();
    l.skip();
    l.time([&] { r.heap().collect(); });
    wall.see(static_cast<double>(now_ns() - began));
    const system_reading after = r.heap().read();
    mark.see(before.mark_ns, after.mark_ns);
    sweep.see(before.sweep_ns, after.sweep_ns);
    cpu.see(static_cast<double>(read_process_figures().cpu_ns - cpu_before));
  }
  l.end();
  std::vector<figure> figures;
  wall.add_to(figures, "collection_ns", 1);
  mark.add_to(figures, "mark_cpu_ns_an_object", static_cast<double>(objects));
  sweep.add_to(figures, "sweep_cpu_ns_an_object", static_cast<double>(objects));
  cpu.add_to(figures, "cpu_ns_an_object", static_cast<double>(objects));
  return figures;
}

}  // namespace

outcome full_collection(run& r) {
  outcome result;
  r.on_lanes([&](lane& l) {
    const ref<wide_node> tree = make_live_tree(r.depth(), r.chosen().random);
    const std::size_t objects = (std::size_t{2} << r.depth()) - 1;
    result.figures = collect_often(r, l, objects);
    result.checksum = mix(0, objects);
    keep(tree);
    return std::uint64_t{0};
  });
  return result;
}

outcome linked_list(run& r) {
  outcome result;
  r.on_lanes([&](lane& l) {
    const std::size_t count = r.scaled(4'000'000);
    const ref<wide_node> list = make_live_list(count);
    const std::uint64_t began = now_ns();
    std::uint64_t walked = 0;
    for (const wide_node* n = list; n != nullptr; n = n->left) walked += n->words[0] + 1;
    const double chase = static_cast<double>(now_ns() - began) / static_cast<double>(count);
    result.figures = collect_often(r, l, count);
    result.figures.push_back({"pointer_chase_ns", chase});
    result.checksum = mix(0, walked);
    keep(list);
    return std::uint64_t{0};
  });
  return result;
}

}  // namespace bench

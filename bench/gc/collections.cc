// What a whole collection costs: of a tree, in the order of allocation or at random, and of a list, where each object
// is found only when the one before has been read.
#include "live_sets.h"
#include "rounds.h"

namespace bench {

namespace {

constexpr int repetitions = 5;

void see(rounds& all, const system_reading::figure& before, const system_reading::figure& after) {
  if (before && after) all.see(static_cast<double>(*after - *before));
}

// Processor time: the clock of each system has a grain of its own, so the median is all that is told.
void add_for_an_object(std::vector<figure>& figures, const rounds& all, const char* name, std::size_t objects) {
  if (all.any()) figures.push_back({name, all.median() / static_cast<double>(objects)});
}

outcome collect_often(run& r, lane& l, std::size_t objects) {
  rounds wall, mark, sweep, cpu;
  l.begin();
  for (int i = 0; i < repetitions; ++i) {
    const system_reading before = r.heap().read();
    const std::uint64_t cpu_before = read_process_figures().cpu_ns;
    const std::uint64_t began = now_ns();
    l.skip();
    l.time([&] { r.heap().collect(); });
    wall.see(static_cast<double>(now_ns() - began));
    const system_reading after = r.heap().read();
    see(mark, before.mark_ns, after.mark_ns);
    see(sweep, before.sweep_ns, after.sweep_ns);
    cpu.see(static_cast<double>(read_process_figures().cpu_ns - cpu_before));
  }
  l.end();
  outcome result{0, {}, wall.durations()};
  wall.add_spread_to(result.figures, "collection");
  add_for_an_object(result.figures, mark, "mark_cpu_ns_an_object", objects);
  add_for_an_object(result.figures, sweep, "sweep_cpu_ns_an_object", objects);
  add_for_an_object(result.figures, cpu, "cpu_ns_an_object", objects);
  return result;
}

}  // namespace

outcome full_collection(run& r) {
  outcome result;
  r.on_lanes([&](lane& l) {
    const ref<wide_node> tree = make_live_tree(r.depth(), r.chosen().random);
    const std::size_t objects = (std::size_t{2} << r.depth()) - 1;
    result = collect_often(r, l, objects);
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
    result = collect_often(r, l, count);
    result.figures.push_back({"pointer_chase_ns", chase});
    result.checksum = mix(0, walked);
    keep(list);
    return std::uint64_t{0};
  });
  return result;
}

}  // namespace bench

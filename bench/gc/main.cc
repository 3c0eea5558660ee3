// The program umber-gc-workloads: runs one workload on a managed heap and prints its figures as one line of JSON.
#include "managed.h"

#include <algorithm>
#include <cstring>

namespace bench {

std::span<const managed_workload> all_managed_workloads() {
  static constexpr managed_workload table[] = {
      {"binary_trees", "trees of many depths, made, walked and dropped", binary_trees},
      {"gcbench", "trees from the top down and from the bottom up; ms is the third iteration", gcbench},
      {"allocate", "16 bytes, no collection", allocate_16},
      {"barrier", "a store into a field of one of 4096 objects: plain, idle, while marking", barrier_stores},
      {"graph_mutate", "random swaps among a million nodes, with a thread allocating beside it", graph_mutate},
      {"full_collection", "a tree of 2^(depth+1)-1 nodes of 64 bytes (--depth, --random)", full_collection},
      {"linked_list", "four million nodes in random order, each found through the one before", linked_list},
      {"message_ring", "1 KiB messages at --rate for --seconds over a live tree (--depth, --random)", message_ring},
      {"handshakes", "a cycle of an empty heap with many mutators (--threads), nine in ten blocking", handshakes},
  };
  return table;
}

}  // namespace bench

namespace {

using bench::managed_params;
using bench::managed_workload;

int usage() {
  std::fputs(
      "usage: umber-gc-workloads NAME [--threads N] [--scale F] [--depth N] [--rate F] [--seconds F] [--random]\n"
      "         [--percent N] [--workers N] [--collector hybrid|deletion|insertion|stop_the_world]\n"
      "       umber-gc-workloads --list\n",
      stderr);
  return 2;
}

bool parse_number(const char* text, double& number) {
  char* end = nullptr;
  number = std::strtod(text, &end);
  return end != text && *end == '\0' && number >= 0 && number < 1e15;
}

bool parse_collector(std::string_view text, umber::barrier& kind) {
  constexpr const char* names[] = {"hybrid", "deletion", "insertion", "stop_the_world"};
  for (std::uint8_t i = 0; i < std::size(names); ++i)
    if (text == names[i]) kind = static_cast<umber::barrier>(i);
  return std::find(std::begin(names), std::end(names), text) != std::end(names);
}

bool parse_option(std::string_view name, const char* text, managed_params& chosen) {
  if (name == "--collector") return parse_collector(text, chosen.heap.kind);
  double number = 0;
  if (!parse_number(text, number)) return false;
  if (name == "--threads")
    chosen.threads = static_cast<unsigned>(number);
  else if (name == "--scale")
    chosen.scale = number;
  else if (name == "--depth")
    chosen.depth = static_cast<unsigned>(number);
  else if (name == "--rate")
    chosen.rate = number;
  else if (name == "--seconds")
    chosen.seconds = number;
  else if (name == "--percent")
    chosen.heap.percent = static_cast<std::size_t>(number);
  else if (name == "--workers")
    chosen.heap.workers = static_cast<unsigned>(number);
  else
    return false;
  return chosen.threads > 0 && chosen.depth < 30;
}

int list() {
  for (const managed_workload& row : bench::all_managed_workloads()) std::printf("%s\t%s\n", row.name, row.description);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--list") == 0) return list();
  if (argc < 2) return usage();
  const auto table = bench::all_managed_workloads();
  const auto row = std::find_if(table.begin(), table.end(),
                                [&](const managed_workload& each) { return std::strcmp(each.name, argv[1]) == 0; });
  if (row == table.end()) {
    std::fprintf(stderr, "umber-gc-workloads: no workload is called '%s'; see umber-gc-workloads --list\n", argv[1]);
    return 2;
  }
  managed_params chosen;
  for (int i = 2; i < argc; ++i) {
    if (std::strcmp(argv[i], "--random") == 0)
      chosen.random = true;
    else if (i + 1 == argc || !parse_option(argv[i], argv[i + 1], chosen))
      return usage();
    else
      ++i;
  }
  const std::vector<bench::figure> figures = row->run(chosen);
  std::printf("{\"name\":\"%s\"", row->name);
  for (const bench::figure& each : figures) std::printf(",\"%s\":%.3f", each.name, each.value);
  std::printf("}\n");
  return std::fflush(stdout) == 0 ? 0 : 1;
}

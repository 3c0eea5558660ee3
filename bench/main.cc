// The program umber-workloads: runs one workload and prints one line of JSON. One process runs one workload, so that
// the time and the peak memory belong to it alone, and so that an allocator can be chosen with LD_PRELOAD.
#include "harness.h"
#include "workloads.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <thread>

namespace {

using bench::outcome;
using bench::params;
using bench::workload;

constexpr unsigned most_threads = 65536;
constexpr double largest_scale = 1000;

// One thread per core, from two to four: what the originals of these workloads use on a small machine.
unsigned usual_threads() { return std::clamp(std::thread::hardware_concurrency(), 2u, 4u); }

int usage() {
  std::fprintf(stderr, "usage: %s NAME [--threads N] [--scale F], or --list\n", program_invocation_short_name);
  return 2;
}

// One line per workload: name, group, threads, description, separated by tabs. `umber bench malloc` reads it.
int list() {
  for (const workload& row : bench::all_workloads()) {
    const unsigned threads = row.default_threads == 0 ? usual_threads() : row.default_threads;
    std::printf("%s\t%s\t%u\t%s\n", row.name, row.group, threads, row.description);
  }
  return 0;
}

bool parse_threads(const char* text, unsigned& threads) {
  char* end = nullptr;
  const unsigned long value = std::strtoul(text, &end, 10);
  if (end == text || *end != '\0' || *text == '-' || value == 0 || value > most_threads) return false;
  threads = static_cast<unsigned>(value);
  return true;
}

bool parse_scale(const char* text, double& scale) {
  char* end = nullptr;
  scale = std::strtod(text, &end);
  return end != text && *end == '\0' && std::isfinite(scale) && scale > 0 && scale <= largest_scale;
}

void print(const workload& row, const outcome& result, double seconds, std::uint64_t baseline_kb) {
  const double operations = static_cast<double>(std::max<std::uint64_t>(result.operations, 1));
  std::printf("{\"name\":\"%s\",\"seconds\":%.6f,\"operations\":%llu,\"ns_per_op\":%.2f,\"checksum\":\"%016llx\",",
              row.name, seconds, static_cast<unsigned long long>(result.operations), seconds * 1e9 / operations,
              static_cast<unsigned long long>(result.checksum));
  if (result.figure.name != nullptr) {
    std::printf("\"figure\":\"%s\",\"value\":%.1f,", result.figure.name, result.figure.value);
  }
  if (result.sample_count != 0) {
    std::printf("\"rss_samples_kb\":[");
    for (std::size_t i = 0; i < result.sample_count; ++i) {
      std::printf("%s%llu", i == 0 ? "" : ",", static_cast<unsigned long long>(result.samples_kb[i]));
    }
    std::printf("],");
  }
  std::printf("\"baseline_rss_kb\":%llu,\"peak_rss_kb\":%llu}\n", static_cast<unsigned long long>(baseline_kb),
              static_cast<unsigned long long>(bench::status_kb("VmHWM:")));
}

int run(const workload& row, const params& chosen) {
  const std::uint64_t baseline_kb = bench::status_kb("VmRSS:");
  const auto start = std::chrono::steady_clock::now();
  const outcome result = row.run(chosen);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  print(row, result, result.seconds > 0 ? result.seconds : elapsed.count(), baseline_kb);
  return std::fflush(stdout) == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return usage();
  if (std::strcmp(argv[1], "--list") == 0) return argc == 2 ? list() : usage();
  const auto table = bench::all_workloads();
  const auto row = std::find_if(table.begin(), table.end(),
                                [&](const workload& each) { return std::strcmp(each.name, argv[1]) == 0; });
  if (row == table.end()) {
    std::fprintf(stderr, "%s: no workload is called '%s'; see %s --list\n", program_invocation_short_name, argv[1],
                 program_invocation_short_name);
    return 2;
  }
  params chosen{row->default_threads == 0 ? usual_threads() : row->default_threads, 1.0};
  for (int i = 2; i < argc; i += 2) {
    const char* value = i + 1 < argc ? argv[i + 1] : "";
    const bool threads = std::strcmp(argv[i], "--threads") == 0;
    const bool scale = std::strcmp(argv[i], "--scale") == 0;
    if (!threads && !scale) return usage();
    if (threads && !parse_threads(value, chosen.threads)) return usage();
    if (scale && !parse_scale(value, chosen.scale)) return usage();
  }
  return run(*row, chosen);
}

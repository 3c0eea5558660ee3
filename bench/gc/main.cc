// The programs umber-gc-workloads, umber-gc-malloc and umber-gc-boehm: each runs one workload and prints what
// bench/run.md says.
#include "harness.h"

#include "../measure/hlog.h"
#include "../measure/result.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string_view>

namespace {

using bench::choices;
using bench::workload;

constexpr const char* program = BENCH_PROGRAM;

int refuse(const std::string& why) {
  fmt::print(stderr, "{}: {}\n", program, why);
  return 2;
}

bool parse(std::string_view text, double& number, double most) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && std::isfinite(number) && number >= 0 &&
         number <= most;
}

bool parse(std::string_view text, unsigned& number, unsigned least, unsigned most) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && number >= least && number <= most;
}

// Null, or what is wrong.
const char* take(std::string_view name, std::string_view value, choices& chosen) {
  if (name == "--threads") {
    unsigned& threads = chosen.threads.emplace();
    return parse(value, threads, 1, 10000) ? nullptr : "it takes a number of threads, 1 to 10000";
  }
  if (name == "--depth") {
    unsigned& depth = chosen.depth.emplace();
    return parse(value, depth, 4, 29) ? nullptr : "it takes a depth, 4 to 29";
  }
  if (name == "--survival") return parse(value, chosen.survival, 1) ? nullptr : "it takes a share, 0 to 1";
  if (name == "--beside") return parse(value, chosen.beside, 1e9) ? nullptr : "it takes objects a second";
  if (name == "--rate") return parse(value, chosen.rate.emplace(), 1e9) ? nullptr : "it takes operations a second";
  if (name == "--scale") return parse(value, chosen.scale, 1e6) ? nullptr : "it takes a factor, 0 to 1000000";
  if (name == "--seconds") return parse(value, chosen.seconds, 1e6) ? nullptr : "it takes seconds";
  if (name == "--jitter") return parse(value, chosen.jitter, 60) ? nullptr : "it takes seconds, at most 60";
  if (name == "--hlog") {
    chosen.hlog = value;
    return value.empty() ? "it takes the name of a file" : nullptr;
  }
  return bench::take_option(name, value, chosen.memory);
}

// The workload of a name, or null.
const workload* find(std::string_view name) {
  for (const auto table : {bench::common_workloads(), bench::own_workloads()})
    for (const workload& row : table)
      if (name == row.name) return &row;
  return nullptr;
}

int list() {
  for (const auto table : {bench::common_workloads(), bench::own_workloads()})
    for (const workload& row : table) fmt::print("{}\t{}\n", row.name, row.description);
  return 0;
}

// What the command line came to, as far as this workload has a use for it.
nlohmann::ordered_json parameters_of(const bench::run& r) {
  const workload& row = r.row();
  nlohmann::ordered_json result{{"scale", r.chosen().scale}};
  if (row.shape.may_have_threads || r.chosen().threads)
    result["threads"] = r.chosen().threads.value_or(row.shape.threads);
  if (row.shape.depth != 0) result["depth"] = r.depth();
  if (row.shape.may_be_random) result["random"] = r.chosen().random;
  if (row.shape.has_survival) result["survival"] = r.chosen().survival;
  if (row.shape.has_beside) result["beside"] = r.chosen().beside;
  if (row.shape.is_paced) result["rate"] = r.rate();
  if (r.rate() > 0 || row.shape.idles) result["seconds"] = r.chosen().seconds;
  for (const auto& [name, value] : bench::listed(r.chosen().memory)) result[name] = value;
  return result;
}

// False: it cannot be written, which was said.
bool write_log(const std::string& name, const bench::measurement& m) {
  std::FILE* file = std::fopen(name.c_str(), "w");
  const std::string log = bench::histogram_log(m);
  bool written = file != nullptr && std::fwrite(log.data(), 1, log.size(), file) == log.size();
  if (file != nullptr && std::fclose(file) != 0) written = false;
  if (written) return true;
  fmt::print(stderr, "{}: cannot write {}: {}\n", program, name, std::strerror(errno));
  std::error_code ignored;
  if (std::filesystem::is_regular_file(name, ignored)) std::filesystem::remove(name, ignored);
  return false;
}

int measure(const workload& row, const choices& chosen) {
  const std::uint64_t baseline = bench::resident_bytes();
  bench::run r(row, chosen);
  const bench::outcome out = row.work(r);
  const bench::measurement measured = r.records().take();
  nlohmann::ordered_json result{{"workload", row.name},
                                {"system", r.heap().name()},
                                {"version", r.heap().version()},
                                {"parameters", parameters_of(r)},
                                {"checksum", fmt::format("{:016x}", out.checksum)}};
  result.update(bench::to_json(measured));
  result["memory"]["baseline_rss"] = baseline;
  if (!out.warm_up.empty()) result["warm_up"] = out.warm_up;
  if (!out.figures.empty()) {
    auto& figures = result["figures"] = nlohmann::ordered_json::object();
    for (const bench::figure& each : out.figures) figures[each.name] = each.value;
  }
  if (!chosen.hlog.empty() && !write_log(chosen.hlog, measured)) return 1;
  fmt::print("{}\n", result.dump());
  if (std::fflush(stdout) == 0) return 0;
  fmt::print(stderr, "{}: cannot write the result: {}\n", program, std::strerror(errno));
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view first = argc > 1 ? argv[1] : "";
  if (first == "--list" && argc == 2) return list();
  if (first.empty()) return refuse(fmt::format("which workload? see {} --list", program));
  const workload* row = find(first);
  if (row == nullptr) return refuse(fmt::format("no workload is called '{}'; see {} --list", first, program));
  choices chosen;
  for (int i = 2; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--random") {
      chosen.random = true;
      continue;
    }
    if (i + 1 == argc) return refuse(fmt::format("{}: it needs a value, or is no option", name));
    if (const char* why = take(name, argv[++i], chosen); why != nullptr)
      return refuse(fmt::format("{} {}: {}", name, argv[i], why));
  }
  return measure(*row, chosen);
}

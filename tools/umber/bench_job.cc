// Rows come from the workloads program, which lists itself, and from the hosts that are installed.
#include "bench_job.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <sstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bench_hosts.h"
#include "bench_redis.h"
#include "command.h"
#include "places.h"

namespace umber::tool {

namespace {

// One or two of each kind: enough to see where an allocator stands in under a minute.
constexpr std::array quick_workloads = {"pair-64",     "batch-64",  "batch-8k",      "random-16-512",
                                        "larson",      "remote-64", "mstress",       "string-map",
                                        "object-tree", "large",     "realloc-growth"};

constexpr double list_timeout_seconds = 20;

job parse_workload(const std::string& line, const std::string& program, const job_options& options) {
  std::istringstream fields(line);
  job row;
  std::string threads;
  std::getline(fields, row.name, '\t');
  std::getline(fields, row.group, '\t');
  std::getline(fields, threads, '\t');
  std::getline(fields, row.description);
  row.kind = row.group == "memory" ? job_kind::memory_scenario : job_kind::workload;
  row.quick = std::find(quick_workloads.begin(), quick_workloads.end(), row.name) != quick_workloads.end();
  row.scale = options.scale;
  row.command.words = {program, row.name};
  const bool several = threads != "1" && row.kind == job_kind::workload;
  if (options.threads && several) {
    row.command.words.insert(row.command.words.end(), {"--threads", std::to_string(*options.threads)});
  }
  if (options.scale != 1)
    row.command.words.insert(row.command.words.end(), {"--scale", fmt::format("{}", options.scale)});
  return row;
}

measurement parse_result(const job& row, const finished& run) {
  measurement result;
  const nlohmann::json line = nlohmann::json::parse(run.output, nullptr, false);
  if (!line.is_object() || !line.contains("seconds") || !line.contains("checksum") || !line.contains("peak_rss_kb")) {
    result.problem = "its output is not the line of JSON expected";
    return result;
  }
  result.seconds = line["seconds"].get<double>();
  result.peak_rss_kb = line["peak_rss_kb"].get<double>();
  result.checksum = line["checksum"].get<std::string>();
  if (row.kind == job_kind::memory_scenario) {
    result.figure = line.value("figure", "");
    result.value = line.value("value", 0.0);
    result.rss_samples_kb = line.value("rss_samples_kb", std::vector<double>{});
  }
  return result;
}

}  // namespace

std::vector<job> listed_jobs(const std::string& program, const job_options& options) {
  const finished listing = run_captured({{program, "--list"}, {}}, list_timeout_seconds);
  if (!listing.succeeded()) throw failure(1, fmt::format("{} --list: {}", program, listing.complaint()));
  std::vector<job> rows;
  std::istringstream lines(listing.output);
  for (std::string line; std::getline(lines, line);) rows.push_back(parse_workload(line, program, options));
  return rows;
}

std::vector<job> all_jobs(const job_options& options) {
  std::vector<job> rows = listed_jobs(need_bench_program("umber-workloads", "UMBER_WORKLOADS").string(), options);
  const auto memory = std::find_if(rows.begin(), rows.end(), [](const job& row) { return row.group == "memory"; });
  std::vector<job> hosts = host_jobs(options.scale);
  rows.insert(memory, hosts.begin(), hosts.end());
  return rows;
}

command_line with_allocator(const job& row, const allocator& under) {
  command_line command = row.command;
  command.environment.insert(command.environment.begin(), {under.variable, under.library.string()});
  return command;
}

measurement measure(const job& row, const allocator& under, double timeout_seconds) {
  if (row.kind == job_kind::redis) return measure_redis(row, under, timeout_seconds);
  const finished run = run_captured(with_allocator(row, under), timeout_seconds);
  measurement result;
  // The dynamic linker goes on without a library that it cannot load: that must not pass for a measurement.
  if (run.errors.find("cannot be preloaded") != std::string::npos) {
    result.problem = fmt::format("{} cannot be preloaded", under.library.string());
  } else if (!run.succeeded()) {
    result.problem = run.complaint();
  } else if (row.kind == job_kind::host) {
    result.seconds = run.seconds;
    result.peak_rss_kb = static_cast<double>(run.peak_rss_kb);
    result.checksum = fingerprint(run.output);
  } else {
    return parse_result(row, run);
  }
  return result;
}

std::string fingerprint(const std::string& text) {
  std::uint64_t hash = 0xCBF29CE484222325u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  return fmt::format("{:016x}", hash);
}

}  // namespace umber::tool

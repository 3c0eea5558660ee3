// A row of `umber bench malloc`: a workload or a host, the command that runs it, and one measurement of it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bench_allocators.h"
#include "process.h"

namespace umber::tool {

enum class job_kind { workload, memory_scenario, host, redis };

struct job {
  std::string name;
  std::string group;
  std::string description;
  job_kind kind = job_kind::workload;
  // Without the allocator: that is added to the environment.
  command_line command;
  double scale = 1;
  // Whether --quick includes it.
  bool quick = false;
};

// One run. When `problem` is not empty the figures mean nothing.
struct measurement {
  std::string problem;
  double seconds = 0;
  double peak_rss_kb = 0;
  std::string checksum;
  // The figure of a memory scenario, with its name.
  std::string figure;
  double value = 0;
  std::vector<double> rss_samples_kb;
};

struct job_options {
  double scale = 1;
  std::optional<unsigned> threads;
};

// All rows there are on this system, in the order of the report.
[[nodiscard]] std::vector<job> all_jobs(const job_options& options);

// The rows that a program of bench/ lists.
[[nodiscard]] std::vector<job> listed_jobs(const std::string& program, const job_options& options);

// The command that reproduces a row under an allocator.
[[nodiscard]] command_line with_allocator(const job& row, const allocator& under);

// Runs a row once under an allocator.
[[nodiscard]] measurement measure(const job& row, const allocator& under, double timeout_seconds);

// A short fingerprint of a program's output.
[[nodiscard]] std::string fingerprint(const std::string& text);

}  // namespace umber::tool

// `umber bench malloc`: every row in a process of its own, under each allocator in turn, several times over, so that a
// change in the machine's mood falls on all of them alike. The medians are compared.
#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "atomic_file.h"
#include "bench_allocators.h"
#include "bench_evolution.h"
#include "bench_job.h"
#include "bench_report.h"
#include "bench_results.h"
#include "command.h"
#include "name_patterns.h"
#include "progress.h"
#include "table.h"

namespace umber::tool {

namespace {

constexpr int usual_runs = 5;
constexpr int quick_runs = 3;
constexpr double quick_scale = 0.25;

struct bench_options {
  std::vector<std::string> allocators;
  std::vector<std::string> with;
  std::vector<std::string> only;
  std::string baseline;
  std::string json_file;
  std::optional<int> runs;
  std::optional<double> scale;
  std::optional<unsigned> threads;
  double timeout_seconds = 120;
  bool quick = false;
  bool evolution = false;
  bool list = false;
  bool commands = true;
};

std::vector<job> choose_rows(const std::vector<job>& every, const bench_options& options) {
  std::vector<std::string> names;
  for (const job& row : every) names.push_back(row.name);
  check_known(options.only, names, "workload");
  std::vector<job> chosen;
  for (const job& row : every) {
    const bool wanted = options.only.empty() ? !options.quick || row.quick : matches(row.name, options.only);
    if (wanted) chosen.push_back(row);
  }
  return chosen;
}

std::string choose_baseline(const std::vector<allocator>& allocators, const std::string& asked) {
  if (allocators.empty()) throw failure(2, "no allocator to measure; name some with --allocators or --with NAME=PATH");
  const std::string wanted = asked.empty() ? "mimalloc" : asked;
  std::string valid;
  for (const allocator& each : allocators) {
    if (each.name == wanted) return wanted;
    valid += (valid.empty() ? "" : ", ") + each.name;
  }
  if (!asked.empty()) throw failure(2, fmt::format("--baseline {}: not among the allocators chosen: {}", asked, valid));
  return allocators.front().name;
}

// Allocators alternate within a row: A B C A B C. The memory scenarios take long and vary little: once is enough.
row_result measure_row(const job& row, const comparison& all, int runs, double timeout, const progress& line,
                       const std::string& position) {
  std::map<std::string, std::vector<measurement>> measured;
  const int times = row.kind == job_kind::memory_scenario ? 1 : runs;
  for (int i = 0; i < times; ++i) {
    for (const allocator& each : all.allocators) {
      line.show(fmt::format("{} {} {} {}/{}", position, row.name, each.name, i + 1, times));
      std::vector<measurement>& own = measured[each.name];
      // What failed once is not tried again: a hanging row would cost its timeout every time.
      if (!own.empty() && !own.back().problem.empty()) continue;
      own.push_back(measure(row, each, timeout));
    }
  }
  row_result result;
  result.row = row;
  for (auto& [name, own] : measured) result.cells[name] = summarise(std::move(own));
  compare_checksums(result);
  return result;
}

int list_rows(const std::vector<job>& rows) {
  table lines({align::left, align::left, align::left});
  for (const job& row : rows) lines.add({row.name, row.group, row.description});
  fmt::print("{}", lines.text());
  return 0;
}

int compare(const bench_options& options) {
  catch_interrupts();
  const double scale = options.scale.value_or(options.quick ? quick_scale : 1);
  const int runs = options.runs.value_or(options.quick ? quick_runs : usual_runs);
  const job_options work = {scale, options.threads};
  const std::vector<job> rows = choose_rows(options.evolution ? evolution_jobs(work) : all_jobs(work), options);
  if (options.list) return list_rows(rows);
  if (!options.json_file.empty()) check_writable(options.json_file);
  comparison all;
  all.allocators =
      options.evolution ? textbook_allocators(options.allocators) : choose_allocators(options.allocators, options.with);
  all.baseline =
      choose_baseline(all.allocators, options.evolution && options.baseline.empty() ? "umber" : options.baseline);
  {
    const progress line;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::string position = fmt::format("[{}/{}]", i + 1, rows.size());
      all.rows.push_back(measure_row(rows[i], all, runs, options.timeout_seconds, line, position));
    }
  }
  const std::vector<evolution_step> steps = options.evolution ? allocator_steps(all) : std::vector<evolution_step>();
  fmt::print("{}", report_text(all));
  if (!steps.empty()) fmt::print("\n{}", evolution_text(steps));
  if (options.commands) fmt::print("{}", commands_text(all));
  if (std::fflush(stdout) != 0) throw failure(1, "cannot write the report to stdout");
  if (!options.json_file.empty()) write_atomically(options.json_file, report_json(all, steps, runs, scale));
  return all.failed() ? 1 : 0;
}

int compare_or_stop(const bench_options& options) {
  try {
    return compare(options);
  } catch (const interrupted&) {
    fmt::print(stderr, "umber: interrupted\n");
    return 130;
  }
}

}  // namespace

void add_bench_malloc(CLI::App& bench, action& chosen) {
  const auto options = std::make_shared<bench_options>();
  CLI::App* command =
      bench.add_subcommand("malloc", "Compare malloc implementations: time and memory, workload by workload");
  command
      ->add_option("--allocators", options->allocators, "Which to compare: umber, glibc, mimalloc, jemalloc, tcmalloc")
      ->delimiter(',');
  command->add_option("--with", options->with, "One more: NAME=/path/of/library.so (may be repeated)")
      ->allow_extra_args(false);
  command->add_option("--only", options->only, "Only the workloads that match these names or patterns")->delimiter(',');
  command->add_option("--baseline", options->baseline,
                      "The allocator that ratios refer to (mimalloc, or else the first)");
  command->add_option("--runs", options->runs, "Runs of each workload under each allocator (5; with --quick 3)")
      ->check(CLI::Range(1, 1000));
  command->add_option("--scale", options->scale, "Amount of work, 1 being half a second a run (with --quick 0.25)")
      ->check(CLI::Range(0.0001, 1000.0));
  command->add_option("--threads", options->threads, "Threads of the workloads that have several")
      ->check(CLI::Range(1, 4096));
  command
      ->add_option("--timeout", options->timeout_seconds, "Seconds after which a run is stopped and counts as failed")
      ->check(CLI::Range(0.1, 36000.0))
      ->capture_default_str();
  command->add_option("--json", options->json_file, "Write everything measured to this file");
  command->add_flag("--quick", options->quick, "A part of the workloads at a quarter of the work");
  command->add_flag("--evolution", options->evolution,
                    "Textbook allocators that led to the present ones: bump, first_fit ... mcache, and umber");
  command->add_flag("--list", options->list, "Show the workloads and stop");
  command->add_flag("--commands,!--no-commands", options->commands,
                    "Print the command that reproduces each row (default)");
  command->callback([options, &chosen] { chosen = [options] { return compare_or_stop(*options); }; });
}

}  // namespace umber::tool

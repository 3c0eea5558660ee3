// `umber bench gc`: every run a process of its own, the systems in turn within a row, several times over, so that a
// change in the machine's mood falls on all of them alike.
#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <iterator>
#include <memory>
#include <sstream>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "atomic_file.h"
#include "command.h"
#include "gc_document.h"
#include "gc_plan.h"
#include "gc_report.h"
#include "gc_results.h"
#include "gc_systems.h"
#include "hlog.h"
#include "name_patterns.h"
#include "places.h"
#include "progress.h"
#include "system_facts.h"
#include "table.h"

namespace umber::tool {

namespace {

constexpr int usual_runs = 5;
constexpr int shorter_runs = 3;
constexpr double affinity_timeout_seconds = 10;
constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20;
// With everything to be measured a row is not begun a third time once it has taken this long: so most rows of all
// systems are done in two minutes, the points of studies being one run each, and the whole in less than forty.
constexpr double usual_row_seconds = 60;
constexpr int least_runs = 2;
// What a live set may take: in our heap, and at its worst, with larger objects than ours.
constexpr double own_room = 2;
constexpr double worst_room = 3.5;

struct gc_options {
  std::vector<std::string> workloads;
  std::vector<std::string> systems;
  std::string arguments;
  std::optional<int> runs;
  std::optional<double> scale;
  std::optional<double> row_seconds;
  std::string json_file;
  std::string log_folder;
  std::vector<unsigned> percents;
  std::vector<std::uint64_t> limits;
  std::vector<std::uint64_t> live_sizes;
  run_limits each_run = {120, 0, ""};
  bool quick = false;
  bool all = false;
  bool evolution = false;
  bool list = false;
  bool commands = false;

  // With everything to be measured, a point of a study is one run: its neighbours are its spread.
  [[nodiscard]] int run_count(gc_part part) const {
    const bool point = part == gc_part::scaling || part == gc_part::tuning;
    return runs.value_or(all && point ? 1 : quick || all ? shorter_runs : usual_runs);
  }
  [[nodiscard]] bool is_enough(int done, double seconds) const {
    if (row_seconds) return done > 0 && seconds > *row_seconds;
    return all && !runs && done >= least_runs && seconds > usual_row_seconds;
  }
};

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), std::istream_iterator<std::string>()};
}

bool fits(std::uint64_t live, double room, std::uint64_t memory) {
  return static_cast<double>(live) * room <= static_cast<double>(memory);
}

// The live sets of the scaling, as far as our heap can hold them on this machine.
std::vector<std::uint64_t> sizes_that_fit(std::uint64_t memory) {
  std::vector<std::uint64_t> sizes;
  for (const std::uint64_t mib : {64u, 256u, 1024u, 4096u, 8192u}) {
    if (fits(mib * mebibyte, own_room, memory)) sizes.push_back(mib * mebibyte);
  }
  return sizes;
}

// A study that is asked for is all that is measured, unless everything is.
gc_plan_options plan_of(const gc_options& options) {
  gc_plan_options plan;
  if (options.all || options.evolution) plan.parts.insert(gc_part::evolution);
  if (options.all || !options.live_sizes.empty()) plan.parts.insert(gc_part::scaling);
  if (options.all || !options.percents.empty() || !options.limits.empty()) plan.parts.insert(gc_part::tuning);
  if (options.all || plan.parts.empty()) plan.parts.insert(gc_part::main);
  plan.workloads = options.workloads;
  plan.arguments = words_of(options.arguments);
  plan.scale = options.scale;
  plan.quick = options.quick;
  plan.live_sizes = options.live_sizes;
  plan.percents = options.percents;
  plan.limits = options.limits;
  if (options.all && plan.live_sizes.empty()) plan.live_sizes = sizes_that_fit(options.each_run.bytes);
  if (options.all && plan.percents.empty() && plan.limits.empty()) {
    plan.percents = {25, 50, 100, 200, 400};
    plan.limits = {96 * mebibyte, 192 * mebibyte};
  }
  return plan;
}

// Who does a row: the collectors only in what is about collecting, our heap's own history in the evolution, and it
// alone where nobody has said that so large a live set shall be tried by all.
std::vector<const gc_system*> systems_of(const gc_row& row, const std::vector<gc_system>& systems,
                                         const std::vector<gc_system>& historical, const gc_options& options) {
  const bool all_try = !options.live_sizes.empty() || fits(row.live_bytes, worst_room, options.each_run.bytes);
  const bool alone = row.own_live_bytes != 0;
  std::vector<const gc_system*> chosen;
  if (alone && !fits(row.own_live_bytes, own_room, options.each_run.bytes)) return chosen;
  for (const gc_system& each : row.part == gc_part::evolution ? historical : systems) {
    if (each.workloads.count(row.workload) == 0 || ((alone || !all_try) && each.name != "umber")) continue;
    if (row.part == gc_part::main || each.collects) chosen.push_back(&each);
  }
  return chosen;
}

std::string file_name_of(const std::string& text) {
  std::string name;
  for (const char c : text) name += std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' ? c : '_';
  return name + ".hlog";
}

void write_log(const gc_options& options, const gc_row& row, const gc_cell& cell) {
  if (options.log_folder.empty()) return;
  std::string lines;
  for (const gc_run& run : cell.runs) {
    if (run.problem.empty()) lines += hlog_lines(run.object);
  }
  if (lines.empty()) return;
  const std::string what = fmt::format("{} {} {}", name_of(row.part), row.name(), cell.system);
  write_atomically(std::filesystem::path(options.log_folder) / file_name_of(what), hlog_head(cell.command) + lines);
}

gc_row_result measure_row(const gc_row& row, const std::vector<const gc_system*>& systems, const gc_options& options,
                          const progress& line, const std::string& position) {
  gc_row_result result;
  result.row = row;
  for (const gc_system* each : systems) {
    gc_cell cell;
    cell.system = each->name;
    cell.description = each->workloads.at(row.workload).description;
    cell.command = command_of(row, *each, options.each_run).shell_form();
    result.cells.push_back(std::move(cell));
  }
  const int runs = result.runs_asked = options.run_count(row.part);
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < runs; ++i) {
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
    if (options.is_enough(i, taken.count())) break;
    ++result.runs_done;
    for (std::size_t k = 0; k < systems.size(); ++k) {
      std::vector<gc_run>& own = result.cells[k].runs;
      // What failed once is not tried again: a hanging row would cost its timeout every time.
      if (!own.empty() && !own.back().problem.empty()) continue;
      line.show(fmt::format("{} {} {} {}/{}", position, row.name(), systems[k]->name, i + 1, runs));
      own.push_back(run_once(row, *systems[k], options.each_run));
    }
  }
  for (gc_cell& cell : result.cells) {
    write_log(options, row, cell);
    summarise(cell);
  }
  compare_cells(result);
  return result;
}

// At once: whoever waits for an hour of rows reads those that are there.
void print(const std::string& text) {
  fmt::print("{}", text);
  if (std::fflush(stdout) != 0) throw failure(1, "cannot write the report to stdout");
}

gc_results measure(const gc_options& options, found_systems found) {
  std::set<std::string> workloads;
  for (const gc_system& each : found.present) {
    for (const auto& [name, work] : each.workloads) workloads.insert(name);
  }
  const std::vector<gc_row> rows = plan_rows(plan_of(options), workloads);
  std::vector<gc_system> historical;
  for (const gc_system& each : found.present) {
    if (each.name == "umber") historical = historical_collectors(each);
  }
  gc_results all;
  all.runs = options.run_count(gc_part::main);
  all.missing = std::move(found.missing);
  if (std::none_of(rows.begin(), rows.end(),
                   [&](const gc_row& row) { return !systems_of(row, found.present, historical, options).empty(); }))
    throw failure(2, "none of the systems chosen does any of this; umber bench gc --list shows who has what");
  const progress line;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto systems = systems_of(rows[i], found.present, historical, options);
    if (systems.empty()) continue;
    all.rows.push_back(measure_row(rows[i], systems, options, line, fmt::format("[{}/{}]", i + 1, rows.size())));
    line.show("");
    print(gc_row_report(all.rows.back()));
  }
  all.systems = std::move(found.present);
  if (plan_of(options).parts.count(gc_part::evolution) != 0)
    all.systems.insert(all.systems.end(), historical.begin(), historical.end());
  return all;
}

// A system without its server is noted like one that is missing, unless no server is asked for.
void note_servers(const gc_options& options, found_systems& found) {
  if (!options.workloads.empty() && !matches("kv", options.workloads)) return;
  const bool any = std::any_of(found.present.begin(), found.present.end(),
                               [](const gc_system& each) { return each.workloads.count("kv") != 0; });
  const bool only = options.workloads == std::vector<std::string>{"kv"};
  if (only && !any && !found.without_server.empty()) throw failure(1, found.without_server.front().remedy);
  for (const missing_system& each : found.without_server)
    found.missing.push_back({each.name + " as a server (kv)", each.remedy});
}

// What was named has to be there; of the usual ones those that are there are taken.
found_systems choose_systems(const gc_options& options) {
  static const std::vector<std::string> quick = {"umber", "malloc:mimalloc", "boehm", "go", "g1", "redis"};
  const bool named = !options.systems.empty();
  found_systems found = find_systems(named ? options.systems : options.quick && !options.all ? quick : usual_systems());
  if (named && !found.missing.empty())
    throw failure(2, fmt::format("{}: {}", found.missing.front().name, found.missing.front().remedy));
  if (found.present.empty()) throw failure(1, found.missing.front().remedy);
  note_servers(options, found);
  return found;
}

int list_workloads(const found_systems& found) {
  std::map<std::string, std::pair<std::string, std::string>> workloads;
  for (const gc_system& each : found.present) {
    for (const auto& [name, work] : each.workloads) {
      auto& [text, systems] = workloads[name];
      if (text.empty()) text = work.description;
      systems += (systems.empty() ? "" : " ") + each.name;
    }
  }
  table lines({align::left, align::left, align::left});
  for (const auto& [name, about] : workloads) lines.add({name, about.first, about.second});
  fmt::print("{}", lines.text());
  return 0;
}

// Wrong processors are refused before an hour of runs that all fail.
void check_processors(const std::string& processors) {
  if (processors.empty()) return;
  const finished tried = run_captured({{"taskset", "--cpu-list", processors, "true"}, {}}, affinity_timeout_seconds);
  if (!tried.succeeded()) throw failure(2, fmt::format("--cpus {}: {}", processors, tried.complaint()));
}

void check_outputs(const gc_options& options) {
  if (!options.json_file.empty()) check_writable(options.json_file);
  if (options.log_folder.empty()) return;
  std::error_code reason;
  std::filesystem::create_directories(options.log_folder, reason);
  if (reason) throw failure(1, fmt::format("cannot make {}: {}", options.log_folder, reason.message()));
  check_writable(std::filesystem::path(options.log_folder) / "log");
}

int bench(const gc_options& options) {
  catch_interrupts();
  const auto begin = std::chrono::steady_clock::now();
  gc_occasion occasion;
  occasion.command = own_command();
  occasion.started = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
  check_processors(options.each_run.processors);
  check_outputs(options);
  found_systems found = choose_systems(options);
  if (options.list) return list_workloads(found);
  const gc_results all = measure(options, std::move(found));
  occasion.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  print(gc_summary(all));
  if (options.commands) print(gc_commands(all));
  if (!options.json_file.empty()) write_atomically(options.json_file, gc_document(all, occasion));
  return all.failed() ? 1 : 0;
}

int bench_or_stop(gc_options options) {
  if (options.each_run.bytes == 0) options.each_run.bytes = usable_memory() / 4 * 3;
  try {
    return bench(options);
  } catch (const interrupted&) {
    fmt::print(stderr, "umber: interrupted\n");
    return 130;
  }
}

void add_choices(CLI::App& command, gc_options& options) {
  command.add_option("WORKLOAD", options.workloads, "Only these, by name or pattern; --list names them");
  command
      .add_option(
          "--systems", options.systems,
          "Which to measure: umber, malloc:ALLOCATOR, boehm, go, g1, zgc, shenandoah, parallel, and of kv redis "
          "(all there are)")
      ->delimiter(',');
  command.add_option("--arguments", options.arguments,
                     "Arguments of the workloads in place of the usual, such as '--depth 20 --random'");
  command
      .add_option("--runs", options.runs,
                  "Runs of each row under each system (5; with --quick or --all 3, and with --all 1 of a study's)")
      ->check(CLI::Range(1, 1000));
  command.add_option("--scale", options.scale, "Amount of work, 1 being a second a run (with --quick 0.3)")
      ->check(CLI::Range(0.0001, 1000.0));
  command.add_flag("--quick", options.quick, "A few workloads and systems, less work: under three minutes");
  command.add_flag("--all", options.all, "Everything, the studies below included: under forty minutes");
  command.add_flag("--evolution", options.evolution,
                   "The collectors that led to the present one: stop_the_world, insertion, deletion, hybrid");
  command.add_option("--live", options.live_sizes, "Scaling: sizes of the live set, such as 64MiB,512MiB,8GiB")
      ->delimiter(',')
      ->transform(CLI::AsSizeValue(false));
  command.add_option("--percent", options.percents, "Tuning: growth of the heap in percent, such as 50,100,400")
      ->delimiter(',')
      ->check(CLI::Range(1u, 100000u));
  command.add_option("--limit", options.limits, "Tuning: limits of the heap, such as 64MiB,256MiB")
      ->delimiter(',')
      ->transform(CLI::AsSizeValue(false));
}

void add_conditions(CLI::App& command, gc_options& options) {
  command.add_option("--json", options.json_file, "Write everything measured to this file (bench/results.md)");
  command.add_option("--hlog", options.log_folder, "Write the histograms to this folder, as HdrHistogram logs");
  command.add_option("--cpus", options.each_run.processors, "Bind every run to these processors, such as 0 or 0-3,6");
  command
      .add_option("--timeout", options.each_run.seconds, "Seconds after which a run is stopped and counts as failed")
      ->check(CLI::Range(0.1, 36000.0))
      ->capture_default_str();
  command
      .add_option("--memory-limit", options.each_run.bytes,
                  "Resident memory with which a run is stopped and counts as failed (three quarters of what there is)")
      ->transform(CLI::AsSizeValue(false));
  command
      .add_option(
          "--row-seconds", options.row_seconds,
          "Seconds after which a row is not begun again, however many runs it should have (with --all 60, after two)")
      ->check(CLI::Range(0.0, 36000.0));
  command.add_flag("--list", options.list, "Show the workloads and who has them, and stop");
  command.add_flag("--commands", options.commands, "Print the command that reproduces each row");
}

}  // namespace

void add_bench_gc(CLI::App& bench, action& chosen) {
  const auto options = std::make_shared<gc_options>();
  CLI::App* command = bench.add_subcommand(
      "gc", "Compare collectors, and malloc with free: time, memory, and what a program feels of them");
  add_choices(*command, *options);
  add_conditions(*command, *options);
  command->callback([options, &chosen] { chosen = [options] { return bench_or_stop(*options); }; });
}

}  // namespace umber::tool

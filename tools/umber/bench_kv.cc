// `umber bench gc kv`: a server with managed data, redis, and the same server in Go, under the load of redis-benchmark.
#include "bench_kv.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "atomic_file.h"
#include "command.h"
#include "places.h"
#include "progress.h"
#include "statistics.h"
#include "table.h"

namespace umber::tool {

namespace {

struct figure {
  const char* name;
  double kv_figures::*value;
  int digits;
};
constexpr figure figures[] = {{"requests_per_second", &kv_figures::requests_per_second, 0},
                              {"requests_per_cpu_second", &kv_figures::requests_per_cpu_second, 0},
                              {"p50_ms", &kv_figures::p50_ms, 3},
                              {"p99_ms", &kv_figures::p99_ms, 3},
                              {"p99.9_ms", &kv_figures::p999_ms, 3},
                              {"max_ms", &kv_figures::max_ms, 3},
                              {"peak_rss_mib", &kv_figures::peak_rss_mib, 0},
                              {"collections", &kv_figures::collections, 0}};

kv_figures medians(const std::vector<kv_figures>& runs) {
  kv_figures middle = runs.front();
  for (const figure& each : figures) {
    std::vector<double> values;
    for (const kv_figures& run : runs) values.push_back(run.*each.value);
    middle.*each.value = median(values);
  }
  return middle;
}

std::string table_of(const std::vector<kv_row>& rows) {
  table text({align::left, align::left, align::right, align::right, align::right, align::right, align::right,
              align::right, align::right, align::right});
  text.add({"", "", "requests/s", "per CPU s", "p50 ms", "p99 ms", "p99.9 ms", "max ms", "RSS MiB", "cycles"});
  for (const kv_row& row : rows) {
    std::vector<std::string> cells = {row.server, row.median.kind};
    for (const figure& each : figures) cells.push_back(fmt::format("{:.{}f}", row.median.*each.value, each.digits));
    text.add(cells);
  }
  return text.text();
}

nlohmann::ordered_json json_of(const std::vector<kv_row>& rows, const kv_load& load) {
  nlohmann::ordered_json document = {{"keys", load.keys},         {"value_bytes", load.value_bytes},
                                     {"requests", load.requests}, {"clients", load.clients},
                                     {"pipeline", load.pipeline}, {"rows", nlohmann::ordered_json::array()}};
  for (const kv_row& row : rows) {
    nlohmann::ordered_json entry = {{"server", row.server}, {"command", row.command}, {"kind", row.median.kind}};
    for (const figure& each : figures) {
      nlohmann::ordered_json values = nlohmann::ordered_json::array();
      for (const kv_figures& run : row.runs) values.push_back(run.*each.value);
      entry[each.name] = {{"median", row.median.*each.value}, {"runs", values}};
    }
    document["rows"].push_back(entry);
  }
  return document;
}

struct options {
  kv_load load;
  std::vector<std::string> servers = {"umber", "redis", "go"};
  unsigned runs = 3, threads = 1;
  double timeout = 300;
  std::string json;
  bool quick = false;
};

int run(options chosen) {
  if (chosen.quick) {
    chosen.load.keys = std::min<std::size_t>(chosen.load.keys, 50'000);
    chosen.load.requests = std::min<std::size_t>(chosen.load.requests, 200'000);
    chosen.runs = 1;
  }
  if (!chosen.json.empty()) check_writable(chosen.json);
  const std::vector<kv_server> servers = find_kv_servers(chosen.servers, chosen.threads);
  catch_interrupts();
  std::vector<kv_row> rows;
  try {
    rows = run_kv_bench(servers, chosen.load, chosen.runs, chosen.timeout);
  } catch (const interrupted&) {
    throw failure(130, "interrupted");
  }
  fmt::print("{} keys of {} bytes, {} requests by {} clients with {} under way each, median of {}\n{}",
             chosen.load.keys, chosen.load.value_bytes, chosen.load.requests, chosen.load.clients, chosen.load.pipeline,
             chosen.runs, table_of(rows));
  if (!chosen.json.empty()) write_atomically(chosen.json, json_of(rows, chosen.load).dump(2) + "\n");
  return std::fflush(stdout) == 0 ? 0 : 1;
}

// The script of the peers, when it can run the server. It is asked something first: that builds it.
std::optional<std::filesystem::path> find_go_server() {
  constexpr double patience = 600;
  const auto peers = find_peers();
  if (!peers) {
    fmt::print(stderr, "umber: bench/peers/run is not beside this program, and go is left out; set UMBER_PEERS\n");
    return std::nullopt;
  }
  const finished asked = run_captured({{peers->string(), "kv", "--help"}, {}}, patience);
  if (asked.how == ending::exited && asked.code != 3) return peers;
  fmt::print(stderr, "umber: go is left out: {}\n", asked.complaint());
  return std::nullopt;
}

}  // namespace

std::vector<kv_server> find_kv_servers(const std::vector<std::string>& names, unsigned threads) {
  std::vector<kv_server> found;
  for (const std::string& name : names) {
    const std::string count = std::to_string(threads);
    if (name == "umber") {
      found.push_back(
          {name, {{need_bench_program("kv/umber-kv", "UMBER_KV").string(), "--threads", count, "--port"}, {}}});
    } else if (name == "redis") {
      const auto program = find_program("redis-server");
      if (program)
        found.push_back({name, {{program->string(), "--save", "", "--appendonly", "no", "--port"}, {}}});
      else
        fmt::print(stderr, "umber: redis-server is not installed, and left out; tools/setup installs it\n");
    } else if (name == "go") {
      if (const auto peers = find_go_server())
        found.push_back({name, {{peers->string(), "kv", "--threads", count, "--port"}, {}}});
    } else {
      throw failure(2, fmt::format("--servers: there is no '{}', but umber, redis, go", name));
    }
  }
  return found;
}

std::vector<kv_row> run_kv_bench(const std::vector<kv_server>& servers, const kv_load& load, unsigned runs,
                                 double timeout_seconds) {
  std::vector<kv_row> rows;
  for (const std::string& kind : load.kinds) {
    for (const kv_server& each : servers) {
      rows.push_back({each.name, each.command.shell_form(), {}, {}});
      rows.back().median.kind = kind;
    }
  }
  const progress line;
  for (unsigned i = 0; i < runs; ++i) {
    for (const kv_server& each : servers) {
      line.show(fmt::format("run {} of {}: {}", i + 1, runs, each.name));
      for (const kv_figures& seen : measure_kv(each.command, load, timeout_seconds)) {
        if (!seen.problem.empty()) throw failure(1, fmt::format("{}: {}", each.name, seen.problem));
        for (kv_row& row : rows)
          if (row.server == each.name && row.median.kind == seen.kind) row.runs.push_back(seen);
      }
    }
  }
  for (kv_row& row : rows) row.median = medians(row.runs);
  return rows;
}

void add_bench_kv(CLI::App& gc, action& chosen) {
  const auto set = std::make_shared<options>();
  CLI::App* command = gc.add_subcommand("kv", "Compare servers of keys and values under redis-benchmark");
  command->add_option("--servers", set->servers, "Of umber, redis, go")->delimiter(',')->capture_default_str();
  command->add_option("--kinds", set->load.kinds, "Requests, as redis-benchmark -t has them")->delimiter(',');
  command->add_option("--keys", set->load.keys, "Keys that the servers are filled with")
      ->check(CLI::Range(1, 1'000'000'000))
      ->capture_default_str();
  command->add_option("--bytes", set->load.value_bytes, "Length of a value")->capture_default_str();
  command->add_option("--requests", set->load.requests, "Requests of each kind")
      ->check(CLI::Range(1, 1'000'000'000))
      ->capture_default_str();
  command->add_option("--clients", set->load.clients)->check(CLI::Range(1, 1000))->capture_default_str();
  command->add_option("--pipeline", set->load.pipeline, "Requests of a client under way")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  command->add_option("--threads", set->threads, "Of the server")->check(CLI::Range(1, 256))->capture_default_str();
  command->add_option("--runs", set->runs)->check(CLI::Range(1, 100))->capture_default_str();
  command->add_option("--timeout", set->timeout, "Seconds for each load")->capture_default_str();
  command->add_option("--json", set->json, "Write all figures to this file");
  command->add_flag("--quick", set->quick, "Few keys, one run");
  command->callback([set, &chosen] { chosen = [set] { return run(*set); }; });
}

}  // namespace umber::tool

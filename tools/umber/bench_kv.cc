// `umber bench kv`: one run of the workload kv, as a process of its own like those of all other workloads.
#include "bench_kv.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bench/measure/result.h"
#include "command.h"
#include "kv_load.h"
#include "places.h"

namespace umber::tool {

namespace {

using json = nlohmann::ordered_json;

struct options {
  std::string server = "umber";
  unsigned threads = 1;
  double scale = 1;
  kv_load load;
};

// What the server tells, with what was seen of it from outside.
void add_told(const kv_figures& seen, json& object) {
  json cpu = {{"process", static_cast<std::uint64_t>(seen.server_seconds * 1e9)}};
  json memory = {{"peak_rss", seen.peak_rss}};
  if (seen.told.is_object()) {
    for (const char* each : {"allocated_bytes", "allocated_objects", "freed_bytes", "cycles", "stalls", "pauses", "mmu",
                             "timeline", "marking"}) {
      if (seen.told.contains(each) && !seen.told[each].is_null()) object[each] = seen.told[each];
    }
    const auto add = [&](const char* name, json& to) {
      if (!seen.told.contains(name) || !seen.told[name].is_object()) return;
      for (const auto& [field, value] : seen.told[name].items())
        if (!to.contains(field)) to[field] = value;
    };
    add("cpu_ns", cpu);
    add("memory", memory);
  }
  object["cpu_ns"] = cpu;
  object["memory"] = memory;
}

void add_histogram(const char* name, const bench::histogram& of, json& object) {
  if (of.count() != 0) object[name] = bench::to_json(of);
}

json figures_of(const kv_figures& seen, const kv_load& load) {
  json figures = json::object();
  if (seen.first.count() != 0) figures["first_load_p99.9_us"] = static_cast<double>(seen.first.percentile(99.9)) / 1e3;
  if (load.writers > 0) figures["writes_per_s"] = seen.writes_per_second;
  return figures;
}

json run_object(const options& chosen, const kv_figures& seen) {
  const kv_load& load = chosen.load;
  json object = {{"workload", "kv"}, {"system", chosen.server}};
  if (chosen.server == "umber") object["version"] = UMBER_VERSION;
  if (!seen.version.empty()) object["version"] = seen.version;
  object["parameters"] = {{"kind", load.kind},       {"keys", load.keys},         {"bytes", load.value_bytes},
                          {"clients", load.clients}, {"pipeline", load.pipeline}, {"threads", chosen.threads},
                          {"writers", load.writers}, {"probe", load.probe_rate}};
  object["checksum"] = fmt::format("{:016x}", seen.checksum);
  // Whoever is paid for with the server's time counts, so that its time can be divided by them.
  const auto written = static_cast<std::uint64_t>(seen.writes_per_second * seen.seconds);
  object["operations"] = load.requests + written;
  object["wall_ns"] = static_cast<std::uint64_t>(seen.seconds * 1e9);
  add_histogram("service_ns", seen.latency, object);
  add_histogram("probe_ns", seen.probe, object);
  add_histogram("probe_collecting_ns", seen.probe_collecting, object);
  if (load.jitter_seconds > 0) object["jitter_ns"] = bench::to_json(seen.jitter);
  add_told(seen, object);
  object["figures"] = figures_of(seen, load);
  return object;
}

int run(options chosen) {
  chosen.load.requests =
      std::max<std::size_t>(1, static_cast<std::size_t>(static_cast<double>(chosen.load.requests) * chosen.scale));
  const command_line server = kv_server_command(chosen.server, chosen.threads);
  catch_interrupts();
  try {
    fmt::print("{}\n", run_object(chosen, measure_kv(server, chosen.load)).dump());
  } catch (const interrupted&) {
    throw failure(130, "interrupted");
  }
  if (std::fflush(stdout) != 0) throw failure(1, "cannot write the result to stdout");
  return 0;
}

// The script of the peers. It is asked something first: that builds the server.
std::filesystem::path need_go_server() {
  constexpr double patience = 600;
  const auto peers = find_peers();
  if (!peers) throw failure(1, "bench/peers/run is not beside this program; set UMBER_PEERS to its path");
  const finished asked = run_captured({{peers->string(), "kv", "--help"}, {}}, patience);
  if (asked.how != ending::exited || asked.code == 3) throw failure(1, asked.complaint());
  return *peers;
}

}  // namespace

command_line kv_server_command(const std::string& system, unsigned threads) {
  need_kv_load();
  const std::string count = std::to_string(threads);
  if (system == "umber")
    return {{need_bench_program("kv/umber-kv", "UMBER_KV").string(), "--threads", count, "--port"}, {}};
  if (system == "go") {
    // Beside its threads ours has one that marks; what Go has runs on as many processors as it is given.
    return {{need_go_server().string(), "kv", "--threads", std::to_string(threads + 1), "--port"},
            {{"GODEBUG", "gctrace=1"}}};
  }
  const auto program = find_program("redis-server");
  if (!program) throw failure(1, "redis-server is not installed; tools/setup installs it");
  return {{program->string(), "--save", "", "--appendonly", "no", "--port"}, {}};
}

command_line kv_run_command() { return {{own_path().string(), "bench"}, {}}; }

void add_bench_kv(CLI::App& bench, action& chosen) {
  const auto set = std::make_shared<options>();
  kv_load& load = set->load;
  CLI::App* command = bench.add_subcommand(
      "kv", "Load a server of keys and values once; umber bench gc kv compares several, over several runs");
  command->add_option("--server", set->server)->check(CLI::IsMember({"umber", "redis", "go"}))->capture_default_str();
  command->add_option("--kind", load.kind, "Requests, as redis-benchmark -t has them")
      ->check(CLI::IsMember(
          {"set", "get", "incr", "lpush", "rpush", "lpop", "rpop", "sadd", "hset", "spop", "zadd", "zpopmin"}))
      ->capture_default_str();
  command->add_option("--keys", load.keys, "Keys that the server is filled with")
      ->check(CLI::Range(1, 1'000'000'000))
      ->capture_default_str();
  command->add_option("--bytes", load.value_bytes, "Length of a value")->capture_default_str();
  command->add_option("--requests", load.requests)->check(CLI::Range(1, 1'000'000'000))->capture_default_str();
  command->add_option("--scale", set->scale, "How many times as many requests")->check(CLI::Range(1e-9, 1e3));
  command->add_option("--clients", load.clients)->check(CLI::Range(1, 1000))->capture_default_str();
  command->add_option("--pipeline", load.pipeline, "Requests of a client under way")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  command->add_option("--writers", load.writers, "Clients who SET beside the load, as many requests under way")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  command->add_option("--probe", load.probe_rate, "Requests a second of one more client, whose responses are timed")
      ->check(CLI::Range(0.0, 1e5))
      ->capture_default_str();
  command->add_option("--threads", set->threads, "Of the server")->check(CLI::Range(1, 256))->capture_default_str();
  command->add_option("--jitter", load.jitter_seconds, "Seconds for which the machine is looked at before the load")
      ->check(CLI::Range(0.0, 60.0))
      ->capture_default_str();
  command->callback([set, &chosen] { chosen = [set] { return run(*set); }; });
}

}  // namespace umber::tool

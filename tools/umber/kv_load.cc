// The server is filled by a client of our own, in order and without a miss; redis-benchmark could only draw keys.
#include "kv_load.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <optional>
#include <sstream>
#include <string_view>
#include <thread>

#include <fmt/format.h>

#include "bench/measure/clock.h"
#include "command.h"
#include "kv_client.h"
#include "kv_probe.h"
#include "places.h"

namespace umber::tool {

namespace {

constexpr int start_attempts = 2000;
constexpr auto between_attempts = std::chrono::milliseconds(10);
constexpr std::size_t keys_in_a_batch = 100;

sockaddr_in loopback(unsigned port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// A port that was free a moment ago.
unsigned free_port() {
  const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  const bool found = probe >= 0 && bind(probe, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
                     getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  const int reason = errno;
  if (probe >= 0) close(probe);
  if (!found) throw failure(1, fmt::format("no port is free: {}", strerror(reason)));
  return ntohs(address.sin_port);
}

bool wait_until_ready(background_process& server, unsigned port) {
  for (int i = 0; i < start_attempts && server.is_running(); ++i) {
    if (kv_client(port).ask("PING") == "+PONG") return true;
    std::this_thread::sleep_for(between_attempts);
  }
  return false;
}

// The keys are named as redis-benchmark names them.
bool fill(unsigned port, const kv_load& load) {
  kv_client to(port);
  const std::string value(load.value_bytes, 'x');
  std::string batch;
  for (std::size_t first = 0; first < load.keys; first += keys_in_a_batch) {
    const std::size_t end = std::min(first + keys_in_a_batch, load.keys);
    batch.clear();
    for (std::size_t i = first; i < end; ++i)
      batch += fmt::format("*3\r\n$3\r\nSET\r\n$16\r\nkey:{:012}\r\n${}\r\n{}\r\n", i, value.size(), value);
    if (!to.send(batch)) return false;
    for (std::size_t i = first; i < end; ++i)
      if (to.line() != "+OK") return false;
  }
  return true;
}

// User and system time of a process so far.
double cpu_seconds(pid_t process) {
  clockid_t clock;
  timespec used = {};
  if (clock_getcpuclockid(process, &clock) != 0 || clock_gettime(clock, &used) != 0) return 0;
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

std::string version_of(unsigned port) {
  kv_client to(port);
  const auto fields = to.info("server");
  // Only redis itself has that.
  return fields.contains("redis_git_sha1") ? "redis " + fields.at("redis_version") : "";
}

double commands_so_far(unsigned port) {
  kv_client to(port);
  const auto fields = to.info("stats");
  const auto found = fields.find("total_commands_processed");
  return found == fields.end() ? 0 : std::strtod(found->second.c_str(), nullptr);
}

// False: this server is not one that tells.
bool begin_to_watch(unsigned port) { return kv_client(port).ask("DEBUG WATCH") == "+OK"; }

nlohmann::ordered_json what_it_tells(unsigned port) {
  return nlohmann::ordered_json::parse(kv_client(port).ask_bulk("DEBUG REPORT"), nullptr, false);
}

// The collections among what a server tells, by CLOCK_MONOTONIC.
std::vector<bench::interval> collections_in(const nlohmann::ordered_json& told) {
  std::vector<bench::interval> all;
  if (!told.contains("marking") || !told["marking"].is_array()) return all;
  const auto began = told.at("began_ns").get<std::uint64_t>();
  for (const auto& each : told["marking"])
    all.push_back({began + each.at("at_ns").get<std::uint64_t>(), each.at("ns").get<std::uint64_t>()});
  return all;
}

// How many keys there are, and how long the values of some; what is in them the load draws anew each time.
std::uint64_t checksum_of(unsigned port, const kv_load& load) {
  constexpr std::size_t looked_at = 1000;
  kv_client to(port);
  std::uint64_t sum = 0;
  const auto mix = [&](const std::string& reply) {
    if (!reply.starts_with(':')) throw failure(1, fmt::format("the server replies '{}' at the end", reply));
    sum = (sum ^ std::strtoull(reply.c_str() + 1, nullptr, 10)) * 0x9E3779B97F4A7C15u;
    sum ^= sum >> 32;
  };
  mix(to.ask("DBSIZE"));
  for (std::size_t i = 0; i < std::min(looked_at, load.keys); ++i)
    mix(to.ask(fmt::format("STRLEN key:{:012}", i * (load.keys / std::min(looked_at, load.keys)))));
  return sum;
}

struct percentile_line {
  double percent = 0, milliseconds = 0;
  unsigned long long requests = 0;  // so long or less
};

// A line such as `99.902% <= 0.511 milliseconds (cumulative count 9)`.
std::optional<percentile_line> parse_percentile(const std::string& line) {
  percentile_line found;
  if (std::sscanf(line.c_str(), "%lf%% <= %lf milliseconds (cumulative count %llu)", &found.percent,
                  &found.milliseconds, &found.requests) != 3)
    return std::nullopt;
  return found;
}

struct load_figures {
  bench::histogram latency;
  double seconds = 0;
};

// The percentiles and the throughput in what redis-benchmark prints.
load_figures read_benchmark(const std::string& output, std::size_t requests) {
  load_figures into;
  std::istringstream lines(output);
  // The second list of percentages is of round latencies, and of no use here.
  bool in_first_list = false;
  std::uint64_t seen = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.find("Latency by percentile distribution") != std::string::npos) in_first_list = true;
    if (line.find("Cumulative distribution") != std::string::npos) in_first_list = false;
    constexpr std::string_view summary = "throughput summary: ";
    if (const std::size_t at = line.find(summary); at != std::string::npos)
      into.seconds = static_cast<double>(requests) / std::strtod(line.c_str() + at + summary.size(), nullptr);
    const auto p = in_first_list ? parse_percentile(line) : std::nullopt;
    if (!p || p->requests <= seen) continue;
    into.latency.record(static_cast<std::uint64_t>(p->milliseconds * 1e6 + 0.5), p->requests - seen);
    seen = p->requests;
  }
  if (!(into.seconds > 0) || seen == 0)
    throw failure(1, "redis-benchmark printed no latencies; is it that of redis 7?");
  return into;
}

load_figures put_load(background_process& server, const command_line& command, std::size_t requests) {
  constexpr double patience = 36000;
  const finished run = run_captured(command, patience);
  if (!server.is_running()) throw failure(1, "the server died under load");
  if (!run.succeeded()) throw failure(1, "redis-benchmark: " + run.complaint());
  return read_benchmark(run.output, requests);
}

void start_and_fill(background_process& server, unsigned port, const kv_load& load) {
  if (!wait_until_ready(server, port)) {
    throw failure(1, server.is_running() ? "the server does not answer"
                                         : "the server ended at its start; run its command by hand to see why");
  }
  if (fill(port, load)) return;
  throw failure(1, server.is_running() ? "the server did not take its keys" : "the server died while it was filled");
}

struct load_commands {
  command_line measured;
  std::optional<command_line> before, beside;
  std::size_t requests_before = 0;
};

std::filesystem::path need_benchmark() {
  const auto program = find_program("redis-benchmark");
  if (!program) throw failure(1, "redis-benchmark is not installed; tools/setup installs it");
  return *program;
}

load_commands commands_of(const kv_load& load, unsigned port) {
  const std::string program = need_benchmark().string();
  const auto text = [](auto number) { return std::to_string(number); };
  const auto of = [&](const std::string& kind, std::size_t requests, unsigned clients) {
    return command_line{{program, "-p", text(port), "-n", text(requests), "-r", text(load.keys), "-d",
                         text(load.value_bytes), "-c", text(clients), "-P", text(load.pipeline), "-t", kind},
                        {{"LC_ALL", "C"}}};
  };
  constexpr std::size_t until_killed = 1'000'000'000;
  load_commands all = {of(load.kind, load.requests, load.clients), {}, {}, 0};
  if (load.writers > 0) {
    all.requests_before = std::min(load.keys, load.requests);
    all.before = of("set", all.requests_before, load.writers);
    all.beside = of("set", until_killed, load.writers);
  } else if (load.kind != "get") {
    all.requests_before = load.requests;
    all.before = all.measured;
  }
  return all;
}

// The load that counts, with whoever writes beside it and the one client who is looked at.
void measure_load(background_process& server, const load_commands& commands, const kv_load& load, unsigned port,
                  kv_figures& into) {
  const bool tells = begin_to_watch(port);
  const double cpu_before = cpu_seconds(server.id()), commands_before = commands_so_far(port);
  const std::uint64_t began = bench::system_clock_ns();
  std::optional<background_process> beside;
  if (commands.beside) beside.emplace(*commands.beside);
  kv_probe probe(port, load.keys, load.probe_rate);
  const load_figures measured = put_load(server, commands.measured, load.requests);
  probe.stop();
  const double took = static_cast<double>(bench::system_clock_ns() - began) / 1e9;
  const double others = static_cast<double>(load.requests + probe.requests());
  if (beside) into.writes_per_second = std::max(commands_so_far(port) - commands_before - others, 0.0) / took;
  beside.reset();
  into.server_seconds = cpu_seconds(server.id()) - cpu_before;
  if (!probe.succeeded()) throw failure(1, "the server did not reply the value of a key while it was loaded");
  if (tells) into.told = what_it_tells(port);
  into.latency = measured.latency;
  into.seconds = measured.seconds;
  into.probe = probe.response();
  into.probe_collecting = probe.response_during(collections_in(into.told));
}

}  // namespace

void need_kv_load() { static_cast<void>(need_benchmark()); }

kv_figures measure_kv(command_line server_command, const kv_load& load) {
  const unsigned port = free_port();
  const load_commands commands = commands_of(load, port);
  server_command.words.push_back(std::to_string(port));
  background_process server(server_command);
  start_and_fill(server, port, load);
  kv_figures result;
  result.version = version_of(port);
  if (commands.before) result.first = put_load(server, *commands.before, commands.requests_before).latency;
  // The server, its collector, and the load.
  bench::jitter_watch watch(3, load.jitter_seconds);
  measure_load(server, commands, load, port, result);
  watch.stop();
  result.jitter = watch.gaps();
  result.peak_rss = server.peak_rss_kb() * 1024;
  result.checksum = checksum_of(port, load);
  return result;
}

}  // namespace umber::tool

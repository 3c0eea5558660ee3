// The server is filled by a client of our own, in order and without a miss; redis-benchmark could only draw keys.
#include "kv_load.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <optional>
#include <sstream>
#include <string_view>
#include <thread>

#include <fmt/format.h>

#include "command.h"
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

class client {
 public:
  explicit client(unsigned port) : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const sockaddr_in address = loopback(port);
    connected_ = socket_ >= 0 && connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~client() {
    if (socket_ >= 0) close(socket_);
  }
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  bool send(std::string_view text) {
    while (connected_ && !text.empty()) {
      const ssize_t sent = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
      connected_ = sent > 0;
      if (connected_) text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return connected_;
  }
  // The next line, without its end; empty when there is no more.
  std::string line() {
    std::size_t end;
    while ((end = waiting_.find("\r\n")) == std::string::npos) {
      std::array<char, 4096> buffer;
      const ssize_t count = connected_ ? read(socket_, buffer.data(), buffer.size()) : 0;
      if (count <= 0) return "";
      waiting_.append(buffer.data(), static_cast<std::size_t>(count));
    }
    std::string found = waiting_.substr(0, end);
    waiting_.erase(0, end + 2);
    return found;
  }
  std::string ask(std::string_view command) { return send(fmt::format("{}\r\n", command)) ? line() : ""; }

 private:
  int socket_;
  bool connected_;
  std::string waiting_;
};

bool wait_until_ready(background_process& server, unsigned port) {
  for (int i = 0; i < start_attempts && server.is_running(); ++i) {
    if (client(port).ask("PING") == "+PONG") return true;
    std::this_thread::sleep_for(between_attempts);
  }
  return false;
}

// The keys are named as redis-benchmark names them.
bool fill(unsigned port, const kv_load& load) {
  client to(port);
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

// A section of what the server says of itself, its numbers and the texts of the section `server`.
std::map<std::string, std::string> info(client& to, const char* section) {
  std::map<std::string, std::string> fields;
  std::string line = to.ask(fmt::format("INFO {}", section));
  if (!line.starts_with('$') || line == "$0") return fields;
  const std::size_t length = std::strtoull(line.c_str() + 1, nullptr, 10);
  for (std::size_t seen = 0; seen < length; seen += line.size() + 2) {
    line = to.line();
    const std::size_t colon = line.find(':');
    if (colon != std::string::npos) fields[line.substr(0, colon)] = line.substr(colon + 1);
  }
  static_cast<void>(to.line());
  return fields;
}

std::map<std::string, double> collector(unsigned port) {
  client to(port);
  std::map<std::string, double> numbers;
  for (const auto& [name, value] : info(to, "gc")) numbers[name] = std::strtod(value.c_str(), nullptr);
  return numbers;
}

std::string version_of(unsigned port) {
  client to(port);
  const auto fields = info(to, "server");
  // Only redis itself has that.
  return fields.contains("redis_git_sha1") ? "redis " + fields.at("redis_version") : "";
}

// How many keys there are, and how long the values of some; what is in them the load draws anew each time.
std::uint64_t checksum_of(unsigned port, const kv_load& load) {
  constexpr std::size_t looked_at = 1000;
  client to(port);
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
load_figures read_benchmark(const std::string& output, const kv_load& load) {
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
      into.seconds = static_cast<double>(load.requests) / std::strtod(line.c_str() + at + summary.size(), nullptr);
    const auto p = in_first_list ? parse_percentile(line) : std::nullopt;
    if (!p || p->requests <= seen) continue;
    into.latency.record(static_cast<std::uint64_t>(p->milliseconds * 1e6 + 0.5), p->requests - seen);
    seen = p->requests;
  }
  if (!(into.seconds > 0) || seen == 0)
    throw failure(1, "redis-benchmark printed no latencies; is it that of redis 7?");
  return into;
}

load_figures put_load(background_process& server, const kv_load& load, unsigned port) {
  constexpr double patience = 36000;
  const finished run = run_captured(kv_load_command(load, port), patience);
  if (!server.is_running()) throw failure(1, "the server died under load");
  if (!run.succeeded()) throw failure(1, "redis-benchmark: " + run.complaint());
  return read_benchmark(run.output, load);
}

void start_and_fill(background_process& server, unsigned port, const kv_load& load) {
  if (!wait_until_ready(server, port)) {
    throw failure(1, server.is_running() ? "the server does not answer"
                                         : "the server ended at its start; run its command by hand to see why");
  }
  if (fill(port, load)) return;
  throw failure(1, server.is_running() ? "the server did not take its keys" : "the server died while it was filled");
}

}  // namespace

command_line kv_load_command(const kv_load& load, unsigned port) {
  const auto program = find_program("redis-benchmark");
  if (!program) throw failure(1, "redis-benchmark is not installed; tools/setup installs it");
  const auto text = [](auto number) { return std::to_string(number); };
  return {{program->string(), "-p", text(port), "-n", text(load.requests), "-r", text(load.keys), "-d",
           text(load.value_bytes), "-c", text(load.clients), "-P", text(load.pipeline), "-t", load.kind},
          {{"LC_ALL", "C"}}};
}

kv_figures measure_kv(command_line server_command, const kv_load& load) {
  const unsigned port = free_port();
  static_cast<void>(kv_load_command(load, port));  // before the server is filled: is there a redis-benchmark?
  server_command.words.push_back(std::to_string(port));
  background_process server(server_command);
  start_and_fill(server, port, load);
  kv_figures result;
  result.version = version_of(port);
  result.first = put_load(server, load, port).latency;
  // The server, its collector, and the load.
  bench::jitter_watch watch(3, load.jitter_seconds);
  result.collector_before = collector(port);
  const double cpu_before = cpu_seconds(server.id());
  const load_figures measured = put_load(server, load, port);
  result.server_seconds = cpu_seconds(server.id()) - cpu_before;
  watch.stop();
  result.jitter = watch.gaps();
  result.latency = measured.latency;
  result.seconds = measured.seconds;
  result.collector_after = collector(port);
  result.peak_rss = server.peak_rss_kb() * 1024;
  result.checksum = checksum_of(port, load);
  return result;
}

}  // namespace umber::tool

// The server is filled by a client of our own, in order and without a miss; redis-benchmark could only draw keys.
#include "kv_load.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <fstream>
#include <optional>
#include <sstream>
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
  std::ifstream file(fmt::format("/proc/{}/stat", process));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  std::istringstream fields(text.substr(std::min(text.rfind(')') + 1, text.size())));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0, system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

// What a server says of its collector.
double collections(unsigned port) {
  client to(port);
  std::string line = to.ask("INFO gc");
  if (!line.starts_with('$') || line == "$0") return 0;
  constexpr std::string_view name = "gc_cycles:";
  while (!(line = to.line()).empty())
    if (line.starts_with(name)) return std::strtod(line.c_str() + name.size(), nullptr);
  return 0;
}

kv_figures measure_kind(background_process& server, unsigned port, const kv_load& load, const std::string& kind,
                        double timeout_seconds) {
  const double cpu_before = cpu_seconds(server.id()), cycles_before = collections(port);
  const finished run = run_captured(kv_load_command(load, kind, port), timeout_seconds);
  const double cpu = cpu_seconds(server.id()) - cpu_before;
  kv_figures result = parse_redis_benchmark(run.output);
  result.kind = kind;
  if (!server.is_running())
    result.problem = "the server died under load";
  else if (!run.succeeded())
    result.problem = "redis-benchmark: " + run.complaint();
  result.requests_per_cpu_second = cpu > 0 ? static_cast<double>(load.requests) / cpu : 0;
  result.peak_rss_mib = static_cast<double>(server.peak_rss_kb()) / 1024;
  result.collections = collections(port) - cycles_before;
  return result;
}

// The number before a word, in a line such as `99.902% <= 0.511 milliseconds (cumulative count 9)`.
struct percentile_line {
  double percent = 0, milliseconds = 0;
};
std::optional<percentile_line> parse_percentile(const std::string& line) {
  percentile_line found;
  if (std::sscanf(line.c_str(), "%lf%% <= %lf milliseconds", &found.percent, &found.milliseconds) != 2)
    return std::nullopt;
  return found;
}

}  // namespace

command_line kv_load_command(const kv_load& load, const std::string& kind, unsigned port) {
  const auto program = find_program("redis-benchmark");
  if (!program) throw failure(1, "redis-benchmark is not installed; tools/setup installs it");
  const auto text = [](auto number) { return std::to_string(number); };
  return {{program->string(), "-p", text(port), "-n", text(load.requests), "-r", text(load.keys), "-d",
           text(load.value_bytes), "-c", text(load.clients), "-P", text(load.pipeline), "-t", kind},
          {{"LC_ALL", "C"}}};
}

kv_figures parse_redis_benchmark(const std::string& output) {
  kv_figures found;
  std::istringstream lines(output);
  std::string line;
  const auto first_at = [](double& figure, const percentile_line& p, double percent) {
    if (figure == 0 && p.percent >= percent) figure = p.milliseconds;
  };
  // The second list of percentages is of round latencies, and of no use here.
  bool in_first_list = false;
  while (std::getline(lines, line)) {
    if (line.find("Latency by percentile distribution") != std::string::npos) in_first_list = true;
    if (line.find("Cumulative distribution") != std::string::npos) in_first_list = false;
    const std::size_t summary = line.find("throughput summary: ");
    if (summary != std::string::npos) found.requests_per_second = std::strtod(line.c_str() + summary + 20, nullptr);
    const auto p = in_first_list ? parse_percentile(line) : std::nullopt;
    if (!p) continue;
    first_at(found.p50_ms, *p, 50);
    first_at(found.p99_ms, *p, 99);
    first_at(found.p999_ms, *p, 99.9);
    found.max_ms = p->milliseconds;
  }
  if (found.requests_per_second == 0 || found.p999_ms == 0)
    found.problem = "redis-benchmark printed no latencies; is it that of redis 7?";
  return found;
}

std::vector<kv_figures> measure_kv(command_line server_command, const kv_load& load, double timeout_seconds) {
  const unsigned port = free_port();
  server_command.words.push_back(std::to_string(port));
  background_process server(server_command);
  kv_figures failed;
  if (!wait_until_ready(server, port))
    failed.problem = server.is_running() ? "the server does not answer" : "the server ended at its start";
  else if (!fill(port, load))
    failed.problem = "the server did not take its keys";
  if (!failed.problem.empty()) return {failed};
  std::vector<kv_figures> all;
  for (const std::string& kind : load.kinds) all.push_back(measure_kind(server, port, load, kind, timeout_seconds));
  return all;
}

}  // namespace umber::tool

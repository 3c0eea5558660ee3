// The server speaks a line protocol, of which two commands are needed here: PING until it answers, and the digest at
// the end.
#include "bench_redis.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <thread>

#include <fmt/format.h>

#include "command.h"
#include "places.h"

namespace umber::tool {

namespace {

constexpr int start_attempts = 1000;
constexpr auto between_attempts = std::chrono::milliseconds(5);

class temporary_folder {
 public:
  temporary_folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "umber-redis-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr)
      throw failure(1, fmt::format("cannot make {}: {}", pattern, strerror(errno)));
    path_ = pattern;
  }
  ~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Sends one command and returns the first line of the answer, or nothing when there is no server.
std::string ask(const std::string& socket_path, const std::string& command) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (socket_path.size() >= sizeof address.sun_path) return "";
  memcpy(address.sun_path, socket_path.data(), socket_path.size());
  const int connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connection < 0) return "";
  std::string answer;
  const std::string line = command + "\r\n";
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (connect(connection, generic, sizeof address) == 0 &&
      send(connection, line.data(), line.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(line.size())) {
    std::array<char, 256> buffer;
    while (answer.find('\n') == std::string::npos) {
      const ssize_t count = read(connection, buffer.data(), buffer.size());
      if (count <= 0) break;
      answer.append(buffer.data(), static_cast<std::size_t>(count));
    }
  }
  close(connection);
  return answer.substr(0, answer.find('\r'));
}

bool wait_until_ready(background_process& server, const std::string& socket_path) {
  for (int i = 0; i < start_attempts && server.is_running(); ++i) {
    if (ask(socket_path, "PING") == "+PONG") return true;
    std::this_thread::sleep_for(between_attempts);
  }
  return false;
}

// One client with deep pipelines: the time is the server's, not that of the way to it.
command_line load(const std::string& socket_path, const std::string& requests) {
  return {{find_program("redis-benchmark").value().string(), "-s", socket_path, "-n", requests, "-r", "50000", "-c",
           "1", "-P", "64", "-d", "120", "-q", "-t", "set,get,incr,lpush,rpush,lpop,rpop,sadd,hset,zadd"},
          {}};
}

// The load draws its keys at random and offers no seed, so the data it leaves differ from run to run. What must not
// differ is a data set of the server's own making, built in the heap that the load has worn in.
std::string checksum_after_load(const std::string& socket_path) {
  std::string answers;
  for (const char* command : {"FLUSHALL", "DEBUG POPULATE 20000 key 100", "DBSIZE", "DEBUG DIGEST"}) {
    answers += ask(socket_path, command);
  }
  return fingerprint(answers);
}

}  // namespace

measurement measure_redis(const job& row, const allocator& under, double timeout_seconds) {
  const temporary_folder folder;
  const std::string socket_path = (folder.path() / "socket").string();
  const command_line server_command = {
      {row.command.words.at(0), "--port", "0", "--unixsocket", socket_path, "--save", "", "--appendonly", "no", "--dir",
       folder.path().string(), "--enable-debug-command", "local"},
      {{"LD_PRELOAD", under.library.string()}, {"LC_ALL", "C"}}};
  background_process server(server_command);
  measurement result;
  if (!wait_until_ready(server, socket_path)) {
    result.problem = server.is_running() ? "the server does not answer" : "the server ended at its start";
    return result;
  }
  const finished run = run_captured(load(socket_path, row.command.words.at(1)), timeout_seconds);
  result.seconds = run.seconds;
  result.peak_rss_kb = static_cast<double>(server.peak_rss_kb());
  result.checksum = checksum_after_load(socket_path);
  if (!server.is_running())
    result.problem = "the server died under load";
  else if (!run.succeeded())
    result.problem = "redis-benchmark: " + run.complaint();
  return result;
}

}  // namespace umber::tool

// One child at a time is watched through a pidfd and two pipes with one poll loop: the end of the child, its output and
// the deadline are the only three things that can happen.
#include "process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <thread>

#include <fmt/format.h>

#include "command.h"

namespace umber::tool {

namespace {

using clock = std::chrono::steady_clock;

volatile sig_atomic_t interrupt_seen = 0;

// Output beyond this is dropped: no program run here writes so much unless it has gone wrong.
constexpr std::size_t most_output = std::size_t{64} << 20;

constexpr int between_looks_ms = 50;

class descriptor {
 public:
  explicit descriptor(int number) : number_(number) {}
  ~descriptor() { reset(); }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  void reset() {
    if (number_ >= 0) close(number_);
    number_ = -1;
  }
  [[nodiscard]] int get() const { return number_; }

 private:
  int number_;
};

std::array<int, 2> make_pipe() {
  std::array<int, 2> ends = {};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw failure(1, fmt::format("pipe: {}", strerror(errno)));
  return ends;
}

// Everything exec needs, made before fork: after it the child only calls what is safe there.
struct prepared {
  explicit prepared(const command_line& command) : words(command.words) {
    for (char** each = environ; *each != nullptr; ++each) {
      const std::string entry = *each;
      const bool replaced = std::any_of(command.environment.begin(), command.environment.end(), [&](const auto& added) {
        return entry.compare(0, added.first.size() + 1, added.first + "=") == 0;
      });
      if (!replaced) variables.push_back(entry);
    }
    for (const auto& [name, value] : command.environment) variables.push_back(name + "=" + value);
    for (std::string& each : words) arguments.push_back(each.data());
    for (std::string& each : variables) environment.push_back(each.data());
    arguments.push_back(nullptr);
    environment.push_back(nullptr);
  }

  std::vector<std::string> words;
  std::vector<std::string> variables;
  std::vector<char*> arguments;
  std::vector<char*> environment;
};

// The child leads a process group, so that its own children can be killed with it, and dies with this program.
pid_t start(const command_line& command, int output, int errors) {
  prepared ready(command);
  const descriptor nothing(open("/dev/null", O_RDWR | O_CLOEXEC));
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) throw failure(1, fmt::format("fork: {}", strerror(errno)));
  if (child > 0) {
    setpgid(child, child);
    return child;
  }
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  dup2(nothing.get(), STDIN_FILENO);
  dup2(output < 0 ? nothing.get() : output, STDOUT_FILENO);
  dup2(errors < 0 ? nothing.get() : errors, STDERR_FILENO);
  execvpe(ready.arguments[0], ready.arguments.data(), ready.environment.data());
  const char* reason = strerror(errno);
  if (write(STDERR_FILENO, reason, strlen(reason)) < 0) _exit(126);
  _exit(127);
}

// Appends what can be read now. Returns false at the end of the stream.
bool drain(int from, std::string& into) {
  std::array<char, 65536> buffer;
  const ssize_t count = read(from, buffer.data(), buffer.size());
  if (count < 0) return errno == EAGAIN || errno == EINTR;
  if (into.size() < most_output) into.append(buffer.data(), static_cast<std::size_t>(count));
  return count > 0;
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

int milliseconds_until(clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock::now()).count();
  return static_cast<int>(std::clamp<long>(left, 0, 3600000));
}

// A process and all its descendants, in bytes. Those that end meanwhile count as nothing.
std::uint64_t resident_bytes(pid_t process) {
  std::uint64_t pages = 0;
  std::ifstream sizes(fmt::format("/proc/{}/statm", process));
  sizes >> pages >> pages;
  if (!sizes) return 0;
  std::uint64_t bytes = pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  std::ifstream children(fmt::format("/proc/{}/task/{}/children", process, process));
  for (pid_t each = 0; children >> each;) bytes += resident_bytes(each);
  return bytes;
}

// Reads both outputs until the child has ended by itself: anything else is what is returned.
ending watch(pid_t child, int output, int errors, clock::time_point deadline, std::uint64_t most_bytes,
             finished& result) {
  const descriptor process(static_cast<int>(syscall(SYS_pidfd_open, child, 0)));
  if (process.get() < 0) throw failure(1, fmt::format("pidfd_open: {}", strerror(errno)));
  std::array<pollfd, 3> waiting = {pollfd{process.get(), POLLIN, 0}, pollfd{output, POLLIN, 0},
                                   pollfd{errors, POLLIN, 0}};
  while (true) {
    const int left = milliseconds_until(deadline);
    const int ready = poll(waiting.data(), waiting.size(), most_bytes == 0 ? left : std::min(left, between_looks_ms));
    if (interrupt_seen != 0) return ending::signalled;
    if (most_bytes != 0 && resident_bytes(child) > most_bytes) return ending::too_large;
    if (ready == 0 && clock::now() >= deadline) return ending::timed_out;
    if (ready <= 0) continue;
    if (waiting[1].revents != 0 && !drain(output, result.output)) waiting[1].fd = -1;
    if (waiting[2].revents != 0 && !drain(errors, result.errors)) waiting[2].fd = -1;
    if (waiting[0].revents == 0 || waiting[1].revents != 0 || waiting[2].revents != 0) continue;
    return ending::exited;
  }
}

void record_end(int status, const rusage& usage, finished& result) {
  result.user_seconds = seconds_of(usage.ru_utime);
  result.system_seconds = seconds_of(usage.ru_stime);
  result.peak_rss_kb = static_cast<std::uint64_t>(usage.ru_maxrss);
  const bool exited = WIFEXITED(status);
  result.how = exited ? ending::exited : ending::signalled;
  result.code = exited ? WEXITSTATUS(status) : WTERMSIG(status);
}

std::string quoted(const std::string& word) {
  const bool plain = !word.empty() && word.find_first_not_of(
                                          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                          "_-./=:,+@%") == std::string::npos;
  if (plain) return word;
  std::string result = "'";
  for (const char c : word) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

std::string last_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  const std::size_t start = text.rfind('\n');
  if (start != std::string::npos) text.erase(0, start + 1);
  return text.substr(0, 160);
}

}  // namespace

std::string command_line::shell_form() const {
  std::string result;
  for (const auto& [name, value] : environment) result += fmt::format("{}={} ", name, quoted(value));
  for (const std::string& word : words) result += quoted(word) + " ";
  if (!result.empty()) result.pop_back();
  return result;
}

std::string finished::complaint() const {
  const std::string line = last_line(errors);
  const std::string tail = line.empty() ? "" : ": " + line;
  switch (how) {
    case ending::timed_out:
      return fmt::format("stopped after {:.0f} s", seconds);
    case ending::too_large:
      return fmt::format("stopped after {:.1f} s: more memory than it may have", seconds);
    case ending::signalled:
      return fmt::format("killed by {}{}", signal_name(code), tail);
    case ending::not_started:
      return "not started";
    case ending::exited:
      break;
  }
  return code == 0 ? "" : fmt::format("exit status {}{}", code, tail);
}

finished run_captured(const command_line& command, double timeout_seconds, std::uint64_t most_bytes) {
  const auto output_ends = make_pipe();
  const descriptor output(output_ends[0]);
  descriptor output_of_child(output_ends[1]);
  const auto error_ends = make_pipe();
  const descriptor errors(error_ends[0]);
  descriptor errors_of_child(error_ends[1]);
  fcntl(output.get(), F_SETFL, O_NONBLOCK);
  fcntl(errors.get(), F_SETFL, O_NONBLOCK);

  finished result;
  const auto begin = clock::now();
  const auto deadline = begin + std::chrono::milliseconds(static_cast<long>(timeout_seconds * 1000));
  const pid_t child = start(command, output_of_child.get(), errors_of_child.get());
  output_of_child.reset();
  errors_of_child.reset();
  const ending how = watch(child, output.get(), errors.get(), deadline, most_bytes, result);
  result.seconds = std::chrono::duration<double>(clock::now() - begin).count();
  kill(-child, SIGKILL);
  int status = 0;
  rusage usage = {};
  while (wait4(child, &status, 0, &usage) < 0 && errno == EINTR) {
  }
  if (interrupt_seen != 0) throw interrupted{};
  record_end(status, usage, result);
  if (how != ending::exited) result.how = how;
  return result;
}

background_process::background_process(const command_line& command) : id_(start(command, -1, -1)) {}

background_process::~background_process() {
  if (reaped_) return;
  kill(-id_, SIGKILL);
  while (waitpid(id_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

bool background_process::is_running() {
  if (interrupt_seen != 0) throw interrupted{};
  if (!reaped_ && waitpid(id_, &status_, WNOHANG) == id_) reaped_ = true;
  return !reaped_;
}

bool background_process::wait_for_success(double seconds) {
  const auto deadline = clock::now() + std::chrono::milliseconds(static_cast<long>(seconds * 1000));
  while (is_running()) {
    if (clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return WIFEXITED(status_) && WEXITSTATUS(status_) == 0;
}

std::uint64_t background_process::peak_rss_kb() const {
  std::ifstream file(fmt::format("/proc/{}/status", id_));
  std::string word;
  while (file >> word) {
    std::uint64_t value = 0;
    if (word == "VmHWM:" && file >> value) return value;
  }
  return 0;
}

void catch_interrupts() {
  struct sigaction handling = {};
  handling.sa_handler = [](int) { interrupt_seen = 1; };
  sigaction(SIGINT, &handling, nullptr);
  sigaction(SIGTERM, &handling, nullptr);
}

std::string signal_name(int number) {
  const char* name = sigabbrev_np(number);
  return name == nullptr ? fmt::format("signal {}", number) : fmt::format("SIG{}", name);
}

}  // namespace umber::tool

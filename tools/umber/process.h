// Running another program and measuring it: wall time, processor time, peak memory, output. Programs are started with
// fork rather than posix_spawn, because the kernel counts the peak memory of what a process was before exec: after fork
// that is the few pages this program has written, after vfork it would be all of it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace umber::tool {

// A program with its arguments and what is added to its environment.
struct command_line {
  std::vector<std::string> words;
  std::vector<std::pair<std::string, std::string>> environment;

  // As a user would type it into a shell.
  [[nodiscard]] std::string shell_form() const;
};

enum class ending { exited, signalled, timed_out, too_large, not_started };

struct finished {
  ending how = ending::not_started;
  int code = 0;
  double seconds = 0;
  double user_seconds = 0;
  double system_seconds = 0;
  std::uint64_t peak_rss_kb = 0;
  std::string output;
  std::string errors;

  [[nodiscard]] bool succeeded() const { return how == ending::exited && code == 0; }
  // Why it did not succeed, in a few words, with the last line it wrote to stderr.
  [[nodiscard]] std::string complaint() const;
};

// Runs a program to its end with no input, both outputs captured. It and what it started are killed after
// `timeout_seconds`, or when together they are resident with more than `most_bytes` (0 for any size; looked at some
// twenty times a second), or when this program is interrupted; then `interrupted` is thrown.
[[nodiscard]] finished run_captured(const command_line& command, double timeout_seconds, std::uint64_t most_bytes = 0);

// A program left running, such as a server, in a process group of its own. Killed and reaped by the destructor.
class background_process {
 public:
  // Its outputs go to /dev/null. Throws `failure` when it cannot be started.
  explicit background_process(const command_line& command);
  ~background_process();
  background_process(const background_process&) = delete;
  background_process& operator=(const background_process&) = delete;

  [[nodiscard]] pid_t id() const { return id_; }
  // Waits until it ends, at most `seconds`; true when it ended with status 0.
  [[nodiscard]] bool wait_for_success(double seconds);
  [[nodiscard]] bool is_running();
  // The peak resident memory so far, in KiB.
  [[nodiscard]] std::uint64_t peak_rss_kb() const;

 private:
  pid_t id_;
  bool reaped_ = false;
  int status_ = 0;
};

// Thrown when the user pressed Ctrl-C: the program cleans up and ends with status 130.
struct interrupted {};

// Lets Ctrl-C and SIGTERM end the running child first, and then this program by way of `interrupted`.
void catch_interrupts();

// The name of a signal such as SIGSEGV.
[[nodiscard]] std::string signal_name(int number);

}  // namespace umber::tool

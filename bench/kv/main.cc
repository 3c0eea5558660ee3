// The program umber-kv: reads the command line, runs the server until SIGTERM, SIGINT or SHUTDOWN.
#include <csignal>
#include <exception>
#include <thread>

#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include "server.h"

namespace {

struct choices {
  kv::server_options server;
  std::string percent;
  std::size_t limit = 0;
};

void add_options(CLI::App& program, choices& chosen) {
  kv::server_options& server = chosen.server;
  const auto size = CLI::AsSizeValue(false);
  program.add_option("--port", server.port, "The port to listen on; 0: any that is free")->capture_default_str();
  program.add_option("--bind", server.address, "The IPv4 address to listen on")->capture_default_str();
  program.add_option("--threads", server.threads, "Threads that carry out commands")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  program.add_option("--requirepass", server.password, "The password that clients have to give");
  program.add_option("--maxmemory", server.max_memory, "Refuse to store more than this, as in 512mb; 0: no limit")
      ->transform(size);
  program.add_option("--percent", chosen.percent, "Collect when the heap has grown by this much; or off");
  program.add_option("--limit", chosen.limit, "Collect more often near this size of the heap, as in 2gb")
      ->transform(size);
  program.add_option("--workers", server.heap.workers, "Threads that mark; 0: a quarter of the processors");
  program.add_option("--torture", server.heap.torture, "Collect at every n-th allocation, and poison what is freed");
}

void apply(choices& chosen) {
  // What lives is known when a collection ends, by when it may be twice as much as at the one before.
  constexpr std::size_t slack = 64 << 20;
  umber::heap_options& heap = chosen.server.heap;
  if (chosen.percent == "off")
    heap.percent = umber::heap_options::off;
  else if (!chosen.percent.empty() && !CLI::detail::lexical_cast(chosen.percent, heap.percent))
    throw CLI::ValidationError("--percent", "a number, or off");
  if (chosen.limit != 0)
    heap.limit = chosen.limit;
  else if (chosen.server.max_memory != 0)
    heap.limit = 2 * chosen.server.max_memory + slack;
}

// Signals are waited for by one thread: all others are made after they are blocked.
sigset_t block_signals() {
  sigset_t which;
  sigemptyset(&which);
  for (const int each : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&which, each);
  pthread_sigmask(SIG_BLOCK, &which, nullptr);
  return which;
}

int serve(const kv::server_options& options) {
  const sigset_t signals = block_signals();
  kv::server server(options);
  fmt::print("umber kv: ready on {}:{}, {} thread{}\n", options.address, server.port(), options.threads,
             options.threads == 1 ? "" : "s");
  std::fflush(stdout);
  std::atomic<int> ended_by{0};
  std::thread waiting([&] {
    int number = 0;
    sigwait(&signals, &number);
    ended_by.store(number, std::memory_order_relaxed);  // relaxed: read after the join
    server.stop();
  });
  const std::size_t open = server.run();
  // Ends the wait where SHUTDOWN was what ended the server.
  pthread_kill(waiting.native_handle(), SIGHUP);
  waiting.join();
  const int number = ended_by.load(std::memory_order_relaxed);
  fmt::print("umber kv: ended by {}, {} connection{} closed\n",
             number == SIGTERM  ? "SIGTERM"
             : number == SIGINT ? "SIGINT"
                                : "SHUTDOWN",
             open, open == 1 ? "" : "s");
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return 0;
  fmt::print(stderr, "umber kv: cannot write to stdout; is the disk full?\n");
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App program{"umber kv: a server that speaks redis' protocol, with its data in a managed heap", "umber kv"};
  choices chosen;
  add_options(program, chosen);
  try {
    program.parse(argc, argv);
    apply(chosen);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return program.exit(error);
    fmt::print(stderr, "umber kv: {}; see umber kv --help\n", error.what());
    return 2;
  }
  try {
    return serve(chosen.server);
  } catch (const std::exception& error) {
    fmt::print(stderr, "umber kv: {}\n", error.what());
    return 1;
  }
}

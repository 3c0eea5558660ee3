// Listening comes first: a port that is taken is known before any memory is.
#include "server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <stdexcept>

#include <fmt/format.h>

#include "event_loop.h"

namespace kv {

namespace {

constexpr int backlog = 511;

[[noreturn]] void cannot_listen(int descriptor, const server_options& options, int reason) {
  if (descriptor >= 0) close(descriptor);
  if (reason == EADDRINUSE)
    throw std::runtime_error(fmt::format("port {} of {} is in use; give another one with --port, or 0 for any",
                                         options.port, options.address));
  throw std::runtime_error(fmt::format("cannot listen on {}:{}: {}; choose others with --bind and --port",
                                       options.address, options.port, strerror(reason)));
}

int listen_on(const server_options& options) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(options.port);
  if (inet_pton(AF_INET, options.address.c_str(), &address.sin_addr) != 1)
    throw std::runtime_error(fmt::format("--bind {}: not an IPv4 address such as 127.0.0.1", options.address));
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int yes = 1;
  if (descriptor < 0 || setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
      bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(descriptor, backlog) != 0)
    cannot_listen(descriptor, options, errno);
  return descriptor;
}

std::uint16_t port_of(int descriptor) {
  sockaddr_in address = {};
  socklen_t size = sizeof address;
  getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

umber::heap_options watched(umber::heap_options options, watch& by) {
  options.on_stall = watch::tell;
  options.stall_context = &by;
  return options;
}

}  // namespace

std::int64_t now_ms() noexcept {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since_1970).count();
}

server::server(const server_options& options)
    : options_(options),
      listener_(listen_on(options)),
      port_(port_of(listener_)),
      started_at_(now_ms()),
      heap_(watched(options.heap, watch_)) {
  const umber::mutator attached(heap());
  keys_.emplace();
  for (unsigned i = 0; i < options_.threads; ++i) loops_.push_back(std::make_unique<event_loop>(*this, i));
}

server::~server() {
  const umber::mutator attached(heap());
  watch_.end();
  keys_.reset();
  close(listener_);
}

std::size_t server::run() {
  std::vector<std::thread> threads;
  for (const auto& each : loops_) threads.emplace_back([&each] { each->run(); });
  for (std::thread& each : threads) each.join();
  std::size_t open = 0;
  for (const auto& each : loops_) open += each->closed_at_end();
  return open;
}

void server::stop() noexcept {
  stopping_.store(true, std::memory_order_relaxed);  // relaxed: the loops are woken after it
  for (const auto& each : loops_) each->wake();
}

void server::hand_over(int connection) { loops_[next_loop_++ % loops_.size()]->adopt(connection); }

void server::look_at_memory() {
  if (options_.max_memory == 0) return;
  const umber::heap_statistics now = heap().statistics();
  full_.store(now.live_bytes > options_.max_memory, std::memory_order_relaxed);  // relaxed: a flag on its own
}

void server::start_watch() {
  // As before every measured run: what was left of the time before is no part of it.
  heap().collect();
  watch_.begin(heap_);
}

std::vector<const counters*> server::all_counters() const {
  std::vector<const counters*> all;
  for (const auto& each : loops_) all.push_back(&each->counted());
  return all;
}

}  // namespace kv

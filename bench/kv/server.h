// The server: the heap, the keys, and as many threads as were asked for, each with an event loop of its own.
//
// Any thread may carry out any client's commands: a client belongs to the loop that it was handed to, and the keys to
// all. Everything here is constant once the loops run, or atomic.
#pragma once

#include "keyspace.h"
#include "watch.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace kv {

class event_loop;

struct server_options {
  std::string address = "127.0.0.1";
  std::uint16_t port = 6379;  // 0: any that is free
  unsigned threads = 1;
  std::string password;        // empty: none
  std::size_t max_memory = 0;  // bytes; what would add to more is refused; 0: no limit
  umber::heap_options heap;
};

// What all loops count, each for itself.
struct counters {
  std::atomic<std::uint64_t> commands{0}, connections{0}, clients{0}, protocol_errors{0};

  // relaxed: numbers on their own, each written by one thread.
  static void add(std::atomic<std::uint64_t>& to, std::uint64_t n = 1) noexcept {
    to.store(to.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
};

class server {
 public:
  // Listens, and throws std::runtime_error with a line for the user if that cannot be.
  explicit server(const server_options& options);
  ~server();
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  // Returns when `stop` was called, all replies are sent and all connections closed: how many there were.
  std::size_t run();
  // Any thread.
  void stop() noexcept;
  // Where clients are handed to, in turn.
  void hand_over(int connection);

  [[nodiscard]] const server_options& options() const noexcept { return options_; }
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] int listener() const noexcept { return listener_; }
  [[nodiscard]] umber::heap& heap() noexcept { return heap_.heap(); }
  [[nodiscard]] keyspace& keys() noexcept { return *keys_; }
  [[nodiscard]] std::int64_t started_at() const noexcept { return started_at_; }
  [[nodiscard]] std::uint64_t next_client() noexcept { return clients_.fetch_add(1, std::memory_order_relaxed) + 1; }
  [[nodiscard]] bool is_stopping() const noexcept { return stopping_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::vector<const counters*> all_counters() const;

  // Whether what adds to the keys is refused. One loop asks the heap now and then.
  [[nodiscard]] bool is_full() const noexcept { return full_.load(std::memory_order_relaxed); }
  void look_at_memory();

  // What the collector does to the loops, from `start_watch` on. These are for attached threads.
  [[nodiscard]] watch& watcher() noexcept { return watch_; }
  void start_watch();

 private:
  const server_options options_;
  const int listener_;
  const std::uint16_t port_;
  const std::int64_t started_at_;
  watch watch_;  // before the heap, which tells it of stalls
  bench::measured_heap heap_;
  std::optional<keyspace> keys_;
  std::vector<std::unique_ptr<event_loop>> loops_;
  std::size_t next_loop_ = 0;  // of the loop that listens
  std::atomic<std::uint64_t> clients_{0};
  std::atomic<bool> full_{false};
  std::atomic<bool> stopping_{false};
};

// Milliseconds since 1970.
[[nodiscard]] std::int64_t now_ms() noexcept;

}  // namespace kv

// A thread's loop: waits for its clients' sockets, and in between has keys end whose time is past.
//
// It waits inside `umber::blocking`, so that no collection waits for an idle thread. The first loop listens, and hands
// new clients to all loops in turn. Each loop looks after the keys of every n-th shard.
#pragma once

#include "connection.h"
#include "server.h"

#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace kv {

class event_loop {
 public:
  event_loop(server& host, unsigned index);
  ~event_loop();
  event_loop(const event_loop&) = delete;
  event_loop& operator=(const event_loop&) = delete;

  void run();  // until the server stops; on a thread of its own
  // Any thread.
  void adopt(int descriptor);
  void wake() const noexcept;
  [[nodiscard]] const counters& counted() const noexcept { return counted_; }
  // How many clients were there when the server was stopped.
  [[nodiscard]] std::size_t closed_at_end() const noexcept { return closed_at_end_; }

 private:
  void watch(int descriptor, std::uint32_t events, int operation);
  void serve(int descriptor);
  void accept_clients();
  void take_adopted();
  void remove_expired(std::int64_t now);
  void finish();

  server& host_;
  const unsigned index_;
  const int poll_, wake_;
  std::unordered_map<int, std::unique_ptr<connection>> clients_;
  buffers spare_;
  counters counted_;
  std::int64_t next_look_ = 0;  // at keys whose time is past
  std::size_t closed_at_end_ = 0;
  std::mutex adopted_lock_;
  std::vector<int> adopted_;  // guarded by adopted_lock_
};

}  // namespace kv

// epoll, told of each socket either to wait for input or for room to send, never both.
#include "event_loop.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include <fmt/format.h>

namespace kv {

namespace {

constexpr std::int64_t between_looks = 100;  // milliseconds
constexpr std::int64_t hurried_look = 5;     // when there was more than one look's worth
constexpr std::size_t expired_in_one_step = 64;

int made(int descriptor, const char* what) {
  if (descriptor < 0) throw std::runtime_error(fmt::format("{}: {}", what, strerror(errno)));
  return descriptor;
}

}  // namespace

event_loop::event_loop(server& host, unsigned index)
    : host_(host),
      index_(index),
      poll_(made(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      wake_(made(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd")) {
  watch(wake_, EPOLLIN, EPOLL_CTL_ADD);
  if (index_ == 0) watch(host_.listener(), EPOLLIN, EPOLL_CTL_ADD);
}

event_loop::~event_loop() {
  for (const int each : adopted_) close(each);
  close(wake_);
  close(poll_);
}

void event_loop::watch(int descriptor, std::uint32_t events, int operation) {
  epoll_event wanted = {};
  wanted.events = events;
  wanted.data.fd = descriptor;
  if (epoll_ctl(poll_, operation, descriptor, &wanted) != 0)
    throw std::runtime_error(fmt::format("epoll_ctl: {}", strerror(errno)));
}

void event_loop::wake() const noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t done = write(wake_, &one, sizeof one);
}

void event_loop::adopt(int descriptor) {
  {
    const std::lock_guard guard(adopted_lock_);
    adopted_.push_back(descriptor);
  }
  wake();
}

void event_loop::take_adopted() {
  std::uint64_t ignored = 0;
  [[maybe_unused]] const ssize_t done = read(wake_, &ignored, sizeof ignored);
  std::vector<int> fresh;
  {
    const std::lock_guard guard(adopted_lock_);
    fresh.swap(adopted_);
  }
  for (const int each : fresh) {
    clients_.emplace(each, std::make_unique<connection>(each, host_, static_cast<int>(index_)));
    watch(each, EPOLLIN, EPOLL_CTL_ADD);
    counters::add(counted_.connections);
  }
  counted_.clients.store(clients_.size(), std::memory_order_relaxed);  // relaxed: a number on its own
}

void event_loop::accept_clients() {
  for (;;) {
    const int client = accept4(host_.listener(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (client < 0) return;
    const int yes = 1;
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    host_.hand_over(client);
  }
}

void event_loop::serve(int descriptor) {
  const auto found = clients_.find(descriptor);
  if (found == clients_.end()) return;
  connection& client = *found->second;
  const bool was_stuck = client.is_stuck();
  if (!client.progress(spare_, counted_)) {
    clients_.erase(found);
    counted_.clients.store(clients_.size(), std::memory_order_relaxed);  // relaxed: a number on its own
  } else if (client.is_stuck() != was_stuck) {
    watch(descriptor, was_stuck ? EPOLLIN : EPOLLOUT, EPOLL_CTL_MOD);
  }
}

void event_loop::remove_expired(std::int64_t now) {
  if (now < next_look_) return;
  bool more = false;
  for (unsigned shard = index_; shard < keyspace::shard_count; shard += host_.options().threads) {
    const locked_shards locked(host_.keys(), shard_mask{1} << shard);
    more |= host_.keys().remove_expired(shard, now, expired_in_one_step) == expired_in_one_step;
    umber::safepoint();
  }
  next_look_ = now + (more ? hurried_look : between_looks);
  if (index_ == 0) host_.look_at_memory();
}

void event_loop::run() {
  const umber::mutator attached(host_.heap());
  host_.watcher().join();
  std::array<epoll_event, 128> ready;
  while (!host_.is_stopping()) {
    int count = 0;
    {
      const auto timeout = static_cast<int>(std::clamp<std::int64_t>(next_look_ - now_ms(), 0, between_looks));
      const umber::blocking waiting;
      count = epoll_wait(poll_, ready.data(), static_cast<int>(ready.size()), timeout);
    }
    for (int i = 0; i < count; ++i) {
      const int descriptor = ready[static_cast<std::size_t>(i)].data.fd;
      if (descriptor == wake_)
        take_adopted();
      else if (descriptor == host_.listener())
        accept_clients();
      else
        serve(descriptor);
    }
    remove_expired(now_ms());
  }
  finish();
}

// What clients have sent is carried out, and what they are owed is sent.
void event_loop::finish() {
  take_adopted();
  closed_at_end_ = clients_.size();
  for (const auto& each : clients_) {
    each.second->finish(spare_, counted_);
  }
  clients_.clear();
}

}  // namespace kv

// It sleeps until a request is due: on a machine whose processors are all taken it may not spin beside them. What
// waking up takes is in the response, under every server alike.
#include "kv_probe.h"

#include <poll.h>
#include <sys/prctl.h>
#include <time.h>

#include <algorithm>

#include <fmt/format.h>

#include "bench/basics.h"
#include "bench/measure/clock.h"

namespace umber::tool {

namespace {

// Until then, or until something has arrived: which is it?
bool arrives_before(std::uint64_t due, const kv_client& at) {
  const std::uint64_t now = bench::system_clock_ns(), left = due > now ? due - now : 0;
  const timespec wait = {static_cast<time_t>(left / 1'000'000'000u), static_cast<long>(left % 1'000'000'000u)};
  pollfd waiting = {at.descriptor(), POLLIN, 0};
  return ppoll(&waiting, 1, &wait, nullptr) > 0;
}

}  // namespace

kv_probe::kv_probe(unsigned port, std::size_t keys, double rate) {
  if (rate > 0) asking_ = std::thread([this, port, keys, rate] { ask(port, keys, rate); });
}

void kv_probe::stop() {
  done_.store(true, std::memory_order_relaxed);  // relaxed: the join is what tells
  if (asking_.joinable()) asking_.join();
}

bool kv_probe::take_replies(kv_client& from) {
  if (!from.receive()) return false;
  while (replied_ < requests_.size()) {
    const auto reply = from.take_bulk();
    if (!reply) return true;
    if (reply->empty()) return false;
    requests_[replied_++].done = bench::system_clock_ns();
  }
  return true;
}

void kv_probe::ask(unsigned port, std::size_t keys, double rate) {
  prctl(PR_SET_TIMERSLACK, 1);  // of 50 us, by which the kernel may wake a thread late
  kv_client to(port);
  bench::random_source random(21);
  const std::uint64_t began = bench::system_clock_ns();
  const double between_ns = 1e9 / rate;
  while (!done_.load(std::memory_order_relaxed) && !failed_) {  // relaxed: as in stop
    const std::uint64_t due = began + static_cast<std::uint64_t>(static_cast<double>(requests_.size()) * between_ns);
    if (arrives_before(due, to)) {
      failed_ = !take_replies(to);
    } else {
      requests_.push_back({due, 0});
      failed_ = !to.send(fmt::format("GET key:{:012}\r\n", random.below(keys)));
    }
  }
  while (!failed_ && replied_ < requests_.size()) failed_ = !take_replies(to);
}

bench::histogram kv_probe::response() const {
  bench::histogram all;
  for (const request& each : requests_) all.record(each.done - each.due);
  return all;
}

bench::histogram kv_probe::response_during(const std::vector<bench::interval>& collections) const {
  bench::histogram during;
  for (const request& each : requests_) {
    const bool under_way = std::any_of(collections.begin(), collections.end(), [&](const bench::interval& cycle) {
      return each.due < cycle.at + cycle.ns && cycle.at < each.done;
    });
    if (under_way) during.record(each.done - each.due);
  }
  return during;
}

}  // namespace umber::tool

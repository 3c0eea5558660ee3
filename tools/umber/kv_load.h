// Servers that speak redis' protocol, filled and loaded: what a client of theirs sees.
//
// The load comes from redis-benchmark: many clients, each with so many requests under way, on keys drawn at random from
// those that are there. Its latencies are from when a batch was written to when its last reply was there; it waits for
// a slow server as long as that takes, so they are service times, of a server that has as much to do as it can.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "process.h"

namespace umber::tool {

struct kv_load {
  std::size_t keys = 1'000'000;
  std::size_t value_bytes = 1024;
  std::size_t requests = 2'000'000;  // of each kind
  unsigned clients = 50;
  unsigned pipeline = 16;
  std::vector<std::string> kinds = {"set", "get"};  // as redis-benchmark names them
};

// Of one kind of request. When `problem` is not empty the rest means nothing.
struct kv_figures {
  std::string problem;
  std::string kind;
  double requests_per_second = 0;
  double requests_per_cpu_second = 0;  // of the server's processor time, the collector's included
  double p50_ms = 0, p99_ms = 0, p999_ms = 0, max_ms = 0;
  double peak_rss_mib = 0;
  double collections = 0;  // meanwhile; 0 of servers that do not say
};

// Starts the server, whose command is to end in a port (which this adds), fills it with the keys, and loads it.
[[nodiscard]] std::vector<kv_figures> measure_kv(command_line server, const kv_load& load, double timeout_seconds);

// The commands that `measure_kv` runs the load by; for who wants to see it again.
[[nodiscard]] command_line kv_load_command(const kv_load& load, const std::string& kind, unsigned port);

// The percentiles and the throughput in what redis-benchmark prints. Empty problem: they were there.
[[nodiscard]] kv_figures parse_redis_benchmark(const std::string& output);

}  // namespace umber::tool

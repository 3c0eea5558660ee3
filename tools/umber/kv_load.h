// Servers that speak redis' protocol, filled and loaded: what a client of theirs sees.
//
// The load comes from redis-benchmark: many clients, each with so many requests under way, on keys drawn at random from
// those that are there. Its latencies are from when a batch was written to when its last reply was there; it waits for
// a slow server as long as that takes, so they are service times, of a server that has as much to do as it can.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "bench/measure/histogram.h"
#include "bench/measure/jitter.h"
#include "process.h"

namespace umber::tool {

struct kv_load {
  std::string kind = "set";  // as redis-benchmark names it
  std::size_t keys = 1'000'000;
  std::size_t value_bytes = 1024;
  std::size_t requests = 2'000'000;
  unsigned clients = 50;
  unsigned pipeline = 16;
  double jitter_seconds = 0.1;  // how long the machine is looked at where no core is idle meanwhile
};

struct kv_figures {
  std::string version;         // as the server has it; empty where it is that of redis which it imitates
  double seconds = 0;          // of the load
  bench::histogram latency;    // of a request, ns
  bench::histogram first;      // the same, of the load before: the server takes memory for the first time
  bench::histogram jitter;     // gaps that an idle thread saw
  double server_seconds = 0;   // of processor time
  std::uint64_t peak_rss = 0;  // bytes, the filling included
  std::uint64_t checksum = 0;  // of what there is at the end
  std::map<std::string, double> collector_before, collector_after;  // the server's INFO gc, where it has that
};

// Starts the server, whose command is to end in a port (which this adds), fills it with the keys, and loads it twice:
// the second load is what is measured, as servers run for long. Throws `failure` with a line about what did not work.
[[nodiscard]] kv_figures measure_kv(command_line server, const kv_load& load);

// The command that `measure_kv` runs the load by. Throws `failure` where redis-benchmark is not installed.
[[nodiscard]] command_line kv_load_command(const kv_load& load, unsigned port);

}  // namespace umber::tool

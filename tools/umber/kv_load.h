// Servers that speak redis' protocol, filled and loaded: what a client of theirs sees.
//
// The load comes from redis-benchmark: many clients, each with so many requests under way, on keys drawn at random from
// those that are there. Its latencies are from when a batch was written to when its last reply was there; it waits for
// a slow server as long as that takes, so they are service times, of a server that has as much to do as it can. Beside
// it there is one client of our own who does not wait (kv_probe.h): its response times, and those of its requests that
// met a collection, are what a user of the server feels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

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
  unsigned writers = 0;         // clients who SET beside the load, so that one that only reads meets collections
  double probe_rate = 2000;     // requests a second of the client of our own
  double jitter_seconds = 0.1;  // how long the machine is looked at where no core is idle meanwhile
};

struct kv_figures {
  std::string version;                // as the server has it; empty where it is that of redis which it imitates
  double seconds = 0;                 // of the load
  bench::histogram latency;           // of a request, ns
  bench::histogram first;             // the same, of the load before: the server takes memory for the first time
  double writes_per_second = 0;       // of the writers beside it
  bench::histogram probe;             // response times of the client of our own
  bench::histogram probe_collecting;  // of those of its requests that were under way during a collection
  bench::histogram jitter;            // gaps that an idle thread saw
  double server_seconds = 0;          // of processor time
  std::uint64_t peak_rss = 0;         // bytes, the filling included
  std::uint64_t checksum = 0;         // of what there is at the end
  nlohmann::ordered_json told;        // what the server says of the measured load (DEBUG REPORT), where it does
};

// Starts the server, whose command is to end in a port (which this adds), fills it with the keys, and loads it twice:
// the second load is what is measured, as servers run for long. Where the load only reads there is no first one, or,
// with writers beside it, theirs. Throws `failure` with a line about what did not work.
[[nodiscard]] kv_figures measure_kv(command_line server, const kv_load& load);

// Throws `failure` where redis-benchmark is not installed.
void need_kv_load();

}  // namespace umber::tool

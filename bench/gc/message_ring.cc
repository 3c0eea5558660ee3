// A message of 1 KiB into the next of 200,000 slots, at a fixed rate, over a large live set. Response times are taken
// from when each message was due, so that a stall counts for all that had to wait behind it.
#include "managed.h"

#include <sys/resource.h>

#include <algorithm>

namespace bench {

namespace {

constexpr std::size_t slot_count = 200000;

struct message {
  char text[1024];
};

struct latencies {
  std::vector<float> all;
  double at(double share) const {
    return all[static_cast<std::size_t>(static_cast<double>(all.size() - 1) * share)] / 1e3;
  }
};

struct ring_run {
  std::size_t messages = 0;
  double took_ns = 0;
  double longest_service_ns = 0;
  latencies responses;
};

ring_run write_messages(const umber::local<umber::array<umber::field<message>>>& ring, const managed_params& chosen) {
  ring_run run;
  run.responses.all.reserve(static_cast<std::size_t>(chosen.seconds * (chosen.rate > 0 ? chosen.rate : 5e6)) + 1);
  const double step = chosen.rate > 0 ? 1e9 / chosen.rate : 0;
  const double started = now_ns();
  const double end = started + chosen.seconds * 1e9;
  for (;; ++run.messages) {
    double began = now_ns();
    const double due = step > 0 ? started + static_cast<double>(run.messages) * step : began;
    if (due > end) break;
    while (began < due) began = now_ns();
    const umber::local<message> fresh = umber::make<message>();
    std::memset(fresh->text, static_cast<int>(run.messages), sizeof fresh->text);
    (*ring)[run.messages % slot_count] = fresh;
    const double ended = now_ns();
    run.longest_service_ns = std::max(run.longest_service_ns, ended - began);
    run.responses.all.push_back(static_cast<float>(ended - due));
  }
  run.took_ns = now_ns() - started;
  std::sort(run.responses.all.begin(), run.responses.all.end());
  return run;
}

}  // namespace

std::vector<figure> message_ring(const managed_params& chosen) {
  umber::heap heap(chosen.heap);
  const umber::mutator attached(heap);
  const umber::local<wide_node> live = make_live_tree(chosen.depth != 0 ? chosen.depth : 23, chosen.random);
  const umber::local<umber::array<umber::field<message>>> ring = umber::make_array<umber::field<message>>(slot_count);
  heap.collect();
  const umber::heap_statistics before = heap.statistics();
  const ring_run run = write_messages(ring, chosen);
  const umber::heap_statistics after = heap.statistics();
  umber::keep_alive(live);
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return {{"million_messages_a_second", static_cast<double>(run.messages) / run.took_ns * 1e3},
          {"p50_us", run.responses.at(0.5)},
          {"p99_us", run.responses.at(0.99)},
          {"p99.9_us", run.responses.at(0.999)},
          {"p99.99_us", run.responses.at(0.9999)},
          {"max_us", run.responses.at(1)},
          {"longest_service_us", run.longest_service_ns / 1e3},
          {"longest_stall_us", static_cast<double>(after.longest_stall_ns) / 1e3},
          {"cycles", static_cast<double>(after.cycles - before.cycles)},
          {"mark_ms", static_cast<double>(after.mark_ns - before.mark_ns) / 1e6},
          {"assist_ms", static_cast<double>(after.assist_ns - before.assist_ns) / 1e6},
          {"live_mb", static_cast<double>(after.live_bytes) / 1e6},
          {"peak_rss_mb", static_cast<double>(used.ru_maxrss) / 1e3}};
}

}  // namespace bench

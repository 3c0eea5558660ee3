#include "metrics.h"

#include "alloc/text.h"

namespace umber::gc {

namespace {

struct figure {
  const char* name;
  std::uint64_t heap_statistics::*value;
};
static_assert(sizeof(std::size_t) == sizeof(std::uint64_t));

constexpr figure counts[] = {
    {"/gc/cycles/total:gc-cycles", &heap_statistics::cycles},
    {"/gc/gogc:percent", &heap_statistics::percent},
    {"/gc/gomemlimit:bytes", &heap_statistics::limit},
    {"/gc/heap/allocs:bytes", &heap_statistics::total_allocated_bytes},
    {"/gc/heap/allocs:objects", &heap_statistics::total_allocated_objects},
    {"/gc/heap/goal:bytes", &heap_statistics::goal_bytes},
    {"/gc/heap/live:bytes", &heap_statistics::live_bytes},
    {"/umber/heap/external:bytes", &heap_statistics::external_bytes},
    {"/umber/heap/spans:bytes", &heap_statistics::heap_bytes},
    {"/umber/heap/allocated-since-cycle:bytes", &heap_statistics::allocated_bytes},
    {"/umber/heap/marked:objects", &heap_statistics::marked_objects},
    {"/umber/mutators:threads", &heap_statistics::mutators},
};
constexpr figure times[] = {
    {"/cpu/classes/gc/mark/assist:cpu-seconds", &heap_statistics::assist_ns},
    {"/umber/cpu/gc/mark:cpu-seconds", &heap_statistics::mark_ns},
    {"/umber/cpu/gc/sweep:cpu-seconds", &heap_statistics::sweep_ns},
    {"/umber/stalls/longest:seconds", &heap_statistics::longest_stall_ns},
};
struct cpu_class {
  const char* name;
  std::uint64_t cpu_times::*value;
};
constexpr cpu_class cpu_classes[] = {
    {"/umber/cpu/gc/mark/threads:cpu-seconds", &cpu_times::mark_ns},
    {"/umber/cpu/gc/sweep/thread:cpu-seconds", &cpu_times::sweep_ns},
    {"/umber/cpu/gc/sweep/mutators:cpu-seconds", &cpu_times::mutator_sweep_ns},
    {"/umber/cpu/gc/barrier:cpu-seconds", &cpu_times::barrier_ns},
    {"/cpu/classes/user:cpu-seconds", &cpu_times::mutator_ns},
};
constexpr const char* causes[stall_causes] = {"handshake", "assist", "sweep", "barrier", "wait"};

// Nanoseconds as seconds, exactly.
void write_seconds(text& out, std::uint64_t ns) {
  constexpr std::uint64_t second = 1'000'000'000;
  out << ns / second << '.';
  for (std::uint64_t unit = second / 10; unit != 0; unit /= 10) out << static_cast<char>('0' + ns / unit % 10);
}

void write_histogram(text& out, const stall_histogram& h) {
  out << "{\"count\":" << h.count << ",\"total\":";
  write_seconds(out, h.total_ns);
  out << ",\"longest\":";
  write_seconds(out, h.longest_ns);
  out << ",\"buckets\":[0";
  for (std::size_t i = 1; i < stall_histogram::buckets; ++i) {
    out << ',';
    write_seconds(out, stall_histogram::shortest_ns << (i - 1));
  }
  out << "],\"counts\":[";
  for (std::size_t i = 0; i < stall_histogram::buckets; ++i) {
    if (i != 0) out << ',';
    out << h.counts[i];
  }
  out << "]}";
}

}  // namespace

std::size_t write_metrics(const heap_statistics& statistics, char* buffer, std::size_t capacity) {
  text out(buffer, capacity);
  out << '{';
  for (const figure& f : counts) {
    const std::uint64_t value = statistics.*f.value;
    out << '"' << f.name << "\":";
    if (value == heap_options::off) {
      out << "null,";
    } else {
      out << value << ',';
    }
  }
  for (const figure& f : times) {
    out << '"' << f.name << "\":";
    write_seconds(out, statistics.*f.value);
    out << ',';
  }
  for (const cpu_class& c : cpu_classes) {
    out << '"' << c.name << "\":";
    write_seconds(out, statistics.cpu.*c.value);
    out << ',';
  }
  out << "\"/cpu/classes/gc/total:cpu-seconds\":";
  write_seconds(out, statistics.mark_ns + statistics.sweep_ns + statistics.cpu.barrier_ns);
  for (std::size_t i = 0; i < stall_causes; ++i) {
    out << ",\"/umber/stalls/" << causes[i] << ":seconds\":";
    write_histogram(out, statistics.stalls[i]);
  }
  out << '}';
  return out.length();
}

}  // namespace umber::gc

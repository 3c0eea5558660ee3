#include "report.h"

#include "text.h"

#include <unistd.h>

namespace umber::alloc {

namespace {

struct figure {
  const char* name;
  const char* meaning;
  std::size_t heap_stats::*value;
};

constexpr figure figures[] = {
    {"live_bytes", "in allocated blocks", &heap_stats::live_bytes},
    {"live_objects", "allocated blocks", &heap_stats::live_objects},
    {"free_slot_bytes", "free, in spans", &heap_stats::free_slot_bytes},
    {"waste_bytes", "in spans, of no slot", &heap_stats::waste_bytes},
    {"free_page_bytes", "free, in no span", &heap_stats::free_page_bytes},
    {"mapped_bytes", "all of the above together", &heap_stats::mapped_bytes},
    {"released_bytes", "of these, given back to the system", &heap_stats::released_bytes},
    {"peak_used_bytes", "the most that was ever in spans", &heap_stats::peak_used_bytes},
    {"metadata_bytes", "the heap's own", &heap_stats::metadata_bytes},
    {"large_objects", "blocks with pages of their own", &heap_stats::large_objects},
    {"large_bytes", "in these", &heap_stats::large_bytes},
    {"arenas", "64 MiB ranges of address space", &heap_stats::arenas},
    {"processors", "caches for threads", &heap_stats::processors},
    {"idle_processors", "of these, no thread's", &heap_stats::idle_processors},
    {"memory_limit", "soft limit, bytes", &heap_stats::memory_limit},
    {"cgroup_limit", "the control group's, bytes", &heap_stats::cgroup_limit},
    {"scavenged_bytes_total", "given back since the start", &heap_stats::scavenged_bytes_total},
    {"scavenger_cpu_ns", "the background thread's time", &heap_stats::scavenger_cpu_ns},
};

constexpr std::size_t no_limit = SIZE_MAX;

}  // namespace

std::size_t write_table(const heap_stats& stats, char* buffer, std::size_t capacity) {
  text out(buffer, capacity);
  out << "umber: statistics\n";
  for (const figure& f : figures) {
    (out << "  ").padded(f.name, 22);
    const std::size_t value = stats.*f.value;
    if (value == no_limit) {
      out << "              none";
    } else {
      out.padded(value, 18);
    }
    out << "  " << f.meaning << '\n';
  }
  out << "  object size       spans   live objects     free slots\n";
  for (const class_stats& c : stats.classes) {
    if (c.spans == 0) continue;
    if (c.object_size == 0) {
      out << "        large";
    } else {
      out.padded(c.object_size, 13);
    }
    out.padded(c.spans, 12).padded(c.live_objects, 15).padded(c.free_slots, 15) << '\n';
  }
  return out.length();
}

std::size_t write_json(const heap_stats& stats, char* buffer, std::size_t capacity) {
  text out(buffer, capacity);
  out << '{';
  for (const figure& f : figures) {
    const std::size_t value = stats.*f.value;
    out << '"' << f.name << "\":";
    if (value == no_limit) {
      out << "null,";
    } else {
      out << value << ',';
    }
  }
  out << "\"classes\":[";
  const char* separator = "";
  for (const class_stats& c : stats.classes) {
    if (c.spans == 0) continue;
    out << separator << "{\"object_size\":" << c.object_size << ",\"spans\":" << c.spans
        << ",\"live_objects\":" << c.live_objects << ",\"free_slots\":" << c.free_slots << '}';
    separator = ",";
  }
  out << "]}";
  return out.length();
}

std::size_t write_xml(const heap_stats& stats, char* buffer, std::size_t capacity) {
  text out(buffer, capacity);
  out << "<malloc version=\"umber-1\">\n";
  for (const figure& f : figures) {
    const std::size_t value = stats.*f.value;
    if (value != no_limit) out << "<total type=\"" << f.name << "\" size=\"" << value << "\"/>\n";
  }
  out << "<sizes>\n";
  for (const class_stats& c : stats.classes) {
    if (c.spans == 0) continue;
    out << "<size size=\"" << c.object_size << "\" spans=\"" << c.spans << "\" live=\"" << c.live_objects
        << "\" free=\"" << c.free_slots << "\"/>\n";
  }
  out << "</sizes>\n</malloc>\n";
  return out.length();
}

void print_report(stats_at_exit form, int file) {
  if (form == stats_at_exit::off) return;
  char buffer[report_capacity];
  const heap_stats stats = collect_stats();
  std::size_t length = 0;
  if (form == stats_at_exit::json) {
    length = write_json(stats, buffer, sizeof buffer - 1);
    buffer[length++] = '\n';
  } else {
    length = write_table(stats, buffer, sizeof buffer);
  }
  for (const char* rest = buffer; length > 0;) {
    const ssize_t written = write(file, rest, length);
    if (written <= 0) return;
    rest += written;
    length -= static_cast<std::size_t>(written);
  }
}

}  // namespace umber::alloc

#include "report.h"

#include <unistd.h>

namespace umber::alloc {

namespace {

// Text under construction in a buffer that may be too small: what does not fit is counted, not written.
class text {
 public:
  text(char* buffer, std::size_t capacity) : buffer_(buffer), capacity_(capacity) {
    if (capacity_ != 0) buffer_[0] = '\0';
  }
  text& operator<<(char c) {
    if (length_ + 1 < capacity_) {
      buffer_[length_] = c;
      buffer_[length_ + 1] = '\0';
    }
    ++length_;
    return *this;
  }
  text& operator<<(const char* s) {
    while (*s != '\0') *this << *s++;
    return *this;
  }
  text& operator<<(std::size_t number) { return padded(number, 0); }
  // Right-aligned in `width` columns.
  text& padded(std::size_t number, std::size_t width) {
    char digits[20];
    std::size_t count = 0;
    do {
      digits[count++] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number != 0);
    for (std::size_t column = count; column < width; ++column) *this << ' ';
    while (count != 0) *this << digits[--count];
    return *this;
  }
  // Left-aligned in `width` columns.
  text& padded(const char* s, std::size_t width) {
    const std::size_t start = length_;
    *this << s;
    while (length_ < start + width) *this << ' ';
    return *this;
  }
  std::size_t length() const { return length_; }

 private:
  char* buffer_;
  std::size_t capacity_;
  std::size_t length_ = 0;
};

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

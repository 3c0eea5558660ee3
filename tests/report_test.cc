#include "alloc/report.h"

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

using namespace umber::alloc;

namespace {

heap_stats sample(std::size_t scale) {
  heap_stats stats;
  stats.live_bytes = 1 * scale;
  stats.live_objects = 2 * scale;
  stats.released_bytes = 3 * scale;
  stats.scavenger_cpu_ns = 4 * scale;
  std::size_t size = 0;
  for (class_stats& c : stats.classes) {
    c = {size, scale, 6 * scale, 7 * scale};
    size += 48;
  }
  return stats;
}

using writer = std::size_t (*)(const heap_stats&, char*, std::size_t);
std::string text_of(writer write, const heap_stats& stats) {
  std::vector<char> buffer(report_capacity);
  const std::size_t length = write(stats, buffer.data(), buffer.size());
  return std::string(buffer.data(), length);
}

}  // namespace

TEST_CASE("report: the length is that of the whole text, whatever the capacity [report.1]") {
  const heap_stats stats = sample(1000);
  for (const writer write : {write_table, write_json, write_xml}) {
    const std::string whole = text_of(write, stats);
    CHECK(write(stats, nullptr, 0) == whole.size());
    for (const std::size_t capacity :
         {std::size_t{1}, std::size_t{2}, whole.size() / 2, whole.size(), whole.size() + 1}) {
      std::vector<char> buffer(capacity + 8, '#');
      CHECK(write(stats, buffer.data(), capacity) == whole.size());
      CHECK(buffer[capacity] == '#');
      const std::string written(buffer.data());
      CHECK(written.size() == (capacity - 1 < whole.size() ? capacity - 1 : whole.size()));
      CHECK(whole.starts_with(written));
    }
  }
}

TEST_CASE("report: the largest figures fit report_capacity") {
  heap_stats stats = sample(1);
  for (class_stats& c : stats.classes) c = {SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX};
  stats.live_bytes = stats.mapped_bytes = SIZE_MAX;
  for (const writer write : {write_table, write_json, write_xml}) CHECK(write(stats, nullptr, 0) + 1 < report_capacity);
}

TEST_CASE("report: JSON names every figure, and what has no limit is null") {
  const std::string json = text_of(write_json, sample(10));
  CHECK(json.starts_with("{\"live_bytes\":10,\"live_objects\":20,"));
  CHECK(json.find("\"memory_limit\":null") != std::string::npos);
  CHECK(json.find("\"scavenger_cpu_ns\":40") != std::string::npos);
  CHECK(json.find("{\"object_size\":48,\"spans\":10,\"live_objects\":60,\"free_slots\":70}") != std::string::npos);
  CHECK(json.ends_with("}]}"));
}

TEST_CASE("report: classes without spans are left out") {
  heap_stats stats;
  stats.classes[3] = {32, 1, 5, 6};
  CHECK(text_of(write_json, stats)
            .ends_with("\"classes\":[{\"object_size\":32,\"spans\":1,\"live_objects\":5,\"free_slots\":6}]}"));
  const std::string table = text_of(write_table, stats);
  CHECK(table.find("           32           1              5              6\n") != std::string::npos);
}

TEST_CASE("report: XML is what malloc_info prints") {
  const std::string xml = text_of(write_xml, sample(10));
  CHECK(xml.starts_with("<malloc version="));
  CHECK(xml.find("<total type=\"live_bytes\" size=\"10\"/>\n") != std::string::npos);
  CHECK(xml.ends_with("</malloc>\n"));
}

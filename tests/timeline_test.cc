#include "gc/timeline.h"

#include "gc/output.h"
#include "testing.h"

#include <umber/umber.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <thread>

namespace umber::gc {
namespace {

using nlohmann::json;
using testing::run_in_child;

// A name for a file, which is removed.
class file_name {
 public:
  file_name() {
    const int file = mkstemp(name_.data());
    REQUIRE(file >= 0);
    close(file);
  }
  ~file_name() { unlink(name_.c_str()); }
  file_name(const file_name&) = delete;
  file_name& operator=(const file_name&) = delete;
  const std::string& text() const { return name_; }
  std::string contents() const {
    std::ostringstream all;
    all << std::ifstream(name_).rdbuf();
    return all.str();
  }

 private:
  std::string name_ = std::filesystem::temp_directory_path() / "umber-timeline-XXXXXX";
};

struct node {
  umber::field<node> next;
};

// A whole cycle falls into it, so that this thread has answered its handshakes.
void build_lists(umber::heap& heap) {
  const umber::mutator attached(heap);
  const std::uint64_t seen = heap.statistics().cycles;
  do {
    umber::local<node> list;
    for (int i = 0; i < 500'000; ++i) {
      const auto fresh = make<node>();
      if (i % 8 == 0) fresh->next = list;
      if (i % 8 == 0) list = fresh;
    }
  } while (heap.statistics().cycles < seen + 2);
}

// What two threads do in a child, which tells its statistics at its end.
void work_under_trace(const std::string& file) {
  setenv("UMBER_TRACE", ("perfetto:" + file).c_str(), 1);
  umber::heap heap;
  std::thread other([&] { build_lists(heap); });
  build_lists(heap);
  other.join();
  heap.collect();
  const heap_statistics figures = heap.statistics();
  json told = {{"cycles", figures.cycles}};
  for (const stall_histogram& h : figures.stalls) told["stalls"].push_back(h.count);
  std::cerr << told << std::endl;
}

// In microseconds, as viewers calculate with them.
struct span_of_time {
  double begin, end;
};

// As chrome://tracing has it: of two that begin together, the one that stands first in the file holds the other.
bool nest(std::vector<span_of_time> spans) {
  std::stable_sort(spans.begin(), spans.end(),
                   [](const span_of_time& a, const span_of_time& b) { return a.begin < b.begin; });
  std::vector<double> open;
  for (const span_of_time& s : spans) {
    while (!open.empty() && open.back() <= s.begin) open.pop_back();
    if (!open.empty() && s.end > open.back()) return false;
    open.push_back(s.end);
  }
  return true;
}

struct timeline_file {
  std::map<int, std::vector<span_of_time>> spans;  // by thread
  std::map<std::string, std::size_t> names;        // of events, counters and threads
  std::size_t dropped = 0;

  explicit timeline_file(const json& events) {
    for (const json& e : events) {
      if (e["ph"] == "X") spans[e["tid"]].push_back({e["ts"], e["ts"].get<double>() + e["dur"].get<double>()});
      if (e["ph"] == "i") dropped += e["args"]["events"].get<std::size_t>();
      ++names[e["ph"] == "M" ? e["args"]["name"] : e["name"]];
    }
  }
};

TEST_CASE("timeline: every event of every track is in the file and nests [timeline.1]") {
  const file_name file;
  const auto end = run_in_child([&]() -> bool {
    work_under_trace(file.text());
    std::exit(0);
  });
  INFO(end.output);
  REQUIRE(end.succeeded());
  const json told = json::parse(end.output);
  const timeline_file found(json::parse(file.contents()));
  CHECK(found.names.at("cycle") == told["cycles"]);
  CHECK(found.names.at("ask finish") == told["cycles"]);
  for (const char* name :
       {"barrier on", "settle", "scan", "mark", "weak", "finish", "sweep", "ask barrier on", "ask settle", "ask scan",
        "ask flush", "heap 1 live", "heap 1 heap", "heap 1 goal", "umber collector"})
    CHECK(found.names.count(name) == 1);
  CHECK(found.spans.size() >= 3);
  for (const auto& [thread, spans] : found.spans) CHECK(nest(spans));
  std::size_t shown = found.dropped, counted = 0;
  const char* causes[] = {"handshake", "assist", "sweep", "barrier", "wait"};
  for (std::size_t i = 0; i < stall_causes; ++i) {
    const auto at = found.names.find(causes[i]);
    shown += at == found.names.end() ? 0 : at->second;
    counted += told["stalls"][i].get<std::size_t>();
  }
  CHECK(shown - found.names.at("cycle") == counted);  // the collector's phase of sweeping has the name of a stall
}

TEST_CASE("timeline: a process that dies leaves whole events [timeline.2]") {
  const file_name file;
  const auto end = run_in_child([&] {
    work_under_trace(file.text());
    return true;
  });
  INFO(end.output);
  REQUIRE(end.succeeded());
  const std::string text = file.contents();
  CHECK(text.back() == '}');
  const timeline_file found(json::parse(text + "]"));
  CHECK(found.names.at("cycle") == json::parse(end.output)["cycles"]);
}

TEST_CASE("timeline: what finds its ring full is counted, and threads have rings of their own") {
  const file_name file;
  const auto end = run_in_child([&]() -> bool {
    timeline::open(file.text().data(), file.text().size());
    timeline::enter(7);
    for (std::uint64_t i = 0; i < 600; ++i) timeline::span("work", 1000 * i, 1000 * i + 1, "bytes", i);
    timeline::flush();
    timeline::span("late", 1, 2);
    timeline::leave();
    std::thread([] {
      timeline::enter(8);
      timeline::span("other", 3, 2000);
      timeline::leave();
    }).join();
    std::exit(0);
  });
  INFO(end.output);
  REQUIRE(end.succeeded());
  timeline_file found(json::parse(file.contents()));
  CHECK(found.names["work"] == 512);
  CHECK(found.dropped == 88);
  CHECK(found.names["late"] == 1);
  CHECK(found.names["other"] == 1);
  CHECK(found.spans.size() == 2);
  CHECK(file.contents().find("\"name\":\"other\"") != std::string::npos);
  CHECK(file.contents().find("\"ts\":0.0029296875,\"dur\":1.9970703125,\"args\":{\"heap\":8}}") != std::string::npos);
}

TEST_CASE("timeline: a file that cannot be written is one line, and the program goes on [output.1]") {
  const auto run_with = [](const char* file) {
    return run_in_child([&]() -> bool {
      work_under_trace(file);
      std::exit(0);
    });
  };
  const auto absent = run_with("/nowhere/at/all");
  INFO(absent.output);
  CHECK(absent.succeeded());
  CHECK(absent.lines() == 2);
  CHECK(absent.says("umber: UMBER_TRACE: cannot write '/nowhere/at/all': No such file or directory; running without"));
  const auto full = run_with("/dev/full");
  INFO(full.output);
  CHECK(full.succeeded());
  CHECK(full.lines() == 2);
  CHECK(full.says("umber: UMBER_TRACE: no more is written: No space left on device"));
}

TEST_CASE("timeline: %p in its name is the process, and children of a fork keep out of it") {
  const file_name file;
  const auto end = run_in_child([&]() -> bool {
    work_under_trace(file.text() + "%p");
    const std::string name = file.text() + std::to_string(getpid());
    const auto size = std::filesystem::file_size(name);
    const pid_t child = fork();
    if (child == 0) std::exit(0);
    int status = 0;
    waitpid(child, &status, 0);
    const bool good = status == 0 && std::filesystem::file_size(name) == size;
    unlink(name.c_str());
    return good;
  });
  INFO(end.output);
  CHECK(end.succeeded());
}

}  // namespace
}  // namespace umber::gc

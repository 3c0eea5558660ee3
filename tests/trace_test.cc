#include "gc/trace.h"

#include "gc/settings.h"
#include "testing.h"

#include <umber/umber.h>

#include <cstdlib>
#include <regex>

namespace umber::gc {
namespace {

using testing::run_in_child;

// Every heap here lives in a child: the environment is read once in a process, and a child of one that has had a heap
// may have none.
template <class Body>
testing::ending run_with(const char* variable, const char* value, Body body) {
  return run_in_child([&] {
    setenv(variable, value, 1);
    body();
    return true;
  });
}

struct node {
  umber::field<node> next;
};

void collect_twice(heap_options options = {}) {
  umber::heap heap(options);
  const umber::mutator attached(heap);
  const auto kept = make<node>();
  heap.collect();
  kept->next = make<node>();
  heap.collect();
}

TEST_CASE("trace: a line for each cycle, with the fields that its header promises") {
  const auto end = run_with("UMBER_TRACE", "gc", [] { collect_twice(); });
  INFO(end.output);
  CHECK(end.succeeded());
  CHECK(end.lines() == 2);
  const std::string ms = "[0-9]+\\.[0-9]{3}", mib = "[0-9]+\\.[0-9]";
  std::string clock = ms;
  for (int i = 1; i < 7; ++i) clock += "\\+" + ms;
  const std::regex line("umber: gc 1 @" + ms + "s [0-9]+%: " + clock + " ms clock, " + mib + "\\+" + mib + "\\+" + mib +
                        " ms cpu, " + mib + "->" + mib + "->" + mib + " MiB, (" + mib +
                        "|none) MiB goal, 1 mutators, [0-9]+ processors, " + ms + " ms handshake, " + mib + "\\+" +
                        mib + "\\+" + mib + " ms mutators");
  CHECK(std::regex_match(end.output.substr(0, end.output.find('\n')), line));
  CHECK(end.says("\number: gc 2 @"));
}

TEST_CASE("trace: the pacer's line comes when it is asked for") {
  const auto end = run_with("UMBER_TRACE", "gc,pacer", [] { collect_twice(); });
  INFO(end.output);
  CHECK(end.lines() == 4);
  CHECK(end.says("umber: pacer 1: trigger "));
  CHECK(end.says(" expected, "));
  CHECK(run_with("UMBER_TRACE", "", [] { collect_twice(); }).output.empty());
}

TEST_CASE("settings: what is not understood is said in one line, and ignored") {
  const auto end = run_in_child([] {
    settings s;
    parse_settings("often", "marks,mark", "gc,,pace", s);
    return s.percent == 100 && s.check_marks && !s.check_barriers && s.trace_cycles && !s.trace_pacer;
  });
  INFO(end.output);
  CHECK(end.succeeded());
  CHECK(end.lines() == 3);
  CHECK(end.says("umber: UMBER_GC: not understood: 'often'; valid: off, or the percentage"));
  CHECK(end.says("umber: UMBER_GC_CHECK: not understood: 'marks,mark'; valid: marks, barriers, handles"));
  CHECK(end.says("umber: UMBER_TRACE: not understood: 'gc,,pace'; valid: gc, pacer, perfetto:FILE,"));
}

TEST_CASE("settings: the environment is the default, and what the program chooses wins") {
  settings s;
  parse_settings("off", nullptr, nullptr, s);
  CHECK(s.percent == heap_options::off);
  parse_settings("250", "", "", s);
  CHECK(s.percent == 250);
  const auto read = [](const char* variable, const char* value, auto test) {
    return run_in_child([&] {
      setenv(variable, value, 1);
      return test();
    });
  };
  CHECK(read("UMBER_GC", "50", [] {
          heap_options chosen;
          chosen.percent = 300;
          return with_environment({}).percent == 50 && with_environment(chosen).percent == 300;
        }).succeeded());
  CHECK(read("UMBER_GC", "off", [] {
          umber::heap heap;
          return heap.statistics().goal_bytes == SIZE_MAX;
        }).succeeded());
  CHECK(read("UMBER_GC_CHECK", "marks", [] { return with_environment({}).check_marks; }).succeeded());
  CHECK(with_environment({}).limit != heap_options::by_environment);
}

}  // namespace
}  // namespace umber::gc

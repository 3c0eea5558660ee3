#include "gc/trace.h"

#include "gc/settings.h"
#include "testing.h"

#include <umber/umber.h>

#include <chrono>
#include <cstdlib>
#include <regex>
#include <thread>

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

TEST_CASE("settings: each option of a heap has its word in UMBER_GC") {
  settings s;
  parse_settings(
      "75,minimum=64MiB,,limit=1GiB,hard_limit=2g,workers=3,kind=insertion,attach_threads=on,idle_ms=500,"
      "watchdog_ms=off,torture=7,",
      nullptr, nullptr, s);
  CHECK(s.percent == 75);
  CHECK(s.minimum == 64 * mib);
  CHECK(s.limit == gib);
  CHECK(s.hard_limit == 2 * gib);
  CHECK(s.workers == 3);
  CHECK(s.kind == umber::barrier::insertion);
  CHECK(s.attach_threads);
  CHECK(s.idle_ms == 500);
  CHECK(s.watchdog_ms == heap_options::off);
  CHECK(s.torture == 7);
  parse_settings("percent=off,limit=off,hard_limit=off,idle_ms=off,attach_threads=off,workers=100%,torture=0", nullptr,
                 nullptr, s);
  CHECK(s.percent == heap_options::off);
  CHECK(s.limit == heap_options::off);
  CHECK(s.hard_limit == heap_options::off);
  CHECK(s.idle_ms == heap_options::off);
  CHECK_FALSE(s.attach_threads);
  CHECK(s.workers == os::processor_count());
  CHECK(s.torture == 0);
  parse_settings("workers=1%,kind=stop_the_world", nullptr, nullptr, s);
  CHECK(s.workers >= 1);
  CHECK(s.kind == umber::barrier::stop_the_world);
}

TEST_CASE("settings: a bad value is named with its variable and what is allowed, and what was said before stays") {
  const auto end = run_in_child([] {
    settings s;
    parse_settings(
        "minimum=64MiB,minimum=much,limit=-1,hard_limit=,workers=0,workers=101%,workers=2000,kind=quick,"
        "attach_threads=yes,idle_ms=0,watchdog_ms=1e3,torture=x,percent=,speed=9,kind",
        nullptr, nullptr, s);
    return s.minimum == 64 * mib && s.limit == heap_options::off && s.workers == 0 && s.idle_ms == 120'000 &&
           s.kind == umber::barrier::hybrid && s.watchdog_ms == 100 && s.percent == 100;
  });
  INFO(end.output);
  CHECK(end.succeeded());
  CHECK(end.lines() == 14);
  for (const char* line :
       {"umber: UMBER_GC: not understood: 'minimum=much'; valid: minimum=SIZE, such as 64MiB\n",
        "'limit=-1'; valid: limit=SIZE, such as 512MiB, or limit=off\n", "'hard_limit='; valid: hard_limit=SIZE",
        "'workers=0'; valid: workers=N threads up to 1024, or workers=P% of the processors\n",
        "'workers=101%'; valid: ", "'workers=2000'; valid: ",
        "'kind=quick'; valid: kind=hybrid|deletion|insertion|stop_the_world\n",
        "'attach_threads=yes'; valid: attach_threads=on|off\n",
        "'idle_ms=0'; valid: idle_ms=N above 0, or idle_ms=off\n", "'watchdog_ms=1e3'; valid: watchdog_ms=N",
        "'torture=x'; valid: torture=N", "'percent='; valid: percent=off", "'speed=9'; valid: off, or the percentage",
        "'kind'; valid: kind=hybrid|"})
    CHECK(end.says(line));
}

TEST_CASE("settings: a heap does what the environment says where its program has not chosen") {
  const auto in_environment = [](const char* said, auto test) {
    return run_with("UMBER_GC", said, [&] {
      if (!test()) std::abort();
    });
  };
  CHECK(in_environment("minimum=8MiB,hard_limit=9MiB,limit=7MiB,kind=deletion,workers=2,idle_ms=5,watchdog_ms=6", [] {
          const heap_options all = with_environment({});
          const heap_options own = with_environment({.minimum = 1,
                                                     .limit = 2,
                                                     .hard_limit = 3,
                                                     .workers = 4,
                                                     .idle_ms = 5,
                                                     .kind = umber::barrier::hybrid,
                                                     .watchdog_ms = 6});
          return all.minimum == 8 * mib && all.hard_limit == 9 * mib && all.limit == 7 * mib && all.workers == 2 &&
                 all.kind == umber::barrier::deletion && all.idle_ms == 5 && all.watchdog_ms == 6 && own.minimum == 1 &&
                 own.limit == 2 && own.hard_limit == 3 && own.workers == 4 && own.kind == umber::barrier::hybrid;
        }).succeeded());
  CHECK(in_environment("off,hard_limit=1MiB", [] {
          umber::heap heap;
          const umber::mutator attached(heap);
          try {
            const auto kept = make_array<field<node>>(1 << 20);
          } catch (const std::bad_alloc&) {
            return true;
          }
          return false;
        }).succeeded());
  CHECK(in_environment("attach_threads=on", [] {
          umber::heap first, second;  // the second goes without
          bool worked = false;
          std::thread([&] { worked = make<node>() != nullptr; }).join();
          return worked && first.statistics().total_allocated_objects != 0;
        }).succeeded());
}

TEST_CASE("settings: an idle heap is collected when the environment says so") {
  const auto end = run_with("UMBER_GC", "off,idle_ms=20", [] {
    umber::heap heap({.percent = 100});
    const umber::mutator attached(heap);
    const auto made = make_array<node>(10'000);
    const blocking waits;
    for (int tenths = 0; tenths < 300 && heap.statistics().cycles < 2; ++tenths)
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    if (heap.statistics().cycles < 2) std::abort();
  });
  INFO(end.output);
  CHECK(end.succeeded());
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

#include "settings.h"

#include "alloc/check.h"
#include "alloc/options.h"
#include "alloc/os.h"
#include "alloc/startup.h"
#include "alloc/sync.h"

#include <cstdlib>
#include <cstring>
#include <string_view>

namespace umber::gc {

namespace {

constinit mutex<rank::managed_types> lock;
constinit settings in_force;
constinit std::atomic<bool> is_read{false};

using std::string_view;

void complain(const char* variable, string_view value, const char* valid) {
  message line;
  line << "umber: " << variable << ": not understood:";
  append_quoted(line, value);
  line << "; valid: " << valid;
  line.print();
}

bool parse_up_to(std::size_t most, string_view text, std::size_t& into) {
  std::size_t number = 0;
  if (!parse_number(text, number) || number > most) return false;
  into = number;
  return true;
}

bool parse_number_or_off(string_view text, std::size_t least, std::size_t most, std::size_t& into) {
  std::size_t number = heap_options::off;
  if (text != "off" && (!parse_up_to(most, text, number) || number < least)) return false;
  into = number;
  return true;
}

bool parse_size_or_off(string_view text, std::size_t& into) {
  if (text != "off") return parse_size(text.data(), text.size(), into);
  into = heap_options::off;
  return true;
}

constexpr std::size_t most_percent = 10'000'000, most_ms = 1'000'000'000;
constexpr unsigned most_workers = 1024, most_torture = 1'000'000'000;

bool set_percent(string_view value, settings& into) {
  return parse_number_or_off(value, 0, most_percent, into.percent);
}
bool set_minimum(string_view value, settings& into) { return parse_size(value.data(), value.size(), into.minimum); }
bool set_limit(string_view value, settings& into) { return parse_size_or_off(value, into.limit); }
bool set_hard_limit(string_view value, settings& into) { return parse_size_or_off(value, into.hard_limit); }
bool set_idle(string_view value, settings& into) { return parse_number_or_off(value, 1, most_ms, into.idle_ms); }
bool set_watchdog(string_view value, settings& into) {
  return parse_number_or_off(value, 1, most_ms, into.watchdog_ms);
}

// Threads, or a part of the processors.
bool set_workers(string_view value, settings& into) {
  const bool is_part = !value.empty() && value.back() == '%';
  if (is_part) value.remove_suffix(1);
  std::size_t number = 0;
  if (!parse_up_to(is_part ? 100 : most_workers, value, number) || number == 0) return false;
  if (is_part) number = os::processor_count() * number / 100;
  into.workers = number == 0 ? 1 : static_cast<unsigned>(number);
  return true;
}

bool set_torture(string_view value, settings& into) {
  std::size_t number = 0;
  if (!parse_up_to(most_torture, value, number)) return false;
  into.torture = static_cast<unsigned>(number);
  return true;
}

bool set_attach(string_view value, settings& into) {
  into.attach_threads = value == "on";
  return into.attach_threads || value == "off";
}

bool set_kind(string_view value, settings& into) {
  constexpr string_view kinds[] = {"hybrid", "deletion", "insertion", "stop_the_world"};  // as in the enum
  for (std::size_t i = 0; i < sizeof kinds / sizeof kinds[0]; ++i) {
    if (kinds[i] != value) continue;
    into.kind = static_cast<umber::barrier>(i);
    return true;
  }
  return false;
}

struct known_option {
  string_view key;
  bool (*set)(string_view value, settings& into);
  const char* valid;
};
constexpr known_option options_known[] = {
    {"percent", set_percent, "percent=off, or percent=N by which the heap grows between collections"},
    {"minimum", set_minimum, "minimum=SIZE, such as 64MiB"},
    {"limit", set_limit, "limit=SIZE, such as 512MiB, or limit=off"},
    {"hard_limit", set_hard_limit, "hard_limit=SIZE, such as 512MiB, or hard_limit=off"},
    {"workers", set_workers, "workers=N threads up to 1024, or workers=P% of the processors"},
    {"kind", set_kind, "kind=hybrid|deletion|insertion|stop_the_world"},
    {"attach_threads", set_attach, "attach_threads=on|off"},
    {"idle_ms", set_idle, "idle_ms=N above 0, or idle_ms=off"},
    {"watchdog_ms", set_watchdog, "watchdog_ms=N above 0, or watchdog_ms=off"},
    {"torture", set_torture, "torture=N: every N-th allocation collects"},
};

// One of UMBER_GC: key=value, or a value of percent.
void parse_option(string_view entry, settings& into) {
  string_view key = entry;
  const string_view value = split_off(key, '=');
  if (key.size() == entry.size() && set_percent(entry, into)) return;
  for (const known_option& known : options_known) {
    if (known.key != key) continue;
    if (key.size() == entry.size() || !known.set(value, into)) complain("UMBER_GC", entry, known.valid);
    return;
  }
  complain("UMBER_GC", entry,
           "off, or the percentage by which the heap grows between collections; minimum=, limit=, hard_limit=, "
           "workers=, kind=, attach_threads=, idle_ms=, watchdog_ms=, torture=, with commas between them");
}

void parse_list(string_view rest, settings& into) {
  while (!rest.empty()) {
    string_view entry = rest;
    rest = split_off(entry, ',');
    if (!entry.empty()) parse_option(entry, into);
  }
}

struct word {
  const char* name;
  bool settings::*flag;
};

// A list of words, each of which sets its flag, or is known to `also`; false if one is not known.
template <std::size_t Count>
bool parse_words(const char* text, const word (&words)[Count], settings& into,
                 bool (*also)(const char* word, std::size_t length, settings& into) = nullptr) {
  bool understood = true;
  while (*text != '\0') {
    const std::size_t length = std::strcspn(text, ",");
    bool known = length == 0;
    for (const word& w : words) {
      if (std::strlen(w.name) != length || std::strncmp(w.name, text, length) != 0) continue;
      into.*w.flag = known = true;
    }
    if (!known && also != nullptr) known = also(text, length, into);
    understood = understood && known;
    text += text[length] == ',' ? length + 1 : length;
  }
  return understood;
}

constexpr word checks_known[] = {
    {"marks", &settings::check_marks}, {"barriers", &settings::check_barriers}, {"handles", &settings::track_handles}};
constexpr word traces_known[] = {{"gc", &settings::trace_cycles}, {"pacer", &settings::trace_pacer}};

bool parse_timeline(const char* word, std::size_t length, settings& into) {
  constexpr char start[] = "perfetto:";
  constexpr std::size_t start_length = sizeof start - 1;
  if (length <= start_length || std::strncmp(word, start, start_length) != 0) return false;
  into.timeline = word + start_length;
  into.timeline_length = length - start_length;
  return true;
}

void read_environment() {
  start_up();
  in_force.limit = current_options().memory_limit;
  if (in_force.limit == SIZE_MAX) in_force.limit = os::cgroup_memory_limit();
  parse_settings(std::getenv("UMBER_GC"), std::getenv("UMBER_GC_CHECK"), std::getenv("UMBER_TRACE"), in_force);
}

}  // namespace

const settings& current_settings() {
  if (is_read.load(std::memory_order_acquire)) return in_force;  // pairs with the release below
  const lock_guard guard(lock);
  if (!is_read.load(std::memory_order_relaxed)) read_environment();  // relaxed: locked
  is_read.store(true, std::memory_order_release);                    // pairs with the acquire above
  return in_force;
}

void parse_settings(const char* gc, const char* checks, const char* trace, settings& into) {
  if (gc != nullptr) parse_list(gc, into);
  if (checks != nullptr && !parse_words(checks, checks_known, into))
    complain("UMBER_GC_CHECK", checks, "marks, barriers, handles, with commas between them");
  if (trace != nullptr && !parse_words(trace, traces_known, into, parse_timeline))
    complain("UMBER_TRACE", trace, "gc, pacer, perfetto:FILE, with commas between them");
}

heap_options with_environment(const heap_options& chosen) {
  const settings& environment = current_settings();
  heap_options result = chosen;
  const auto fill_in = [](std::size_t& option, std::size_t otherwise) {
    if (option == heap_options::by_environment) option = otherwise;
  };
  fill_in(result.percent, environment.percent);
  fill_in(result.minimum, environment.minimum);
  fill_in(result.limit, environment.limit);
  fill_in(result.hard_limit, environment.hard_limit);
  fill_in(result.idle_ms, environment.idle_ms);
  fill_in(result.watchdog_ms, environment.watchdog_ms);
  if (chosen.workers == 0) result.workers = environment.workers;
  if (chosen.kind == umber::barrier::by_environment) result.kind = environment.kind;
  if (chosen.torture == 0) result.torture = environment.torture;
  result.check_marks |= environment.check_marks;
  result.check_barriers |= environment.check_barriers;
  result.track_handles |= environment.track_handles;
  return result;
}

}  // namespace umber::gc

#include "settings.h"

#include "alloc/check.h"
#include "alloc/options.h"
#include "alloc/os.h"
#include "alloc/startup.h"
#include "alloc/sync.h"

#include <cstdlib>
#include <cstring>

namespace umber::gc {

namespace {

constinit mutex<rank::managed_types> lock;
constinit settings in_force;
constinit std::atomic<bool> is_read{false};

void complain(const char* variable, const char* value, const char* valid) {
  message line;
  line << "umber: " << variable << ": not understood: '" << value << "'; valid: " << valid;
  line.print();
}

bool parse_percent(const char* text, std::size_t& into) {
  if (std::strcmp(text, "off") == 0) {
    into = heap_options::off;
    return true;
  }
  std::size_t number = 0;
  const char* digit = text;
  for (; *digit >= '0' && *digit <= '9' && number < 1'000'000; ++digit)
    number = number * 10 + static_cast<std::size_t>(*digit - '0');
  if (digit == text || *digit != '\0') return false;
  into = number;
  return true;
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
  if (gc != nullptr && *gc != '\0' && !parse_percent(gc, into.percent))
    complain("UMBER_GC", gc, "off, or the percentage by which the heap grows between collections");
  if (checks != nullptr && !parse_words(checks, checks_known, into))
    complain("UMBER_GC_CHECK", checks, "marks, barriers, handles, with commas between them");
  if (trace != nullptr && !parse_words(trace, traces_known, into, parse_timeline))
    complain("UMBER_TRACE", trace, "gc, pacer, perfetto:FILE, with commas between them");
}

heap_options with_environment(const heap_options& chosen) {
  const settings& environment = current_settings();
  heap_options result = chosen;
  if (chosen.percent == heap_options::by_environment) result.percent = environment.percent;
  if (chosen.limit == heap_options::by_environment) result.limit = environment.limit;
  result.check_marks |= environment.check_marks;
  result.check_barriers |= environment.check_barriers;
  result.track_handles |= environment.track_handles;
  return result;
}

}  // namespace umber::gc

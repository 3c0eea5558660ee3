#include "options.h"

#include <unistd.h>

namespace umber::alloc {

namespace {

using std::string_view;

constinit options in_force;
constinit bool environment_read = false;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Powers of 1024 named by a suffix that has lost its "b" and "ib": "" 0, "k" 1, ... "t" 4; -1 for none of them.
int suffix_power(string_view suffix) {
  if (suffix.size() > 1 && lower(suffix.back()) == 'b') {
    suffix.remove_suffix(1);
    if (suffix.size() > 1 && lower(suffix.back()) == 'i') suffix.remove_suffix(1);
  }
  if (suffix.empty()) return 0;
  if (suffix.size() > 1) return -1;
  constexpr string_view letters = "bkmgt";
  for (std::size_t power = 0; power < letters.size(); ++power)
    if (letters[power] == lower(suffix[0])) return static_cast<int>(power);
  return -1;
}

bool set_stats(string_view value, options& into) {
  if (value == "exit") return into.stats = stats_at_exit::text, true;
  if (value == "json") return into.stats = stats_at_exit::json, true;
  return false;
}

bool set_decay(string_view value, options& into) {
  if (value == "-1") return into.decay_ms = -1, true;
  std::size_t milliseconds = 0;
  if (!parse_number(value, milliseconds) || milliseconds > INT32_MAX) return false;
  into.decay_ms = static_cast<std::int64_t>(milliseconds);
  return true;
}

bool set_thp(string_view value, options& into) {
  if (value == "system") return into.thp = thp_policy::system, true;
  if (value == "never") return into.thp = thp_policy::never, true;
  if (value == "dense") return into.thp = thp_policy::dense, true;
  if (value == "always") return into.thp = thp_policy::always, true;
  return false;
}

bool set_limit(string_view value, options& into) { return parse_size(value.data(), value.size(), into.memory_limit); }

bool set_scavenger(string_view value, options& into) {
  if (value == "on") return into.scavenger = true, true;
  if (value == "off") return into.scavenger = false, true;
  return false;
}

struct known_option {
  string_view key;
  bool (*set)(string_view value, options& into);
};
constexpr known_option known_options[] = {{"stats", set_stats},
                                          {"decay_ms", set_decay},
                                          {"thp", set_thp},
                                          {"limit", set_limit},
                                          {"scavenger", set_scavenger}};
bool apply(string_view entry, options& into) {
  const string_view value = split_off(entry, '=');
  for (const known_option& known : known_options)
    if (known.key == entry) return known.set(value, into);
  return false;
}

string_view value_of(char** environment, string_view name) {
  for (; *environment != nullptr; ++environment) {
    string_view entry(*environment);
    const string_view value = split_off(entry, '=');
    if (entry == name) return value;
  }
  return {};
}

}  // namespace

string_view split_off(string_view& text, char separator) {
  std::size_t at = 0;
  while (at < text.size() && text[at] != separator) ++at;
  const std::size_t after = at < text.size() ? at + 1 : at;
  const string_view rest(text.data() + after, text.size() - after);
  text = string_view(text.data(), at);
  return rest;
}

bool parse_number(string_view text, std::size_t& number) {
  if (text.empty()) return false;
  std::size_t value = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '9') return false;
    if (__builtin_mul_overflow(value, std::size_t{10}, &value)) return false;
    if (__builtin_add_overflow(value, static_cast<std::size_t>(digit - '0'), &value)) return false;
  }
  number = value;
  return true;
}

void append_quoted(message& line, string_view text) {
  char copy[64];
  std::size_t length = 0;
  for (const char c : text)
    if (length < sizeof copy - 1) copy[length++] = c;
  copy[length] = '\0';
  line << " '" << copy << "'";
}

const options& current_options() { return in_force; }

void read_options(char** environment) {
  if (environment == nullptr) environment = environ;
  if (environment_read || environment == nullptr) return;
  environment_read = true;
  const string_view limit = value_of(environment, "UMBER_MEMORY_LIMIT");
  if (!limit.empty() && !parse_size(limit.data(), limit.size(), in_force.memory_limit)) {
    message line;
    line << "umber: UMBER_MEMORY_LIMIT: not a size:";
    append_quoted(line, limit);
    line << "; valid: bytes, or a number with KiB, MiB, GiB or TiB";
    line.print();
  }
  const string_view text = value_of(environment, "UMBER_OPTIONS");
  if (!text.empty()) parse_options(text.data(), in_force);
  const string_view profile = value_of(environment, "UMBER_PROFILE");
  if (!profile.empty()) parse_profile(profile.data(), in_force);
}

void parse_options(const char* text, options& into) {
  message line;
  line << "umber: UMBER_OPTIONS: valid are stats=exit|json, decay_ms=N (-1: never), thp=system|never|dense|always, "
          "limit=SIZE, "
          "scavenger=on|off; not understood:";
  bool all_understood = true;
  for (string_view rest(text); !rest.empty();) {
    string_view entry = rest;
    rest = split_off(entry, ',');
    if (entry.empty() || apply(entry, into)) continue;
    all_understood = false;
    append_quoted(line, entry);
  }
  if (!all_understood) line.print();
}

void parse_profile(const char* text, options& into) {
  string_view file(text);
  string_view value = split_off(file, ',');
  string_view key = value;
  value = split_off(key, '=');
  std::size_t every = into.profile_every;
  const bool has_every = key == "every" && parse_size(value.data(), value.size(), every) && every != 0;
  if (!file.empty() && (has_every || key.empty())) {
    into.profile = text;
    into.profile_length = file.size();
    into.profile_every = every;
    return;
  }
  message line;
  line << "umber: UMBER_PROFILE: not understood:";
  append_quoted(line, text);
  line << "; valid: FILE, or FILE,every=SIZE with the bytes between samples; running without it";
  line.print();
}

bool parse_size(const char* text, std::size_t length, std::size_t& bytes) {
  std::size_t digits = 0;
  while (digits < length && text[digits] >= '0' && text[digits] <= '9') ++digits;
  const int power = suffix_power(string_view(text + digits, length - digits));
  std::size_t number = 0;
  if (power < 0 || !parse_number(string_view(text, digits), number)) return false;
  if (__builtin_mul_overflow(number, std::size_t{1} << (10 * power), &number)) return false;
  bytes = number;
  return true;
}

}  // namespace umber::alloc

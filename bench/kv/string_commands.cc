// Commands on strings, and on what is a number in a string.
#include <cstring>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "command.h"
#include "expire_options.h"
#include "numbers.h"
#include "words.h"

namespace kv {

namespace {

using text = umber::local<umber::string>;
constexpr std::size_t longest_text = 512 << 20;

void put(call& c, std::string_view key, std::string_view value) { c.keys.put(key, umber::make_string(value)); }

// The value is replaced, and the time at which the key ends is kept.
void replace(call& c, std::string_view key, const text& value) {
  entry* const e = c.keys.find(key, c.now);
  if (e == nullptr)
    c.keys.put(key, value);
  else
    e->assign(value.get());
}

void reply_text(call& c, const umber::string* value) {
  if (value == nullptr)
    c.out.null();
  else
    c.out.bulk(value->view());
}

void get(call& c) {
  text value;
  if (c.find(c.word(1), value)) reply_text(c, value);
}

struct set_options {
  bool only_new = false, only_old = false, keep_time = false, get = false;
  std::optional<expire_option> expire;
};

// Replies what is wrong when it returns false.
bool parse_set_options(call& c, set_options& chosen) {
  for (std::size_t i = 3; i < c.size(); ++i) {
    const std::string_view word = c.word(i);
    const auto unit = parse_expire_unit(word);
    if (same_word(word, "nx") && !chosen.only_old) {
      chosen.only_new = true;
    } else if (same_word(word, "xx") && !chosen.only_new) {
      chosen.only_old = true;
    } else if (same_word(word, "get")) {
      chosen.get = true;
    } else if (same_word(word, "keepttl") && !chosen.expire) {
      chosen.keep_time = true;
    } else if (unit && !chosen.expire && !chosen.keep_time && i + 1 < c.size()) {
      chosen.expire = expire_option{*unit, c.word(++i)};
    } else {
      c.syntax_error();
      return false;
    }
  }
  return true;
}

void put_with(call& c, const set_options& chosen, std::int64_t ends_at) {
  const text value = umber::make_string(c.word(2));
  if (chosen.keep_time)
    replace(c, c.word(1), value);
  else
    c.keys.put(c.word(1), value);
  if (chosen.expire) c.keys.set_expiry(c.keys.find(c.word(1), 0), ends_at);
}

void set(call& c) {
  set_options chosen;
  if (!parse_set_options(c, chosen)) return;
  std::int64_t ends_at = 0;
  if (chosen.expire && !read_expire(c, *chosen.expire, "set", ends_at)) return;
  text old;
  if (chosen.get) {
    if (!c.find(c.word(1), old)) return;
    reply_text(c, old);
  }
  if (chosen.only_new || chosen.only_old) {
    const bool exists = c.keys.find(c.word(1), c.now) != nullptr;
    if (exists ? chosen.only_new : chosen.only_old) {
      if (!chosen.get) c.out.null();
      return;
    }
  }
  put_with(c, chosen, ends_at);
  if (!chosen.get) c.out.ok();
}

template <expire_unit Unit>
void set_for(call& c) {
  std::int64_t ends_at = 0;
  if (!read_expire(c, {Unit, c.word(2)}, Unit == expire_unit::seconds ? "setex" : "psetex", ends_at)) return;
  put(c, c.word(1), c.word(3));
  c.keys.set_expiry(c.keys.find(c.word(1), 0), ends_at);
  c.out.ok();
}

void set_new(call& c) {
  const bool exists = c.keys.find(c.word(1), c.now) != nullptr;
  if (!exists) put(c, c.word(1), c.word(2));
  c.out.number(exists ? 0 : 1);
}

void get_and_set(call& c) {
  text old;
  if (!c.find(c.word(1), old)) return;
  put(c, c.word(1), c.word(2));
  reply_text(c, old);
}

void get_and_delete(call& c) {
  text old;
  if (!c.find(c.word(1), old)) return;
  reply_text(c, old);
  if (old != nullptr) c.erase(c.word(1));
}

void get_many(call& c) {
  c.out.array(c.size() - 1);
  for (const std::string_view key : c.words.subspan(1)) {
    const entry* const e = c.keys.find(key, c.now);
    reply_text(c, e == nullptr ? nullptr : e->as<umber::string>());
  }
}

void set_many(call& c) {
  if (c.size() % 2 == 0) return c.wrong_number_of_words("mset");
  for (std::size_t i = 1; i < c.size(); i += 2) put(c, c.word(i), c.word(i + 1));
  c.out.ok();
}

void length(call& c) {
  text value;
  if (c.find(c.word(1), value)) c.out.number(value == nullptr ? 0 : static_cast<std::int64_t>(value->size()));
}

void append(call& c) {
  text old;
  if (!c.find(c.word(1), old)) return;
  const std::size_t before = old == nullptr ? 0 : old->size();
  if (before + c.word(2).size() > longest_text)
    return c.out.error("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
  const text value = old == nullptr ? umber::make_string(c.word(2)) : umber::concat(old, c.word(2));
  replace(c, c.word(1), value);
  c.out.number(static_cast<std::int64_t>(value->size()));
}

void get_range(call& c) {
  std::int64_t first = 0, last = 0;
  text value;
  if (!c.integer(c.word(2), first) || !c.integer(c.word(3), last) || !c.find(c.word(1), value)) return;
  const std::int64_t size = value == nullptr ? 0 : static_cast<std::int64_t>(value->size());
  if (first < 0 && last < 0 && first > last) return c.out.bulk("");
  if (first < 0) first = std::max<std::int64_t>(first + size, 0);
  if (last < 0) last = std::max<std::int64_t>(last + size, 0);
  last = std::min(last, size - 1);
  if (first > last || size == 0) return c.out.bulk("");
  c.out.bulk(value->view().substr(static_cast<std::size_t>(first), static_cast<std::size_t>(last - first + 1)));
}

void add_to(call& c, std::int64_t by) {
  text old;
  std::int64_t number = 0;
  if (!c.find(c.word(1), old) || (old != nullptr && !c.integer(old->view(), number))) return;
  if (__builtin_add_overflow(number, by, &number)) return c.out.error("ERR increment or decrement would overflow");
  replace(c, c.word(1), umber::make_string(digits(number).text()));
  c.out.number(number);
}

void increment(call& c) { add_to(c, 1); }
void decrement(call& c) { add_to(c, -1); }
void increment_by(call& c) {
  std::int64_t by = 0;
  if (c.integer(c.word(2), by)) add_to(c, by);
}
void decrement_by(call& c) {
  std::int64_t by = 0;
  if (!c.integer(c.word(2), by)) return;
  if (by == std::numeric_limits<std::int64_t>::min()) return c.out.error("ERR decrement would overflow");
  add_to(c, -by);
}

}  // namespace

std::span<const command> string_commands() {
  constexpr unsigned grows = command::writes | command::grows;
  static constexpr command table[] = {
      {"get", 2, 0, 1, 1, 1, get},
      {"set", -3, grows, 1, 1, 1, set},
      {"setnx", 3, grows, 1, 1, 1, set_new},
      {"setex", 4, grows, 1, 1, 1, set_for<expire_unit::seconds>},
      {"psetex", 4, grows, 1, 1, 1, set_for<expire_unit::milliseconds>},
      {"getset", 3, grows, 1, 1, 1, get_and_set},
      {"getdel", 2, command::writes, 1, 1, 1, get_and_delete},
      {"mget", -2, 0, 1, -1, 1, get_many},
      {"mset", -3, grows, 1, -1, 2, set_many},
      {"strlen", 2, 0, 1, 1, 1, length},
      {"append", 3, grows, 1, 1, 1, append},
      {"getrange", 4, 0, 1, 1, 1, get_range},
      {"incr", 2, grows, 1, 1, 1, increment},
      {"decr", 2, grows, 1, 1, 1, decrement},
      {"incrby", 3, grows, 1, 1, 1, increment_by},
      {"decrby", 3, grows, 1, 1, 1, decrement_by},
  };
  return table;
}

}  // namespace kv

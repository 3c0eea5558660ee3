// Commands on keys, of whatever kind their values are.
#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "command.h"
#include "expire_options.h"
#include "glob.h"
#include "numbers.h"
#include "words.h"

namespace kv {

namespace {

std::string_view name_of(kind k) {
  constexpr std::string_view names[] = {"string", "list", "set", "hash", "zset"};
  return names[static_cast<std::size_t>(k)];
}

void remove(call& c) {
  std::int64_t removed = 0;
  for (const std::string_view key : c.words.subspan(1)) {
    entry* const e = c.keys.find(key, c.now);
    if (e == nullptr) continue;
    c.keys.erase(e);
    ++removed;
  }
  c.out.number(removed);
}

void exists(call& c) {
  c.out.number(std::count_if(c.words.begin() + 1, c.words.end(),
                             [&](std::string_view key) { return c.keys.find(key, c.now) != nullptr; }));
}

void type(call& c) {
  const entry* const e = c.keys.find(c.word(1), c.now);
  c.out.simple(e == nullptr ? "none" : name_of(e->what));
}

struct expire_conditions {
  bool none = false, some = false, later = false, sooner = false;

  // An end that is not there is later than all others.
  [[nodiscard]] bool allow(std::int64_t current, std::int64_t at) const noexcept {
    if (none && current != 0) return false;
    if (some && current == 0) return false;
    if (later && (current == 0 || at <= current)) return false;
    return !sooner || current == 0 || at < current;
  }
};

bool parse_conditions(call& c, expire_conditions& chosen) {
  for (const std::string_view word : c.words.subspan(3)) {
    if (same_word(word, "nx")) {
      chosen.none = true;
    } else if (same_word(word, "xx")) {
      chosen.some = true;
    } else if (same_word(word, "gt")) {
      chosen.later = true;
    } else if (same_word(word, "lt")) {
      chosen.sooner = true;
    } else {
      c.out.error(fmt::format("ERR Unsupported option {}", word));
      return false;
    }
  }
  if (chosen.none && (chosen.some || chosen.later || chosen.sooner)) {
    c.out.error("ERR NX and XX, GT or LT options at the same time are not compatible");
    return false;
  }
  if (chosen.later && chosen.sooner) c.out.error("ERR GT and LT options at the same time are not compatible");
  return !chosen.later || !chosen.sooner;
}

template <expire_unit Unit>
void expire(call& c) {
  constexpr std::string_view names[] = {"expire", "pexpire", "expireat", "pexpireat"};
  expire_conditions chosen;
  std::int64_t number = 0;
  if (!parse_conditions(c, chosen) || !c.integer(c.word(2), number)) return;
  const auto at = expires_at(number, Unit, c.now);
  if (!at) return invalid_expire(c, names[static_cast<std::size_t>(Unit)]);
  const umber::local<entry> e(c.keys.find(c.word(1), c.now));
  if (e == nullptr || !chosen.allow(e->expires_at, *at)) return c.out.number(0);
  if (*at <= c.now)
    c.keys.erase(e);
  else
    c.keys.set_expiry(e, *at);
  c.out.number(1);
}

template <int Unit>
void time_left(call& c) {
  const entry* const e = c.keys.find(c.word(1), c.now);
  if (e == nullptr) return c.out.number(-2);
  if (e->expires_at == 0) return c.out.number(-1);
  c.out.number((std::max<std::int64_t>(e->expires_at - c.now, 0) + Unit / 2) / Unit);
}

void persist(call& c) {
  const umber::local<entry> e(c.keys.find(c.word(1), c.now));
  const bool ended = e != nullptr && e->expires_at != 0;
  if (ended) c.keys.set_expiry(e, 0);
  c.out.number(ended ? 1 : 0);
}

bool is_past(const entry& e, std::int64_t now) { return e.expires_at != 0 && e.expires_at < now; }

void list_keys(call& c) {
  const std::string_view pattern = c.word(1);
  std::vector<std::string> found;
  for (unsigned shard = 0; shard < keyspace::shard_count; ++shard) {
    const locked_shards locked(c.keys, shard_mask{1} << shard);
    std::size_t looked_at = 0;
    for (const auto& [key, value] : c.keys.all_of(shard)) {
      if (++looked_at % 256 == 0) umber::safepoint();
      if (!is_past(*value, c.now) && glob_matches(pattern, key->view())) found.emplace_back(key->view());
    }
  }
  c.out.array(found.size());
  for (const std::string& key : found) c.out.bulk(key);
}

struct scan_options {
  std::string_view pattern = "*";
  std::string_view type;
  std::int64_t count = 10;
};

bool parse_scan_options(call& c, scan_options& chosen) {
  for (std::size_t i = 2; i < c.size(); i += 2) {
    if (i + 1 == c.size()) {
      c.syntax_error();
      return false;
    }
    if (same_word(c.word(i), "match")) {
      chosen.pattern = c.word(i + 1);
    } else if (same_word(c.word(i), "type")) {
      chosen.type = c.word(i + 1);
    } else if (!same_word(c.word(i), "count")) {
      c.syntax_error();
      return false;
    } else if (!c.integer(c.word(i + 1), chosen.count)) {
      return false;
    } else if (chosen.count < 1) {
      c.syntax_error();
      return false;
    }
  }
  return true;
}

// A cursor of SCAN is the hash where it goes on, whose last bits are none of a table's, and in them the shard. It meets
// the keys of a table or none: so what is there all the while is met, once.
std::uint64_t scan_from(call& c, std::uint64_t cursor, const scan_options& chosen, std::vector<std::string>& found) {
  std::uint64_t position = cursor - cursor % keyspace::shard_count;
  std::size_t met = 0;
  for (auto shard = static_cast<unsigned>(cursor % keyspace::shard_count); shard < keyspace::shard_count; ++shard) {
    const locked_shards locked(c.keys, shard_mask{1} << shard);
    keyspace::entries::cursor at(c.keys.all_of(shard), std::exchange(position, 0));
    while (at.next()) {
      if (met >= static_cast<std::size_t>(chosen.count) && at.position() != position) return at.position() | shard;
      position = at.position();
      ++met;
      const entry& e = *at.value();
      if (is_past(e, c.now) || !glob_matches(chosen.pattern, at.key()->view())) continue;
      if (chosen.type.empty() || same_word(chosen.type, name_of(e.what))) found.emplace_back(at.key()->view());
    }
    position = 0;
    if (met >= static_cast<std::size_t>(chosen.count) && shard + 1 < keyspace::shard_count) return shard + 1;
  }
  return 0;
}

void scan(call& c) {
  std::uint64_t cursor = 0;
  for (const char digit : c.word(1)) {
    if (digit < '0' || digit > '9' || __builtin_mul_overflow(cursor, 10U, &cursor) ||
        __builtin_add_overflow(cursor, static_cast<unsigned>(digit - '0'), &cursor))
      return c.out.error("ERR invalid cursor");
  }
  scan_options chosen;
  if (c.word(1).empty()) return c.out.error("ERR invalid cursor");
  if (!parse_scan_options(c, chosen)) return;
  std::vector<std::string> found;
  const std::uint64_t next = scan_from(c, cursor, chosen, found);
  c.out.array(2);
  c.out.bulk(fmt::format("{}", next));
  c.out.array(found.size());
  for (const std::string& key : found) c.out.bulk(key);
}

void size(call& c) {
  std::size_t keys = 0;
  for (unsigned shard = 0; shard < keyspace::shard_count; ++shard) {
    const locked_shards locked(c.keys, shard_mask{1} << shard);
    keys += c.keys.size_of(shard);
  }
  c.out.number(static_cast<std::int64_t>(keys));
}

void remove_all(call& c) {
  const bool asks_how = c.size() == 2 && (same_word(c.word(1), "async") || same_word(c.word(1), "sync"));
  if (c.size() > 1 && !asks_how) return c.syntax_error();
  const locked_shards locked(c.keys, ~shard_mask{0});
  for (unsigned shard = 0; shard < keyspace::shard_count; ++shard) c.keys.clear(shard);
  c.out.ok();
}

}  // namespace

std::span<const command> key_commands() {
  constexpr unsigned writes = command::writes;
  static constexpr command table[] = {
      {"del", -2, writes, 1, -1, 1, remove},
      {"unlink", -2, writes, 1, -1, 1, remove},
      {"exists", -2, 0, 1, -1, 1, exists},
      {"type", 2, 0, 1, 1, 1, type},
      {"expire", -3, writes, 1, 1, 1, expire<expire_unit::seconds>},
      {"pexpire", -3, writes, 1, 1, 1, expire<expire_unit::milliseconds>},
      {"expireat", -3, writes, 1, 1, 1, expire<expire_unit::at_seconds>},
      {"pexpireat", -3, writes, 1, 1, 1, expire<expire_unit::at_milliseconds>},
      {"ttl", 2, 0, 1, 1, 1, time_left<1000>},
      {"pttl", 2, 0, 1, 1, 1, time_left<1>},
      {"persist", 2, writes, 1, 1, 1, persist},
      {"keys", 2, 0, 0, 0, 0, list_keys},
      {"scan", -2, 0, 0, 0, 0, scan},
      {"dbsize", 1, 0, 0, 0, 0, size},
      {"flushall", -1, writes, 0, 0, 0, remove_all},
      {"flushdb", -1, writes, 0, 0, 0, remove_all},
  };
  return table;
}

}  // namespace kv

// Commands about the connection and the server.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "command.h"
#include "glob.h"
#include "info.h"
#include "numbers.h"
#include "server.h"
#include "words.h"

namespace kv {

namespace {

void unknown_subcommand(call& c, std::string_view of) {
  c.out.error(fmt::format("ERR unknown subcommand '{}'. Try {} HELP.", c.word(1).substr(0, 128), of));
}

void ping(call& c) {
  if (c.size() > 2) return c.wrong_number_of_words("ping");
  if (c.size() == 1)
    c.out.simple("PONG");
  else
    c.out.bulk(c.word(1));
}

void echo(call& c) { c.out.bulk(c.word(1)); }

void quit(call& c) {
  c.client.is_leaving = true;
  c.out.ok();
}

// Takes as long whatever the password given has in common with the right one.
bool is_same_secret(std::string_view a, std::string_view b) {
  unsigned difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < a.size(); ++i)
    difference |= static_cast<unsigned>(a[i] ^ (b.empty() ? '\0' : b[i % b.size()]));
  return difference == 0;
}

bool log_in(call& c, std::string_view user, std::string_view password) {
  const std::string& wanted = c.host.options().password;
  const bool right = user == "default" && (wanted.empty() || is_same_secret(password, wanted));
  if (right)
    c.client.is_known = true;
  else
    c.out.error("WRONGPASS invalid username-password pair or user is disabled.");
  return right;
}

void authenticate(call& c) {
  if (c.size() > 3) return c.syntax_error();
  if (c.size() == 2 && c.host.options().password.empty())
    return c.out.error(
        "ERR AUTH <password> called without any password configured for the default user. Are you sure your "
        "configuration is correct?");
  if (log_in(c, c.size() == 3 ? c.word(1) : "default", c.word(c.size() - 1))) c.out.ok();
}

void reply_hello(call& c) {
  c.out.array(14);
  const auto pair = [&](std::string_view name, std::string_view value) {
    c.out.bulk(name);
    c.out.bulk(value);
  };
  pair("server", "redis");
  pair("version", redis_version);
  c.out.bulk("proto");
  c.out.number(2);
  c.out.bulk("id");
  c.out.number(static_cast<std::int64_t>(c.client.id));
  pair("mode", "standalone");
  pair("role", "master");
  c.out.bulk("modules");
  c.out.array(0);
}

void hello(call& c) {
  const bool names_version = c.size() > 1;
  const auto version = names_version ? parse_integer(c.word(1)) : 2;
  if (!version) return c.out.error("ERR Protocol version is not an integer or out of range");
  if (*version != 2) return c.out.error("NOPROTO unsupported protocol version");
  std::string_view name;
  for (std::size_t i = 2; i < c.size(); ++i) {
    if (same_word(c.word(i), "auth") && i + 2 < c.size()) {
      if (!log_in(c, c.word(i + 1), c.word(i + 2))) return;
      i += 2;
    } else if (same_word(c.word(i), "setname") && i + 1 < c.size()) {
      name = c.word(++i);
    } else {
      return c.out.error(fmt::format("ERR Syntax error in HELLO option '{}'", c.word(i)));
    }
  }
  if (!c.client.is_known)
    return c.out.error(
        "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> "
        "<pass> option can be used to authenticate the client and select the RESP protocol version at the same time");
  if (!name.empty()) c.client.name = name;
  reply_hello(c);
}

void select_database(call& c) {
  std::int64_t number = 0;
  if (!c.integer(c.word(1), number)) return;
  if (number != 0) return c.out.error("ERR DB index is out of range");
  c.out.ok();
}

void client(call& c) {
  const std::string_view what = c.word(1);
  if (same_word(what, "id") && c.size() == 2) {
    c.out.number(static_cast<std::int64_t>(c.client.id));
  } else if (same_word(what, "getname") && c.size() == 2) {
    if (c.client.name.empty())
      c.out.null();
    else
      c.out.bulk(c.client.name);
  } else if (same_word(what, "setname") && c.size() == 3) {
    if (std::any_of(c.word(2).begin(), c.word(2).end(), [](char each) { return each < '!' || each > '~'; }))
      return c.out.error("ERR Client names cannot contain spaces, newlines or special characters.");
    c.client.name = c.word(2);
    c.out.ok();
  } else if (same_word(what, "setinfo") && c.size() == 4) {
    c.out.ok();
  } else if (same_word(what, "info") && c.size() == 2) {
    c.out.bulk(fmt::format("id={} name={} db=0 thread={} resp=2\n", c.client.id, c.client.name, c.client.thread));
  } else {
    unknown_subcommand(c, "CLIENT");
  }
}

void configuration(call& c) {
  if (!same_word(c.word(1), "get") || c.size() < 3) {
    if (same_word(c.word(1), "resetstat") && c.size() == 2) return c.out.ok();
    return unknown_subcommand(c, "CONFIG");
  }
  const std::pair<std::string_view, std::string> known[] = {
      {"appendonly", "no"},
      {"bind", c.host.options().address},
      {"databases", "1"},
      {"io-threads", fmt::format("{}", c.host.options().threads)},
      {"maxmemory", fmt::format("{}", c.host.options().max_memory)},
      {"maxmemory-policy", "noeviction"},
      {"port", fmt::format("{}", c.host.port())},
      {"proto-max-bulk-len", "536870912"},
      {"save", ""},
      {"timeout", "0"},
  };
  std::vector<std::string_view> shown;
  for (const auto& [name, value] : known) {
    const bool wanted = std::any_of(c.words.begin() + 2, c.words.end(), [&name = name](std::string_view pattern) {
      std::string in_lower_case(pattern);
      std::transform(pattern.begin(), pattern.end(), in_lower_case.begin(), lower);
      return glob_matches(in_lower_case, name);
    });
    if (wanted) shown.insert(shown.end(), {name, value});
  }
  c.out.array(shown.size());
  for (const std::string_view each : shown) c.out.bulk(each);
}

void describe(const command& each, void* to) {
  auto& out = *static_cast<reply*>(to);
  out.array(6);
  out.bulk(each.name);
  out.number(each.arity);
  out.array(1);
  out.simple((each.flags & command::writes) != 0 ? "write" : "readonly");
  out.number(each.first_key);
  out.number(each.last_key);
  out.number(each.key_step);
}

void describe_commands(call& c) {
  if (c.size() == 2 && same_word(c.word(1), "count")) return c.out.number(static_cast<std::int64_t>(command_count()));
  if (c.size() > 1 && same_word(c.word(1), "docs")) return c.out.array(0);
  if (c.size() > 1) return unknown_subcommand(c, "COMMAND");
  c.out.array(command_count());
  for_each_command(describe, &c.out);
}

void information(call& c) { c.out.bulk(info_text(c.host, c.words.subspan(1))); }

void memory(call& c) {
  if (same_word(c.word(1), "usage") && c.size() >= 3) {
    const shard_mask shard = shard_mask{1} << keyspace::shard_of(c.word(2));
    const locked_shards locked(c.keys, shard);
    const entry* const e = c.keys.find(c.word(2), c.now);
    return e == nullptr ? c.out.null() : c.out.number(static_cast<std::int64_t>(bytes_of(*e)));
  }
  if (!same_word(c.word(1), "purge") || c.size() != 2) return unknown_subcommand(c, "MEMORY");
  c.host.heap().collect();
  c.out.ok();
}

void debug(call& c) {
  if (same_word(c.word(1), "gc") && c.size() == 2) {
    c.host.heap().collect();
    return c.out.ok();
  }
  if (same_word(c.word(1), "watch") && c.size() == 2) {
    c.host.start_watch();
    return c.out.ok();
  }
  if (same_word(c.word(1), "report") && c.size() == 2) {
    const std::string seen = c.host.watcher().report();
    return seen.empty() ? c.out.error("ERR nothing to report; DEBUG WATCH comes first") : c.out.bulk(seen);
  }
  double seconds = 0;
  if (!same_word(c.word(1), "sleep") || c.size() != 3) return unknown_subcommand(c, "DEBUG");
  if (!c.real(c.word(2), seconds)) return;
  {
    const umber::blocking waiting;
    std::this_thread::sleep_for(std::chrono::duration<double>(std::clamp(seconds, 0.0, 3600.0)));
  }
  c.out.ok();
}

void shut_down(call& c) {
  c.client.is_leaving = true;
  c.host.stop();
}

}  // namespace

std::span<const command> server_commands() {
  constexpr unsigned unknown_may = command::unknown_may;
  static constexpr command table[] = {
      {"ping", -1, 0, 0, 0, 0, ping},
      {"echo", 2, 0, 0, 0, 0, echo},
      {"quit", -1, unknown_may, 0, 0, 0, quit},
      {"auth", -2, unknown_may, 0, 0, 0, authenticate},
      {"hello", -1, unknown_may, 0, 0, 0, hello},
      {"select", 2, 0, 0, 0, 0, select_database},
      {"client", -2, 0, 0, 0, 0, client},
      {"config", -2, 0, 0, 0, 0, configuration},
      {"command", -1, 0, 0, 0, 0, describe_commands},
      {"info", -1, 0, 0, 0, 0, information},
      {"memory", -2, 0, 0, 0, 0, memory},
      {"debug", -2, 0, 0, 0, 0, debug},
      {"shutdown", -1, 0, 0, 0, 0, shut_down},
  };
  return table;
}

}  // namespace kv

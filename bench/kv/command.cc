// Commands are found by a hash of their names in lower case. The last one that a thread has looked for is likely to be
// the next one, too.
#include "command.h"

#include <array>
#include <new>
#include <unordered_map>

#include <fmt/format.h>

#include "numbers.h"
#include "server.h"
#include "words.h"

namespace kv {

namespace {

constexpr std::size_t longest_name = 24;

std::array<std::span<const command>, 7> all_commands() {
  return {string_commands(), key_commands(),        list_commands(),  set_commands(),
          hash_commands(),   sorted_set_commands(), server_commands()};
}

const std::unordered_map<std::string_view, const command*>& by_name() {
  static const auto table = [] {
    std::unordered_map<std::string_view, const command*> made;
    for (const auto& part : all_commands())
      for (const command& each : part) made.emplace(each.name, &each);
    return made;
  }();
  return table;
}

const command* likely_command(std::string_view name) {
  thread_local const command* last = nullptr;
  if (last == nullptr || !same_word(name, last->name)) last = find_command(name);
  return last;
}

bool number_of_words_fits(const command& wanted, std::size_t words) noexcept {
  const auto size = static_cast<std::int64_t>(words);
  return wanted.arity >= 0 ? size == wanted.arity : size >= -wanted.arity;
}

shard_mask shards_of(const command& wanted, const call& c) noexcept {
  if (wanted.first_key == 0) return 0;
  const auto size = static_cast<int>(c.size());
  const int last = wanted.last_key >= 0 ? wanted.last_key : size + wanted.last_key;
  shard_mask which = 0;
  for (int i = wanted.first_key; i <= last; i += wanted.key_step)
    which |= shard_mask{1} << keyspace::shard_of(c.word(static_cast<std::size_t>(i)));
  return which;
}

// As redis has it: no more than 128 characters of the arguments.
std::string unknown_command(const call& c) {
  std::string arguments;
  for (std::size_t i = 1; i < c.size() && arguments.size() < 128; ++i)
    arguments += fmt::format("'{}' ", c.word(i).substr(0, 128 - arguments.size()));
  return fmt::format("ERR unknown command '{}', with args beginning with: {}", c.word(0).substr(0, 128), arguments);
}

}  // namespace

const command* find_command(std::string_view name) {
  if (name.size() > longest_name) return nullptr;
  char in_lower_case[longest_name];
  for (std::size_t i = 0; i < name.size(); ++i) in_lower_case[i] = lower(name[i]);
  const auto found = by_name().find(std::string_view(in_lower_case, name.size()));
  return found == by_name().end() ? nullptr : found->second;
}

std::size_t command_count() { return by_name().size(); }

void for_each_command(void (*visit)(const command&, void*), void* context) {
  for (const auto& part : all_commands())
    for (const command& each : part) visit(each, context);
}

void call::wrong_number_of_words(std::string_view command) {
  out.error(fmt::format("ERR wrong number of arguments for '{}' command", command));
}

bool call::integer(std::string_view word, std::int64_t& n, std::string_view complaint) {
  const auto parsed = parse_integer(word);
  if (parsed)
    n = *parsed;
  else
    out.error(complaint.empty() ? "ERR value is not an integer or out of range" : complaint);
  return parsed.has_value();
}

bool call::positive(std::string_view word, std::int64_t& n) {
  constexpr std::string_view complaint = "ERR value is out of range, must be positive";
  if (!integer(word, n, complaint)) return false;
  if (n < 0) out.error(complaint);
  return n >= 0;
}

bool call::real(std::string_view word, double& n) {
  const auto parsed = parse_real(std::string(word));
  if (parsed)
    n = *parsed;
  else
    out.error("ERR value is not a valid float");
  return parsed.has_value();
}

void dispatch(call& c) {
  const command* const wanted = likely_command(c.word(0));
  if (wanted == nullptr) return c.out.error(unknown_command(c));
  if (!number_of_words_fits(*wanted, c.size())) return c.wrong_number_of_words(wanted->name);
  if (!c.client.is_known && (wanted->flags & command::unknown_may) == 0)
    return c.out.error("NOAUTH Authentication required.");
  constexpr std::string_view no_room = "OOM command not allowed when used memory > 'maxmemory'.";
  if ((wanted->flags & command::grows) != 0 && c.host.is_full()) return c.out.error(no_room);
  try {
    const locked_shards locked(c.keys, shards_of(*wanted, c));
    wanted->run(c);
  } catch (const std::bad_alloc&) {
    c.out.error(no_room);
  }
}

}  // namespace kv

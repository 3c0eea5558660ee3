// A command: what the protocol calls it, which of its words are keys, and the function that carries it out.
//
// dispatch finds the command, checks the number of words, locks the shards of its keys, and calls the function; what
// that throws for want of memory becomes a reply. So a function holds the locks it needs already. It must hold by a
// `umber::local` what it still needs behind a safepoint: entries and values that it has found, that is.
#pragma once

#include "keyspace.h"
#include "reply.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace kv {

class server;

// What the server knows of one client.
struct session {
  std::uint64_t id = 0;
  int thread = 0;
  std::string name;
  bool is_known = true;  // it has given the password, or there is none
  bool is_leaving = false;
};

// One request while it is carried out.
struct call {
  std::span<const std::string_view> words;
  reply& out;
  keyspace& keys;
  session& client;
  server& host;
  std::int64_t now;  // milliseconds since 1970

  [[nodiscard]] std::string_view word(std::size_t i) const noexcept { return words[i]; }
  [[nodiscard]] std::size_t size() const noexcept { return words.size(); }

  // The value of a key as a T, in `found`, null if there is none. False if it is of another kind; that is replied.
  template <class T>
  bool find(std::string_view key, umber::local<T>& found) {
    entry* const e = keys.find(key, now);
    found = e == nullptr ? nullptr : e->as<T>();
    if (e == nullptr || found != nullptr) return true;
    out.error("WRONGTYPE Operation against a key holding the wrong kind of value");
    return false;
  }
  // The same, and a new one where there was none.
  template <class T>
  bool find_or_make(std::string_view key, umber::local<T>& found) {
    if (!find(key, found)) return false;
    if (found != nullptr) return true;
    found = umber::make<T>();
    keys.put(key, found);
    return true;
  }
  void erase(std::string_view key) { keys.erase(keys.find(key, now)); }

  // These reply what is wrong when they return false.
  bool integer(std::string_view word, std::int64_t& n, std::string_view complaint = {});
  bool positive(std::string_view word, std::int64_t& n);
  bool real(std::string_view word, double& n);

  void syntax_error() { out.error("ERR syntax error"); }
  void wrong_number_of_words(std::string_view command);
};

struct command {
  static constexpr unsigned writes = 1, grows = 2, unknown_may = 4;

  std::string_view name;  // in lower case
  int arity;              // with the name; negative: at least so many
  unsigned flags;
  int first_key = 0, last_key = 0, key_step = 0;  // 0: no keys; a negative last one counts from the end
  void (*run)(call&);
};

// The commands of one file each; all of them, by name.
std::span<const command> string_commands();
std::span<const command> key_commands();
std::span<const command> list_commands();
std::span<const command> set_commands();
std::span<const command> hash_commands();
std::span<const command> sorted_set_commands();
std::span<const command> server_commands();
[[nodiscard]] const command* find_command(std::string_view name);
[[nodiscard]] std::size_t command_count();
void for_each_command(void (*visit)(const command&, void*), void* context);

// Carries out one request of at least one word, and replies.
void dispatch(call& c);

}  // namespace kv

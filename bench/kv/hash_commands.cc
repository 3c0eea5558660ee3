// Commands on hashes.
#include "command.h"
#include "numbers.h"
#include "set.h"

namespace kv {

namespace {

using text = umber::local<umber::string>;

// True if the field is new.
bool put(hash& of, std::string_view field, std::string_view value) {
  const text made = umber::make_string(value);
  return !of.fields.assign(field, made) && of.fields.insert(umber::make_string(field), made);
}

template <bool CountsNew>
void set_fields(call& c) {
  if (c.size() % 2 != 0) return c.wrong_number_of_words(CountsNew ? "hset" : "hmset");
  umber::local<hash> of;
  if (!c.find_or_make(c.word(1), of)) return;
  std::int64_t added = 0;
  for (std::size_t i = 2; i < c.size(); i += 2) added += put(*of, c.word(i), c.word(i + 1)) ? 1 : 0;
  if (CountsNew)
    c.out.number(added);
  else
    c.out.ok();
}

void reply_field(call& c, const umber::local<hash>& of, std::string_view field) {
  const text value = of == nullptr ? text() : of->fields.find(field);
  if (value == nullptr)
    c.out.null();
  else
    c.out.bulk(value->view());
}

void get_field(call& c) {
  umber::local<hash> of;
  if (c.find(c.word(1), of)) reply_field(c, of, c.word(2));
}

void get_fields(call& c) {
  umber::local<hash> of;
  if (!c.find(c.word(1), of)) return;
  c.out.array(c.size() - 2);
  for (const std::string_view field : c.words.subspan(2)) reply_field(c, of, field);
}

void remove(call& c) {
  umber::local<hash> from;
  if (!c.find(c.word(1), from)) return;
  std::int64_t removed = 0;
  if (from != nullptr) {
    for (const std::string_view field : c.words.subspan(2)) removed += from->fields.erase(field) ? 1 : 0;
    if (from->fields.empty()) c.erase(c.word(1));
  }
  c.out.number(removed);
}

template <bool Names, bool Values>
void all(call& c) {
  umber::local<hash> of;
  if (!c.find(c.word(1), of)) return;
  c.out.array(of == nullptr ? 0 : of->fields.size() * (Names && Values ? 2 : 1));
  if (of == nullptr) return;
  std::size_t shown = 0;
  for (const auto& [name, value] : of->fields) {
    if (++shown % 256 == 0) umber::safepoint();
    if (Names) c.out.bulk(name->view());
    if (Values) c.out.bulk(value->view());
  }
}

void size(call& c) {
  umber::local<hash> of;
  if (c.find(c.word(1), of)) c.out.number(of == nullptr ? 0 : static_cast<std::int64_t>(of->fields.size()));
}

void exists(call& c) {
  umber::local<hash> of;
  if (c.find(c.word(1), of)) c.out.number(of != nullptr && of->fields.contains(c.word(2)) ? 1 : 0);
}

void increment(call& c) {
  std::int64_t by = 0, number = 0;
  umber::local<hash> of;
  if (!c.integer(c.word(3), by) || !c.find_or_make(c.word(1), of)) return;
  const text old = of->fields.find(c.word(2));
  if (old != nullptr && !c.integer(old->view(), number, "ERR hash value is not an integer")) return;
  if (__builtin_add_overflow(number, by, &number)) return c.out.error("ERR increment or decrement would overflow");
  put(*of, c.word(2), digits(number).text());
  c.out.number(number);
}

}  // namespace

std::span<const command> hash_commands() {
  constexpr unsigned grows = command::writes | command::grows;
  static constexpr command table[] = {
      {"hset", -4, grows, 1, 1, 1, set_fields<true>},
      {"hmset", -4, grows, 1, 1, 1, set_fields<false>},
      {"hget", 3, 0, 1, 1, 1, get_field},
      {"hmget", -3, 0, 1, 1, 1, get_fields},
      {"hdel", -3, command::writes, 1, 1, 1, remove},
      {"hgetall", 2, 0, 1, 1, 1, all<true, true>},
      {"hkeys", 2, 0, 1, 1, 1, all<true, false>},
      {"hvals", 2, 0, 1, 1, 1, all<false, true>},
      {"hlen", 2, 0, 1, 1, 1, size},
      {"hexists", 3, 0, 1, 1, 1, exists},
      {"hincrby", 4, grows, 1, 1, 1, increment},
  };
  return table;
}

}  // namespace kv

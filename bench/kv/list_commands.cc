// Commands on lists.
#include "command.h"
#include "list.h"
#include "ranges.h"

namespace kv {

namespace {

enum class end : std::uint8_t { front, back };

void push_one(list& to, end at, std::string_view text) {
  const umber::local<umber::string> made = umber::make_string(text);
  if (at == end::front)
    to.push_front(made);
  else
    to.push_back(made);
}

// Ifs: only to a list that is there already.
template <end At, bool IfThere>
void push(call& c) {
  umber::local<list> to;
  if (!c.find(c.word(1), to)) return;
  if (to == nullptr && IfThere) return c.out.number(0);
  // A list that is made stands behind its key only when it has something in it.
  const bool is_new = to == nullptr;
  if (is_new) to = umber::make<list>();
  for (const std::string_view text : c.words.subspan(2)) push_one(*to, At, text);
  if (is_new) c.keys.put(c.word(1), to);
  c.out.number(static_cast<std::int64_t>(to->size()));
}

template <end At>
void pop(call& c) {
  const bool counted = c.size() == 3;
  std::int64_t count = 1;
  if (c.size() > 3) return c.wrong_number_of_words(At == end::front ? "lpop" : "rpop");
  if (counted && !c.positive(c.word(2), count)) return;
  umber::local<list> from;
  if (!c.find(c.word(1), from)) return;
  if (from == nullptr) return counted ? c.out.null_array() : c.out.null();
  const std::size_t popped = std::min(static_cast<std::size_t>(count), from->size());
  if (counted) c.out.array(popped);
  for (std::size_t i = 0; i < popped; ++i)
    c.out.bulk((At == end::front ? from->pop_front() : from->pop_back())->view());
  if (from->size() == 0) c.erase(c.word(1));
}

void length(call& c) {
  umber::local<list> of;
  if (c.find(c.word(1), of)) c.out.number(of == nullptr ? 0 : static_cast<std::int64_t>(of->size()));
}

void range(call& c) {
  std::int64_t first = 0, last = 0;
  umber::local<list> of;
  if (!c.integer(c.word(2), first) || !c.integer(c.word(3), last) || !c.find(c.word(1), of)) return;
  const place_range wanted = place_range::of(first, last, of == nullptr ? 0 : of->size());
  c.out.array(wanted.count);
  if (wanted.count > 0) of->visit(wanted.first, wanted.count, [&](std::string_view text) { c.out.bulk(text); });
}

void at(call& c) {
  std::int64_t place = 0;
  umber::local<list> of;
  if (!c.find(c.word(1), of)) return;
  if (of == nullptr) return c.out.null();
  if (!c.integer(c.word(2), place)) return;
  const auto size = static_cast<std::int64_t>(of->size());
  if (place < 0) place += size;
  if (place < 0 || place >= size) return c.out.null();
  c.out.bulk(of->at(static_cast<std::size_t>(place))->view());
}

}  // namespace

std::span<const command> list_commands() {
  constexpr unsigned grows = command::writes | command::grows;
  static constexpr command table[] = {
      {"lpush", -3, grows, 1, 1, 1, push<end::front, false>},
      {"rpush", -3, grows, 1, 1, 1, push<end::back, false>},
      {"lpushx", -3, grows, 1, 1, 1, push<end::front, true>},
      {"rpushx", -3, grows, 1, 1, 1, push<end::back, true>},
      {"lpop", -2, command::writes, 1, 1, 1, pop<end::front>},
      {"rpop", -2, command::writes, 1, 1, 1, pop<end::back>},
      {"llen", 2, 0, 1, 1, 1, length},
      {"lrange", 4, 0, 1, 1, 1, range},
      {"lindex", 3, 0, 1, 1, 1, at},
  };
  return table;
}

}  // namespace kv

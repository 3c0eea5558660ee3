// Commands on sets.
#include <random>

#include "command.h"
#include "set.h"

namespace kv {

namespace {

void add(call& c) {
  umber::local<set> to;
  if (!c.find_or_make(c.word(1), to)) return;
  std::int64_t added = 0;
  for (const std::string_view text : c.words.subspan(2)) added += to->add(text) ? 1 : 0;
  c.out.number(added);
}

void remove(call& c) {
  umber::local<set> from;
  if (!c.find(c.word(1), from)) return;
  std::int64_t removed = 0;
  if (from != nullptr) {
    for (const std::string_view text : c.words.subspan(2)) removed += from->remove(text) ? 1 : 0;
    if (from->size() == 0) c.erase(c.word(1));
  }
  c.out.number(removed);
}

void members(call& c) {
  umber::local<set> of;
  if (!c.find(c.word(1), of)) return;
  const std::size_t count = of == nullptr ? 0 : of->size();
  c.out.array(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (i % 256 == 255) umber::safepoint();
    c.out.bulk(of->at(i)->view());
  }
}

void is_member(call& c) {
  umber::local<set> of;
  if (c.find(c.word(1), of)) c.out.number(of != nullptr && of->contains(c.word(2)) ? 1 : 0);
}

void size(call& c) {
  umber::local<set> of;
  if (c.find(c.word(1), of)) c.out.number(of == nullptr ? 0 : static_cast<std::int64_t>(of->size()));
}

std::uint32_t draw_below(std::size_t size) {
  thread_local std::minstd_rand generator(std::random_device{}());
  return static_cast<std::uint32_t>(std::uniform_int_distribution<std::size_t>(0, size - 1)(generator));
}

void pop(call& c) {
  const bool counted = c.size() == 3;
  std::int64_t count = 1;
  if (c.size() > 3) return c.syntax_error();
  if (counted && !c.positive(c.word(2), count)) return;
  umber::local<set> from;
  if (!c.find(c.word(1), from)) return;
  if (from == nullptr) return counted ? c.out.array(0) : c.out.null();
  const std::size_t popped = std::min(static_cast<std::size_t>(count), from->size());
  if (counted) c.out.array(popped);
  for (std::size_t i = 0; i < popped; ++i) c.out.bulk(from->take(draw_below(from->size()))->view());
  if (from->size() == 0) c.erase(c.word(1));
}

}  // namespace

std::span<const command> set_commands() {
  static constexpr command table[] = {
      {"sadd", -3, command::writes | command::grows, 1, 1, 1, add},
      {"srem", -3, command::writes, 1, 1, 1, remove},
      {"smembers", 2, 0, 1, 1, 1, members},
      {"sismember", 3, 0, 1, 1, 1, is_member},
      {"scard", 2, 0, 1, 1, 1, size},
      {"spop", -2, command::writes, 1, 1, 1, pop},
  };
  return table;
}

}  // namespace kv

// Commands on sorted sets.
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "command.h"
#include "numbers.h"
#include "ranges.h"
#include "sorted_set.h"
#include "words.h"

namespace kv {

namespace {

struct add_options {
  bool only_new = false, only_old = false, greater = false, less = false, count_changed = false, increment = false;
};

// The index of the first score.
std::size_t parse_add_options(const call& c, add_options& chosen) {
  std::size_t i = 2;
  for (; i < c.size(); ++i) {
    const std::string_view word = c.word(i);
    if (same_word(word, "nx"))
      chosen.only_new = true;
    else if (same_word(word, "xx"))
      chosen.only_old = true;
    else if (same_word(word, "gt"))
      chosen.greater = true;
    else if (same_word(word, "lt"))
      chosen.less = true;
    else if (same_word(word, "ch"))
      chosen.count_changed = true;
    else if (same_word(word, "incr"))
      chosen.increment = true;
    else
      break;
  }
  return i;
}

// What is wrong with the options; empty if nothing is.
std::string_view complaint_about(const add_options& chosen, std::size_t words_left) {
  if (words_left == 0 || words_left % 2 != 0) return "ERR syntax error";
  if (chosen.only_new && chosen.only_old) return "ERR XX and NX options at the same time are not compatible";
  if ((chosen.greater && chosen.only_new) || (chosen.less && chosen.only_new) || (chosen.greater && chosen.less))
    return "ERR GT, LT, and/or NX options at the same time are not compatible";
  if (chosen.increment && words_left > 2) return "ERR INCR option supports a single increment-element pair";
  return {};
}

enum class added : std::uint8_t { nothing, fresh, changed, same, not_a_number };

// `score` becomes what the member has then.
added add_one(sorted_set& to, const add_options& chosen, double& score, std::string_view member) {
  sorted_set::node* const old = to.find(member);
  if (old == nullptr) {
    if (chosen.only_old) return added::nothing;
    to.insert(member, score);
    return added::fresh;
  }
  if (chosen.only_new) return added::nothing;
  const double wanted = chosen.increment ? old->score + score : score;
  if (std::isnan(wanted)) return added::not_a_number;
  if ((chosen.less && wanted >= old->score) || (chosen.greater && wanted <= old->score)) return added::nothing;
  score = wanted;
  if (wanted == old->score) return added::same;
  to.change_score(*old, wanted);
  return added::changed;
}

bool parse_scores(call& c, std::size_t first, std::vector<double>& scores) {
  for (std::size_t i = first; i < c.size(); i += 2) {
    scores.emplace_back();
    if (!c.real(c.word(i), scores.back())) return false;
  }
  return true;
}

void add_with(call& c, const add_options& chosen, std::size_t first) {
  thread_local std::vector<double> scores;
  scores.clear();
  umber::local<sorted_set> to;
  if (!parse_scores(c, first, scores) || !c.find(c.word(1), to)) return;
  if (to == nullptr && chosen.only_old) return chosen.increment ? c.out.null() : c.out.number(0);
  if (to == nullptr && !c.find_or_make(c.word(1), to)) return;
  std::int64_t fresh = 0, changed = 0;
  std::optional<double> result;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const added how = add_one(*to, chosen, scores[i], c.word(first + 1 + 2 * i));
    if (how == added::not_a_number) return c.out.error("ERR resulting score is not a number (NaN)");
    fresh += how == added::fresh ? 1 : 0;
    changed += how == added::changed ? 1 : 0;
    if (how != added::nothing) result = scores[i];
  }
  if (!chosen.increment) return c.out.number(fresh + (chosen.count_changed ? changed : 0));
  if (result)
    c.out.bulk(*result);
  else
    c.out.null();
}

void add(call& c) {
  add_options chosen;
  const std::size_t first = parse_add_options(c, chosen);
  const std::string_view complaint = complaint_about(chosen, c.size() - first);
  if (!complaint.empty()) return c.out.error(complaint);
  add_with(c, chosen, first);
}

void increment_by(call& c) {
  add_options chosen;
  chosen.increment = true;
  add_with(c, chosen, 2);
}

void remove(call& c) {
  umber::local<sorted_set> from;
  if (!c.find(c.word(1), from)) return;
  std::int64_t removed = 0;
  for (const std::string_view member : c.words.subspan(2)) {
    sorted_set::node* const n = from == nullptr ? nullptr : from->find(member);
    if (n == nullptr) continue;
    from->remove(*n);
    ++removed;
  }
  if (removed > 0 && from->size() == 0) c.erase(c.word(1));
  c.out.number(removed);
}

void score(call& c) {
  umber::local<sorted_set> of;
  if (!c.find(c.word(1), of)) return;
  const sorted_set::node* const n = of == nullptr ? nullptr : of->find(c.word(2));
  if (n == nullptr)
    c.out.null();
  else
    c.out.bulk(n->score);
}

void size(call& c) {
  umber::local<sorted_set> of;
  if (c.find(c.word(1), of)) c.out.number(of == nullptr ? 0 : static_cast<std::int64_t>(of->size()));
}

template <bool Reversed>
void rank(call& c) {
  umber::local<sorted_set> of;
  if (!c.find(c.word(1), of)) return;
  const sorted_set::node* const n = of == nullptr ? nullptr : of->find(c.word(2));
  if (n == nullptr) return c.out.null();
  const std::size_t before = of->rank(*n);
  c.out.number(static_cast<std::int64_t>(Reversed ? of->size() - 1 - before : before));
}

// Ranks are visited in pieces, with a safepoint between them. Reversed ranks count from the end.
void reply_range(call& c, const umber::local<sorted_set>& of, place_range wanted, bool reversed, bool with_scores) {
  constexpr std::size_t piece = 256;
  c.out.array(wanted.count * (with_scores ? 2 : 1));
  const auto show = [&](const sorted_set::node& n) {
    c.out.bulk(n.member->view());
    if (with_scores) c.out.bulk(n.score);
  };
  for (std::size_t done = 0; done < wanted.count; done += piece, umber::safepoint()) {
    const std::size_t first = wanted.first + done, end = wanted.first + std::min(done + piece, wanted.count);
    if (!reversed)
      of->visit(first, end, show);
    else
      of->visit_reversed(of->size() - end, of->size() - first, show);
  }
}

struct range_options {
  bool by_score = false, reversed = false, with_scores = false, limited = false;
  std::int64_t skip = 0, most = -1;
};

bool parse_range_options(call& c, range_options& chosen, bool knows_all) {
  for (std::size_t i = 4; i < c.size(); ++i) {
    const std::string_view word = c.word(i);
    if (same_word(word, "withscores")) {
      chosen.with_scores = true;
    } else if (same_word(word, "limit") && i + 2 < c.size()) {
      chosen.limited = true;
      if (!c.integer(c.word(i + 1), chosen.skip) || !c.integer(c.word(i + 2), chosen.most)) return false;
      i += 2;
    } else if (knows_all && same_word(word, "byscore")) {
      chosen.by_score = true;
    } else if (knows_all && same_word(word, "rev")) {
      chosen.reversed = true;
    } else {
      c.syntax_error();
      return false;
    }
  }
  if (chosen.limited && !chosen.by_score)
    c.out.error("ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX");
  return !chosen.limited || chosen.by_score;
}

void range_by_score(call& c, const range_options& chosen) {
  const auto low = parse_bound(std::string(c.word(chosen.reversed ? 3 : 2)));
  const auto high = parse_bound(std::string(c.word(chosen.reversed ? 2 : 3)));
  if (!low || !high) return c.out.error("ERR min or max is not a float");
  umber::local<sorted_set> of;
  if (!c.find(c.word(1), of)) return;
  if (of == nullptr || chosen.skip < 0) return c.out.array(0);
  const std::size_t first = of->count_before(low->score, low->exclusive);
  const std::size_t end = of->count_before(high->score, !high->exclusive);
  place_range wanted{chosen.reversed ? of->size() - end : first, end > first ? end - first : 0};
  const std::size_t skipped = std::min(static_cast<std::size_t>(chosen.skip), wanted.count);
  wanted = {wanted.first + skipped, wanted.count - skipped};
  if (chosen.most >= 0) wanted.count = std::min(wanted.count, static_cast<std::size_t>(chosen.most));
  reply_range(c, of, wanted, chosen.reversed, chosen.with_scores);
}

void range_with(call& c, range_options chosen, bool knows_all) {
  if (!parse_range_options(c, chosen, knows_all)) return;
  if (chosen.by_score) return range_by_score(c, chosen);
  std::int64_t first = 0, last = 0;
  umber::local<sorted_set> of;
  if (!c.integer(c.word(2), first) || !c.integer(c.word(3), last) || !c.find(c.word(1), of)) return;
  const place_range wanted = place_range::of(first, last, of == nullptr ? 0 : of->size());
  reply_range(c, of, wanted, chosen.reversed, chosen.with_scores);
}

void range(call& c) { range_with(c, {}, true); }
template <bool ByScore, bool Reversed>
void old_range(call& c) {
  range_options chosen;
  chosen.by_score = ByScore;
  chosen.reversed = Reversed;
  range_with(c, chosen, false);
}

void count(call& c) {
  const auto low = parse_bound(std::string(c.word(2))), high = parse_bound(std::string(c.word(3)));
  if (!low || !high) return c.out.error("ERR min or max is not a float");
  umber::local<sorted_set> of;
  if (!c.find(c.word(1), of)) return;
  if (of == nullptr) return c.out.number(0);
  const std::size_t first = of->count_before(low->score, low->exclusive);
  const std::size_t end = of->count_before(high->score, !high->exclusive);
  c.out.number(end > first ? static_cast<std::int64_t>(end - first) : 0);
}

template <bool Greatest>
void pop(call& c) {
  std::int64_t count = 1;
  if (c.size() > 3) return c.syntax_error();
  if (c.size() == 3 && !c.positive(c.word(2), count)) return;
  umber::local<sorted_set> from;
  if (!c.find(c.word(1), from)) return;
  const std::size_t popped = from == nullptr ? 0 : std::min(static_cast<std::size_t>(count), from->size());
  c.out.array(2 * popped);
  for (std::size_t i = 0; i < popped; ++i) {
    sorted_set::node* const n = from->at(Greatest ? from->size() - 1 : 0);
    c.out.bulk(n->member->view());
    c.out.bulk(n->score);
    from->remove(*n);
  }
  if (popped > 0 && from->size() == 0) c.erase(c.word(1));
}

}  // namespace

std::span<const command> sorted_set_commands() {
  constexpr unsigned grows = command::writes | command::grows;
  static constexpr command table[] = {
      {"zadd", -4, grows, 1, 1, 1, add},
      {"zincrby", 4, grows, 1, 1, 1, increment_by},
      {"zrem", -3, command::writes, 1, 1, 1, remove},
      {"zscore", 3, 0, 1, 1, 1, score},
      {"zcard", 2, 0, 1, 1, 1, size},
      {"zrank", 3, 0, 1, 1, 1, rank<false>},
      {"zrevrank", 3, 0, 1, 1, 1, rank<true>},
      {"zrange", -4, 0, 1, 1, 1, range},
      {"zrevrange", -4, 0, 1, 1, 1, old_range<false, true>},
      {"zrangebyscore", -4, 0, 1, 1, 1, old_range<true, false>},
      {"zrevrangebyscore", -4, 0, 1, 1, 1, old_range<true, true>},
      {"zcount", 4, 0, 1, 1, 1, count},
      {"zpopmin", -2, command::writes, 1, 1, 1, pop<false>},
      {"zpopmax", -2, command::writes, 1, 1, 1, pop<true>},
  };
  return table;
}

}  // namespace kv

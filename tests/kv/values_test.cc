// What stands behind keys, against models of the standard library.
#include "expiry.h"
#include "glob.h"
#include "keyspace.h"
#include "list.h"
#include "numbers.h"
#include "set.h"
#include "sorted_set.h"

#include "heaps.h"

#include <algorithm>
#include <deque>
#include <iterator>
#include <map>
#include <set>
#include <string>

namespace kv {
namespace {

using umber::local;
using umber::make;
using umber::make_string;
using umber::testing::under_heaps;

TEST_CASE("kv list: both ends and all places as a std::deque") {
  under_heaps([](umber::heap&, std::mt19937_64& random, std::size_t scale) {
    const local<list> l = make<list>();
    std::deque<std::string> model;
    for (std::size_t n = 0; n < 1500 * scale; ++n) {
      const std::string text = std::to_string(random() % 1000);
      const bool pops = random() % 100 < (n / 300 % 2 == 0 ? 30 : 70) && !model.empty();
      if (pops && random() % 2 == 0) {
        REQUIRE(*l->pop_front() == model.front());
        model.pop_front();
      } else if (pops) {
        REQUIRE(*l->pop_back() == model.back());
        model.pop_back();
      } else if (random() % 2 == 0) {
        l->push_front(make_string(text));
        model.push_front(text);
      } else {
        l->push_back(make_string(text));
        model.push_back(text);
      }
      REQUIRE(l->size() == model.size());
      if (!model.empty()) {
        const std::size_t place = random() % model.size();
        REQUIRE(*l->at(place) == model[place]);
      }
    }
    std::vector<std::string> seen;
    const std::size_t first = model.size() / 3;
    l->visit(first, model.size() - first, [&](std::string_view text) { seen.emplace_back(text); });
    REQUIRE(std::equal(seen.begin(), seen.end(), model.begin() + static_cast<std::ptrdiff_t>(first), model.end()));
  });
}

TEST_CASE("kv set: members as a std::set, and each can be drawn") {
  under_heaps([](umber::heap&, std::mt19937_64& random, std::size_t scale) {
    const local<set> s = make<set>();
    std::set<std::string> model;
    for (std::size_t n = 0; n < 1500 * scale; ++n) {
      const std::string text = std::to_string(random() % 200);
      if (random() % 2 == 0) {
        REQUIRE(s->add(text) == model.insert(text).second);
      } else if (random() % 4 != 0 || model.empty()) {
        REQUIRE(s->remove(text) == (model.erase(text) != 0));
      } else {
        REQUIRE(model.erase(std::string(s->take(static_cast<std::uint32_t>(random() % model.size()))->view())) == 1);
      }
      REQUIRE(s->size() == model.size());
      REQUIRE(s->contains(text) == (model.count(text) != 0));
    }
  });
}

TEST_CASE("kv sorted set: ranks, ranges and scores as a std::set of pairs") {
  under_heaps([](umber::heap&, std::mt19937_64& random, std::size_t scale) {
    const local<sorted_set> z = make<sorted_set>();
    std::map<std::string, double> scores;
    std::set<std::pair<double, std::string>> model;
    for (std::size_t n = 0; n < 800 * scale; ++n) {
      const std::string member = std::to_string(random() % 150);
      const double score = static_cast<double>(random() % 40) / 4;
      sorted_set::node* const known = z->find(member);
      REQUIRE((known != nullptr) == (scores.count(member) != 0));
      if (known != nullptr) model.erase({scores[member], member});
      if (known == nullptr) {
        z->insert(member, score);
      } else if (random() % 2 == 0) {
        z->change_score(*known, score);
      } else {
        z->remove(*known);
        scores.erase(member);
        continue;
      }
      scores[member] = score;
      const auto place = model.emplace(score, member).first;
      const auto rank = static_cast<std::size_t>(std::distance(model.begin(), place));
      REQUIRE(z->rank(*z->find(member)) == rank);
      REQUIRE(*z->at(rank)->member == member);
      REQUIRE(z->count_before(score, false) ==
              static_cast<std::size_t>(std::distance(model.begin(), model.lower_bound({score, ""}))));
      REQUIRE(z->count_before(score, true) ==
              static_cast<std::size_t>(std::distance(model.begin(), model.lower_bound({score + 0.1, ""}))));
    }
    REQUIRE(z->size() == model.size());
    std::vector<std::pair<double, std::string>> all, part;
    const auto into = [](auto& to) {
      return [&to](const sorted_set::node& each) { to.emplace_back(each.score, std::string(each.member->view())); };
    };
    z->visit(0, z->size(), into(all));
    REQUIRE(std::equal(all.begin(), all.end(), model.begin(), model.end()));
    const std::size_t first = random() % (all.size() / 2), end = all.size() - random() % (all.size() / 2);
    z->visit_reversed(first, end, into(part));
    std::reverse(part.begin(), part.end());
    REQUIRE(std::equal(part.begin(), part.end(), all.begin() + static_cast<std::ptrdiff_t>(first),
                       all.begin() + static_cast<std::ptrdiff_t>(end)));
  });
}

TEST_CASE("kv keyspace: keys end in the order of their times, and those that were kept or deleted do not") {
  under_heaps([](umber::heap&, std::mt19937_64& random, std::size_t scale) {
    keyspace keys;
    std::map<std::string, std::int64_t> model;  // 0: never
    const locked_shards locked(keys, ~shard_mask{0});
    for (std::size_t n = 0; n < 500 * scale; ++n) {
      const std::string key = "key" + std::to_string(random() % 100);
      const auto at = static_cast<std::int64_t>(random() % 3 == 0 ? 0 : 1 + random() % 1000);
      if (random() % 4 != 0) {
        if (keys.find(key, 0) == nullptr) keys.put(key, make_string("value"));
        keys.set_expiry(keys.find(key, 0), at);
        model[key] = at;
      } else if (entry* const e = keys.find(key, 0)) {
        keys.erase(e);
        model.erase(key);
      }
    }
    for (std::int64_t now = 100; now <= 1100; now += 100) {
      std::erase_if(model, [now](const auto& each) { return each.second != 0 && each.second < now; });
      std::size_t left = 0;
      for (unsigned shard = 0; shard < keyspace::shard_count; ++shard) {
        while (keys.remove_expired(shard, now, 3) == 3) continue;
        left += keys.size_of(shard);
      }
      REQUIRE(left == model.size());
      for (const auto& [key, at] : model) REQUIRE(keys.find(key, now)->expires_at == at);
    }
  });
}

TEST_CASE("kv numbers: one way to write each integer") {
  CHECK(parse_integer("-9223372036854775808") == INT64_MIN);
  CHECK(parse_integer("0") == 0);
  for (const char* wrong : {"", "-", "+1", "01", "-0", " 1", "1 ", "1.0", "9223372036854775808", "0x1"})
    CHECK_FALSE(parse_integer(wrong).has_value());
  CHECK(digits(3.14).text() == "3.1400000000000001");
  CHECK(digits(std::int64_t{-17}).text() == "-17");
}

TEST_CASE("kv patterns: stars, classes and backslashes") {
  CHECK(glob_matches("a*b*c", "aXbYbZc"));
  CHECK_FALSE(glob_matches("a*b*c", "aXbYbZ"));
  CHECK(glob_matches("[^a-c]?\\*", "dx*"));
  CHECK_FALSE(glob_matches("[^a-c]?\\*", "bx*"));
  CHECK(glob_matches("[z-a]", "m"));
  // Many stars are no reason to try all ways to place them.
  CHECK_FALSE(glob_matches(std::string(200, '*') + "b", std::string(20000, 'a')));
}

}  // namespace
}  // namespace kv

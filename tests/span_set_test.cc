#include "alloc/span_set.h"

#include "testing.h"

#include <algorithm>
#include <deque>

namespace umber::testing {

TEST_CASE("span_set: random operations agree with a deque [span_set.1]") {
  const std::uint64_t seed = new_seed();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  std::vector<mspan> spans(20);
  span_list list;
  std::deque<mspan*> model;
  for (int step = 0; step < 20'000; ++step) {
    mspan* s = &spans[random() % spans.size()];
    const auto place = std::find(model.begin(), model.end(), s);
    const std::uint64_t kind = random() % 4;
    if (place == model.end() && kind < 2) {
      list.push_back(s);
      model.push_back(s);
    } else if (place != model.end() && kind == 2) {
      list.remove(s);
      model.erase(place);
      REQUIRE((s->next == nullptr && s->previous == nullptr));
    } else if (kind == 3) {
      mspan* const expected = model.empty() ? nullptr : model.front();
      REQUIRE(list.pop_front() == expected);
      if (!model.empty()) model.pop_front();
      if (expected != nullptr) REQUIRE((expected->next == nullptr && expected->previous == nullptr));
    }
    REQUIRE(list.empty() == model.empty());
    REQUIRE(list.front() == (model.empty() ? nullptr : model.front()));
    REQUIRE(length(list) == model.size());
  }
  while (!list.empty()) {
    REQUIRE(list.pop_front() == model.front());
    model.pop_front();
  }
}

TEST_CASE("span_set: a span added twice ends a debug build [span_set.1]") {
#ifndef NDEBUG
  const ending end = death_of([] {
    mspan a, b;
    span_list first, second;
    first.push_back(&a);
    first.push_back(&b);
    second.push_back(&a);
  });
  CHECK(end.aborted());
#endif
}

}  // namespace umber::testing

// Many threads that each make short lists and keep some, and hand one in 64 on to their neighbour, in whose mailbox it
// is taken from: throughput against the number of mutators.
#include "harness.h"

namespace bench {

namespace {

struct cell {
  link<cell> next;
  std::uint64_t number;
};
using lists = array<link<cell>>;

constexpr std::size_t length = 8;
constexpr std::size_t handed_on = 64;

ref<cell> make_list(std::uint64_t first) {
  ref<cell> head = make<cell>();
  head->number = first;
  for (std::size_t j = 1; j < length; ++j) {
    const ref<cell> next = make<cell>();
    next->number = first + j;
    next->next = head;
    head = next;
  }
  return head;
}

std::uint64_t sum_of(const cell* list) {
  std::uint64_t sum = 0;
  for (; list != nullptr; list = list->next) sum += list->number;
  return sum;
}

void drop_list(cell* list) {
  if constexpr (!has_collector) {
    while (list != nullptr) {
      cell* const next = list->next;
      drop(list);
      list = next;
    }
  }
}

std::uint64_t take(const ref<cell>& list) {
  const std::uint64_t sum = sum_of(list);
  drop_list(list);
  return sum;
}

std::uint64_t make_lists(run& r, lane& l, lists& mailboxes) {
  const ref<lists> kept = make_array<link<cell>>(r.size());
  random_source random = random_of(l, 14);
  link<cell>& neighbour = mailboxes[(l.index() + 1) % r.threads()];
  std::uint64_t sum = 0;
  l.run(r.operations(2'000'000), [&](std::size_t i) {
    const ref<cell> list = make_list(i);
    sum += sum_of(list);
    if (i % handed_on == 0) {
      sum += take(exchange(neighbour, static_cast<cell*>(list)));
    } else {
      link<cell>& slot = (*kept)[random.below(r.size())];
      drop_list(slot);
      slot = list;
    }
  });
  for (const link<cell>& each : *kept) drop_list(each);
  drop(kept);
  return sum;
}

}  // namespace

outcome threads(run& r) {
  const attached here(r.heap());
  const ref<lists> mailboxes = make_array<link<cell>>(r.threads());
  std::uint64_t sum = r.on_lanes_beside([&, all = &*mailboxes](lane& l) { return make_lists(r, l, *all); });
  for (const link<cell>& each : *mailboxes) sum += take(ref<cell>(each));
  drop(mailboxes);
  return {sum};
}

}  // namespace bench

#include "harness.h"

namespace bench {

namespace {

memory_choices memory_of(const workload& row, const choices& chosen) {
  memory_choices result = chosen.memory;
  if (!row.shape.collects_by_itself) result.never_by_itself = true;
  return result;
}

}  // namespace

run::run(const workload& row, const choices& chosen)
    : row_(row),
      chosen_(chosen),
      threads_(row.shape.may_have_threads ? chosen.threads.value_or(row.shape.threads) : 1),
      depth_(row.shape.depth != 0 ? chosen.depth.value_or(row.shape.depth) : 0),
      rate_(row.shape.is_paced ? chosen.rate.value_or(row.shape.rate) : 0),
      memory_(memory_of(row, chosen)),
      recorder_(memory_, threads_, rate_, chosen.jitter) {}

std::size_t run::scaled(std::size_t count) const {
  const auto result = static_cast<std::size_t>(static_cast<double>(count) * chosen_.scale);
  return result == 0 ? 1 : result;
}

std::size_t run::operations(std::size_t count) const {
  if (rate_ <= 0) return scaled(count);
  const auto result = static_cast<std::size_t>(rate_ * chosen_.seconds);
  return result == 0 ? 1 : result;
}

}  // namespace bench

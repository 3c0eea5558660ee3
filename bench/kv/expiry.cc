// A hole moves up or down until what is to be placed fits into it.
#include "expiry.h"

namespace kv {

void expiry_line::put(std::size_t place, std::int64_t at, entry* who) noexcept {
  heap_[place].at = at;
  heap_[place].who = who;
  who->place_in_line = static_cast<std::uint32_t>(place);
}

void expiry_line::move_up(std::size_t place, std::int64_t at, entry* who) noexcept {
  while (place > 0) {
    const std::size_t above = (place - 1) / 2;
    if (heap_[above].at <= at) break;
    put(place, heap_[above].at, heap_[above].who);
    place = above;
  }
  put(place, at, who);
}

void expiry_line::move_down(std::size_t place, std::int64_t at, entry* who) noexcept {
  const std::size_t count = heap_.size();
  for (;;) {
    std::size_t below = 2 * place + 1;
    if (below >= count) break;
    if (below + 1 < count && heap_[below + 1].at < heap_[below].at) ++below;
    if (at <= heap_[below].at) break;
    put(place, heap_[below].at, heap_[below].who);
    place = below;
  }
  put(place, at, who);
}

void expiry_line::set(const umber::local<entry>& e, std::int64_t at) {
  if (at == 0) return forget(*e);
  if (e->expires_at == 0) {
    heap_.emplace_back(at, e.get());
    e->expires_at = at;
    move_up(heap_.size() - 1, at, e);
    return;
  }
  const bool earlier = at < e->expires_at;
  e->expires_at = at;
  if (earlier)
    move_up(e->place_in_line, at, e);
  else
    move_down(e->place_in_line, at, e);
}

void expiry_line::forget(entry& e) noexcept {
  if (e.expires_at == 0) return;
  const std::size_t place = e.place_in_line;
  const std::int64_t last_at = heap_.back().at, own_at = e.expires_at;
  entry* const last = heap_.back().who;
  heap_.pop_back();
  e.expires_at = 0;
  if (last == &e) return;
  if (last_at < own_at)
    move_up(place, last_at, last);
  else
    move_down(place, last_at, last);
}

entry* expiry_line::due(std::int64_t now) const noexcept {
  return heap_.empty() || heap_.front().at >= now ? nullptr : heap_.front().who.get();
}

}  // namespace kv

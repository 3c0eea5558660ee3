// No array is empty: the last text that leaves one takes it along.
#include "list.h"

namespace kv {

void list::push_front(const umber::local<umber::string>& text) {
  if (front_ == nullptr || front_->first == 0) {
    const umber::local<chunk> made = umber::make<chunk>();
    made->first = chunk::places;
    made->after = front_.get();
    (front_ == nullptr ? back_ : front_->before) = made;
    front_ = made;
  }
  chunk& c = *front_;
  --c.first;
  ++c.count;
  c.item(0) = text;
  ++size_;
}

void list::push_back(const umber::local<umber::string>& text) {
  if (back_ == nullptr || back_->first + back_->count == chunk::places) {
    const umber::local<chunk> made = umber::make<chunk>();
    made->before = back_.get();
    (back_ == nullptr ? front_ : back_->after) = made;
    back_ = made;
  }
  chunk& c = *back_;
  c.item(c.count++) = text;
  ++size_;
}

void list::unlink(chunk& empty) noexcept {
  chunk* const before = empty.before;
  chunk* const after = empty.after;
  (before == nullptr ? front_ : before->after) = after;
  (after == nullptr ? back_ : after->before) = before;
}

umber::string* list::pop_front() noexcept {
  chunk& c = *front_;
  umber::string* const text = c.item(0);
  c.item(0) = nullptr;
  ++c.first;
  --size_;
  if (--c.count == 0) unlink(c);
  return text;
}

umber::string* list::pop_back() noexcept {
  chunk& c = *back_;
  umber::string* const text = c.item(c.count - 1);
  c.item(c.count - 1) = nullptr;
  --size_;
  if (--c.count == 0) unlink(c);
  return text;
}

list::position list::find(std::size_t place) const noexcept {
  if (place < size_ / 2) {
    chunk* c = front_;
    for (; place >= c->count; c = c->after) place -= c->count;
    return {c, static_cast<std::uint32_t>(place)};
  }
  std::size_t behind = size_ - place;
  chunk* c = back_;
  for (; behind > c->count; c = c->before) behind -= c->count;
  return {c, static_cast<std::uint32_t>(c->count - behind)};
}

}  // namespace kv

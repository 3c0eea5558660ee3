#include "mcentral.h"

#include "planted.h"

namespace umber::alloc {

namespace {
constinit mcentral centrals[span_class_count];
}

mcentral& central(span_class c) { return centrals[c.value]; }

mspan* mcentral::take(span_home* p) {
  const lock_guard guard(lock_);
  mspan* s = partial_.pop_front();
  if (s == nullptr) s = trimmed_.pop_front();
  if (s == nullptr) return nullptr;
  s->flags &= static_cast<std::uint8_t>(~mspan::flag_trimmed);
  // seq_cst: pairs with the fetch_or in remote.cc, as in put (litmus: listed).
  s->owner.store(address_of(p), std::memory_order_seq_cst);
  s->collect_remote();
  return s;
}

mspan* mcentral::put(mspan* s) {
  const lock_guard guard(lock_);
  partial_.push_back(s);
  // seq_cst: pairs with the fetch_or in remote.cc: a remote free is seen by the look below, or sees in_central
  // (litmus: listed).
  s->owner.store(span_owner::in_central(s->spans_class()), std::memory_order_seq_cst);
  if (s->has_remote() && !is_planted(fault::put_without_second_look)) s->collect_remote();
  return s->all_free() ? unlist(s) : nullptr;
}

bool mcentral::collect(mspan* s, mspan*& rest) {
  const lock_guard guard(lock_);
  // relaxed: changes to and from in_central of this class happen under this lock only.
  const std::uintptr_t owner = s->owner.load(std::memory_order_relaxed);
  if (!span_owner::is_in_central(owner) || &central(span_owner::class_in_central(owner)) != this) return false;
  if (s->collect_remote() && (s->flags & mspan::flag_trimmed) != 0) {
    // More of it is free now: worth another look.
    trimmed_.remove(s);
    s->flags &= static_cast<std::uint8_t>(~mspan::flag_trimmed);
    partial_.push_back(s);
  }
  rest = s->all_free() ? unlist(s) : nullptr;
  return true;
}

mspan* mcentral::unlist(mspan* s) {
  list_of(s).remove(s);
  s->flags &= static_cast<std::uint8_t>(~mspan::flag_trimmed);
  s->owner.store(span_owner::in_flux, std::memory_order_relaxed);  // relaxed: whoever reads it stays away
  return s;
}

}  // namespace umber::alloc

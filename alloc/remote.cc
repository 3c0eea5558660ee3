#include "remote.h"

#include "planted.h"

namespace umber::alloc {

namespace {

// A full span that its home has left: ours if nobody was faster.
void take_from_home(mspan* s, std::uintptr_t owner) {
  if (s->count_free_or_remote() * 8 < s->slots) return;
  if (s->private_home != nullptr) return span_owner::home(owner)->notify(s);
  // acquire: pairs with the release in processor::leave_full; the free bits are now ours.
  if (!s->owner.compare_exchange_strong(owner, span_owner::in_flux, std::memory_order_acquire,
                                        std::memory_order_relaxed))
    return;
  s->collect_remote();
  mspan* rest = s->all_free() ? s : central(s->spans_class()).put(s);
  if (rest != nullptr) heap.free_span(rest, nullptr);
}

}  // namespace

void send(mspan* s, std::size_t w, std::uint64_t bits) {
  // seq_cst: pairs with the looks in leave_full and mcentral::put (each changes `owner`, then reads `remote`; we change
  // `remote`, then read `owner`: one of the two sees the other; litmus: leave_full, listed). It also releases what the
  // program wrote before free.
  const std::uint64_t before = s->remote[w].fetch_or(bits, std::memory_order_seq_cst);
  if (UMBER_UNLIKELY((before & bits) != 0))
    die_double_free(*s, {w * 64 + static_cast<std::size_t>(std::countr_zero(before & bits))});
  for (;;) {
    const std::uintptr_t owner = s->owner.load(std::memory_order_seq_cst);  // seq_cst: see above (litmus: leave_full)
    if (span_owner::is_in_central(owner)) {
      mspan* rest = nullptr;
      if (!central(span_owner::class_in_central(owner)).collect(s, rest)) continue;  // it has just left
      if (rest != nullptr) heap.free_span(rest, nullptr);
    } else if (span_owner::is_processor(owner)) {
      span_owner::home(owner)->notify(s);
    } else if (span_owner::is_at_home(owner)) {
      take_from_home(s, owner);
    }
    return;
  }
}

void span_home::notify(mspan* s) {
  // acq_rel: whoever takes it out reads what we saw. The load saves the exchange where it is there already; seq_cst,
  // like the store in attend: a span taken out before our bits arrived is put in again (litmus: inbox).
  if (s->in_inbox.load(std::memory_order_seq_cst) || s->in_inbox.exchange(true, std::memory_order_acq_rel)) return;
  mspan* head = inbox.load(std::memory_order_relaxed);  // relaxed: the exchange decides
  do {
    s->inbox_next.store(head, std::memory_order_relaxed);  // relaxed: published by the exchange
    // release: pairs with the acquire in take_inbox.
  } while (!inbox.compare_exchange_weak(head, s, std::memory_order_release, std::memory_order_relaxed));
}

mspan* span_home::take_inbox() {
  if (UMBER_LIKELY(inbox.load(std::memory_order_relaxed) == nullptr)) return nullptr;  // relaxed: a hint
  return inbox.exchange(nullptr, std::memory_order_acquire);  // pairs with the release in notify
}

void remote_frees::send_from(place& from) {
  // The word lies in its span, whose storage is aligned to its size.
  auto* s = pointer_to<mspan>(round_down(address_of(from.word), sizeof(mspan)));
  const auto w = static_cast<std::size_t>(from.word - s->remote);
  const std::uint64_t bits = from.bits;
  from = {};
  send(s, w, bits);
}

void remote_frees::send_all() {
  bytes_ = 0;
  if (is_planted(fault::skip_remote_flush)) return;
  for (place& p : places_)
    if (p.word != nullptr) send_from(p);
}

}  // namespace umber::alloc

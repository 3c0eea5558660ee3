// A list of spans, linked through the spans themselves: adding and removing touch no memory but theirs.
//
// One pointer wide, because a processor has one per span class. Spans are taken from the front and added at the back,
// so a span that has just got its first free slot waits until it has more of them, and a refill is worth its price.
//
// Invariants
//   [span_set.1] a span is in at most one list; next and previous are null outside of one.
// Concurrency
//   The list's owner only.
// Uses / used by
//   Uses mspan. Used by mcentral and processor.
#pragma once

#include "mspan.h"

namespace umber::alloc {

class span_list {
 public:
  bool empty() const { return front_ == nullptr; }
  mspan* front() const { return front_; }

  template <class Visit>
  void for_each(Visit visit) const {
    mspan* s = front_;
    if (s == nullptr) return;
    do {
      visit(s);
      s = s->next;
    } while (s != front_);
  }

  void push_back(mspan* s) {
    UMBER_DCHECK(s->next == nullptr && s->previous == nullptr);  // [span_set.1]
    if (front_ == nullptr) {
      s->next = s->previous = s;
      front_ = s;
      return;
    }
    s->next = front_;
    s->previous = front_->previous;
    front_->previous->next = s;
    front_->previous = s;
  }

  void remove(mspan* s) {
    if (s->next == s) {
      front_ = nullptr;
    } else {
      s->next->previous = s->previous;
      s->previous->next = s->next;
      if (front_ == s) front_ = s->next;
    }
    s->next = s->previous = nullptr;
  }

  // Takes over all spans of another list.
  void append(span_list& other) {
    if (other.front_ == nullptr) return;
    if (front_ == nullptr) {
      front_ = other.front_;
    } else {
      mspan* last = front_->previous;
      mspan* other_last = other.front_->previous;
      last->next = other.front_;
      other.front_->previous = last;
      other_last->next = front_;
      front_->previous = other_last;
    }
    other.front_ = nullptr;
  }

  mspan* pop_front() {
    mspan* s = front_;
    if (s != nullptr) remove(s);
    return s;
  }

 private:
  mspan* front_ = nullptr;  // of a ring
};

}  // namespace umber::alloc

#include "mheap.h"

#include "options.h"
#include "os.h"
#include "planted.h"

#include <cstring>
#include <new>

namespace umber::alloc {

constinit mheap heap;

namespace {

constexpr page_count stocked_below = {16};  // spans of fewer pages come from the stock
constexpr std::size_t spares_per_stock = 8;
// A change of mappings waits until the call of the system has ended: this takes some 30 us.
constexpr page_count populated_at_once = page_count::covering(128 * kib);
constexpr page_count growth_step = page_alloc::chunk_pages;
// A heap that outgrows its first arena, and has little free in what it has, grows by huge pages.
constexpr page_id worth_packing = {pages_per_arena};
// Objects of this size start at rounder addresses: the pages that one touched are then those that the next will touch.
constexpr std::size_t worth_aligning = mib;
constexpr std::size_t large_alignment = 64 * kib;
// Above this the memory saved while both copies exist counts for more than the time.
constexpr std::size_t worth_moving_anyway = 32 * mib;

page_run inner_machine_pages(page_run run) {
  const std::size_t unit = os::machine_page_size() / page_size;
  if (unit <= 1) return run;
  const std::size_t first = round_up(run.first.value, unit);
  const std::size_t end = round_down(run.end().value, unit);
  return end > first ? page_run{{first}, {end - first}} : page_run{};
}

}  // namespace

bool mheap::start() {
  if (started_) return true;
  if (window.capacity == 0 && !window.start()) return false;
  if (pages_.capacity().value == 0 && !pages_.init({window.capacity})) return false;
  started_ = true;
  return true;
}

bool mheap::grow(page_count n) {
  if (unlisted_.empty()) {
    unlisted_ = window.grow({round_up(n.value, growth_step.value)}, &no_span);
    if (unlisted_.empty()) return false;
    const page_id first = unlisted_.first;
    if (first > worth_packing && pages_.free_pages().value * 8 < first.value) window.pack(unlisted_);
    press();
  }
  if (!pages_.grow(unlisted_)) return false;  // [mheap.1] it is listed when the heap grows next
  unlisted_ = {};
  return true;
}

page_allocation mheap::allocate_pages(page_count n, page_count alignment) {
  if (!start()) return {};
  page_allocation got = pages_.allocate(n, alignment);
  if (got.run.empty() && grow(n + alignment - page_count{1})) got = pages_.allocate(n, alignment);
  note_use();
  return got;
}

page_allocation mheap::allocate_far_aligned(page_count n, page_count alignment) {
  const page_allocation room = allocate_pages(n + alignment - page_count{1}, {1});
  if (room.run.empty()) return {};
  const bool zeroed = room.scavenged == room.run.count;
  const page_id first = window.page_of(round_up(window.address(room.run.first), alignment.bytes()));
  pages_.give_back_scavenged({room.run.first, first - room.run.first}, zeroed);
  pages_.give_back_scavenged({first + n, room.run.end() - (first + n)}, zeroed);
  return {{first, n}, zeroed ? n : page_count{0}};
}

void mheap::note_use() {
  const page_count known{window.pages.load(std::memory_order_relaxed)};  // relaxed: locked
  const page_count in_use = known - pages_.free_pages();
  if (in_use > peak_in_use_) peak_in_use_ = in_use;
  note_free();
}

void mheap::note_free() {
  unscavenged_.store(pages_.free_unscavenged_pages().value, std::memory_order_relaxed);  // relaxed: a hint
}

mspan* mheap::spare_span() {
  if (spare_ != nullptr) {
    mspan* s = spare_;
    spare_ = s->next;
    s->next = nullptr;
    return s;
  }
  mspan* fresh = spans_.allocate();
  return fresh == nullptr ? nullptr : new (fresh) mspan;
}

void mheap::keep_spare(mspan* s) {
  s->next = spare_;
  spare_ = s;
}

bool mheap::fill(span_stock& stock, page_count n, page_allocation& got) {
  if (!start()) return false;
  while (stock.spare_count < spares_per_stock) {
    mspan* s = spare_span();
    if (s == nullptr) break;
    s->next = stock.spare;
    stock.spare = s;
    ++stock.spare_count;
  }
  if (stock.spare == nullptr) return false;
  if (!got.run.empty()) return true;
  if (n < stocked_below) {
    pages_.free_cache(stock.pages);
    stock.pages = pages_.allocate_cache();
    if (stock.pages.empty() && grow(growth_step)) stock.pages = pages_.allocate_cache();
    got = stock.pages.allocate(n);
    note_use();
  }
  if (got.run.empty()) got = allocate_pages(n, {1});
  return !got.run.empty();
}

// Where slots are larger than pages, only those pages lead to the span on which a slot starts, and the first.
void mheap::set_index(const mspan* s, mspan* to) {
  if (s->slots >= s->run.count.value) return window.set_span(s->run, to);
  window.set_span({s->run.first, {1}}, to);
  for (std::size_t i = 0; i < s->slots; ++i) window.set_span({window.page_of(s->address({i})), {1}}, to);
}

mspan* mheap::allocate_span(span_class c, span_home* owner, span_stock& stock) {
  const page_count n{info(c).pages};
  page_allocation got;
  if (n < stocked_below) got = stock.pages.allocate(n);
  if (got.run.empty() || stock.spare == nullptr) {
    obey_limit(n);
    const lock_guard guard(lock_);
    if (!fill(stock, n, got)) {
      if (!got.run.empty()) pages_.free(got.run);  // [mheap.2]
      return nullptr;
    }
  }
  mspan* s = stock.spare;
  stock.spare = s->next;
  --stock.spare_count;
  s->next = nullptr;
  s->format(got.run, c, got.scavenged == n);
  s->owner.store(address_of(owner), std::memory_order_relaxed);  // relaxed: published by the index
  set_index(s, s);
  return s;
}

void mheap::free_span(mspan* s, span_stock* stock) {
  UMBER_DCHECK(s->all_free() && s->valid());
  const page_run run = s->run;
  if (!is_planted(fault::freed_span_stays_in_index)) set_index(s, &no_span);
  s->owner.store(span_owner::nobody, std::memory_order_relaxed);  // relaxed: late readers only stay away
  if (stock != nullptr && run.count < stocked_below && run.first >= stock->pages.base &&
      run.end() <= stock->pages.base + page_cache::pages && stock->spare_count < 2 * spares_per_stock) {
    stock->pages.free |= bitmap::mask(run.first.value - stock->pages.base.value, run.count.value);
    s->next = stock->spare;
    stock->spare = s;
    ++stock->spare_count;
    return;
  }
  const lock_guard guard(lock_);
  pages_.free(run);
  note_free();
  keep_spare(s);
}

void mheap::empty_stock(span_stock& stock) {
  const lock_guard guard(lock_);
  if (!stock.pages.empty()) pages_.free_cache(stock.pages);
  note_free();
  stock.pages = {};
  while (stock.spare != nullptr) {
    mspan* s = stock.spare;
    stock.spare = s->next;
    keep_spare(s);
  }
  stock.spare_count = 0;
}

mspan* mheap::allocate_large(std::size_t bytes, std::size_t alignment) {
  const page_count n = page_count::covering(bytes);
  if (bytes >= worth_aligning && alignment < large_alignment) alignment = large_alignment;
  const page_count pages_aligned{alignment <= page_size ? 1 : alignment / page_size};
  obey_limit(n);
  mspan* s = nullptr;
  page_allocation got;
  {
    const lock_guard guard(lock_);
    s = spare_span();
    if (s == nullptr) return nullptr;
    got = alignment <= arena_size ? allocate_pages(n, pages_aligned) : allocate_far_aligned(n, pages_aligned);
    if (got.run.empty()) {
      keep_spare(s);
      return nullptr;
    }
  }
  s->format_large(got.run, got.scavenged == n);
  window.set_span({got.run.first, {1}}, s);
  return s;
}

void mheap::free_large(mspan* s) {
  const page_run run = s->run;
  window.set_span({run.first, {1}}, &no_span);
  // A moved mapping cannot merge with its neighbours in the kernel: begin afresh, or a long run of moves would exhaust
  // the number of mappings. Failing that it stays as it is.
  const bool renewed =
      (s->flags & mspan::flag_moved) != 0 && os::renew(pointer_to(window.address(run.first)), run.count.bytes());
  const lock_guard guard(lock_);
  pages_.give_back_scavenged(run, renewed);
  note_free();
  keep_spare(s);
}

bool mheap::resize_large(mspan* s, std::size_t bytes) {
  const page_count n = page_count::covering(bytes);
  if (n > s->run.count) obey_limit(n - s->run.count);
  const lock_guard guard(lock_);
  if (n <= s->run.count) {
    const page_run rest{s->run.first + n, s->run.count - n};
    if (rest.empty()) return true;
    // As in free_large: where the mapping was moved the rest begins afresh, or stays with the object.
    if ((s->flags & mspan::flag_moved) != 0 && !os::renew(pointer_to(window.address(rest.first)), rest.count.bytes()))
      return true;
    pages_.free(rest);
    note_free();
    s->run.count = n;
    return true;
  }
  const page_run wanted{s->run.end(), n - s->run.count};
  page_count scavenged;
  if (!pages_.allocate_at(wanted, scavenged)) return false;
  note_use();
  s->run.count = n;
  return true;
}

mspan* mheap::move_large(mspan* s, std::size_t bytes) {
  mspan* larger = allocate_large(bytes, page_size);
  if (larger == nullptr) return nullptr;
  const page_run from = s->run;
  // Where the new pages are there already, copying is faster than moving the old ones and faulting in their place.
  const bool present = (larger->flags & mspan::flag_zeroed) == 0;
  if ((present && from.count.bytes() < worth_moving_anyway) ||
      !os::move(pointer_to(s->base), pointer_to(larger->base), from.count.bytes())) {
    std::memcpy(pointer_to(larger->base), pointer_to(s->base), from.count.bytes());
    free_large(s);
    return larger;
  }
  larger->flags = mspan::flag_moved;
  window.set_span({from.first, {1}}, &no_span);
  const lock_guard guard(lock_);
  pages_.give_back_scavenged(from, true);  // the move left nothing behind
  keep_spare(s);
  return larger;
}

page_count mheap::release(page_count most) {
  const page_count unit{os::machine_page_size() > page_size ? os::machine_page_size() / page_size : 1};
  page_run claimed;
  {
    const lock_guard guard(lock_);
    if (!started_) return {};
    claimed = pages_.find_scavengeable(most, unit);
  }
  if (claimed.empty()) return {};
  const page_run whole = inner_machine_pages(claimed);
  const os::range range{pointer_to(window.address(whole.first)), whole.count.bytes()};
  const bool released = !whole.empty() && window.release(&range, 1);
  const lock_guard guard(lock_);
  pages_.give_back_scavenged(claimed, released && whole == claimed);
  note_free();
  if (!released) return {};
  released_total_ += whole.count;
  return whole.count;
}

bool mheap::populate(page_count ahead) {
  const std::uint64_t now = os::now();
  page_run claimed;
  {
    const lock_guard guard(lock_);
    if (!start() || pages_.free_unscavenged_pages() >= ahead) return false;
    const page_count known{window.pages.load(std::memory_order_relaxed)};  // relaxed: locked
    const page_count backed = known - pages_.free_pages() + pages_.free_unscavenged_pages();
    if ((backed + page_cache::pages).bytes() > limit()) return false;
    claimed = pages_.find_scavenged(populated_at_once);
    if (claimed.empty() && grow(growth_step)) claimed = pages_.find_scavenged(populated_at_once);
    ahead_ = ahead;
    populated_at_ = now;
  }
  if (claimed.empty()) return false;
  const page_run whole = inner_machine_pages(claimed);
  const bool backed = !whole.empty() && os::populate(pointer_to(window.address(whole.first)), whole.count.bytes());
  const lock_guard guard(lock_);
  pages_.give_back_scavenged(claimed, !backed);
  note_free();
  return backed;
}

void mheap::obey_limit(page_count wanted) {
  const std::size_t limit = limit_.load(std::memory_order_relaxed);  // relaxed: a number on its own
  if (UMBER_LIKELY(limit == SIZE_MAX)) return;
  page_figures now = figures();
  while ((now.known - now.free + now.unscavenged + wanted).bytes() > limit && now.unscavenged.value > 0) {
    if (release(now.unscavenged).value == 0) return;
    now = figures();
  }
}

std::size_t mheap::set_limit(std::size_t bytes) {
  const std::size_t previous = limit_.exchange(bytes, std::memory_order_relaxed);  // relaxed: a number on its own
  obey_limit({0});
  return previous;
}

page_figures mheap::figures() {
  const lock_guard guard(lock_);
  page_figures f;
  if (!started_) return f;
  f.known = {window.pages.load(std::memory_order_relaxed)};  // relaxed: locked
  f.free = pages_.free_pages();
  f.unscavenged = pages_.free_unscavenged_pages();
  f.peak_in_use = peak_in_use_;
  f.released_total = released_total_;
  f.ahead = ahead_;
  f.populated_at = populated_at_;
  f.metadata_bytes = metadata::bytes() + pages_.metadata_bytes() + window.indexed * sizeof(mspan*);
  return f;
}

}  // namespace umber::alloc

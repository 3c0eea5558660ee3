#include "page_alloc.h"

#include "check.h"
#include "os.h"
#include "planted.h"

namespace umber::alloc {
namespace {

constexpr std::size_t chunk_bits = page_alloc::chunk_pages.value;
constexpr std::size_t not_found = bitmap::not_found;
constexpr std::size_t commit_step = 64 * kib;
// How often an aligned search tries the lowest runs before it asks for one that fits wherever it lies.
constexpr std::size_t aligned_tries = 16;

// Calls `visit(chunk, first bit, bits)` for the part of the run in each chunk.
template <class Visitor>
UMBER_FAST void for_each_chunk(page_run run, Visitor visit) {
  std::size_t page = run.first.value;
  const std::size_t end = run.end().value;
  while (page != end) {
    const std::size_t bit = page % chunk_bits;
    const std::size_t n = end - page < chunk_bits - bit ? end - page : chunk_bits - bit;
    visit(page / chunk_bits, bit, n);
    page += n;
  }
}

constexpr std::size_t first_chunk_of(page_run run) { return run.first.value / chunk_bits; }
constexpr std::size_t last_chunk_of(page_run run) { return (run.end().value - 1) / chunk_bits; }

}  // namespace

bool page_alloc::part::commit_up_to(std::size_t bytes) {
  if (bytes <= committed) return true;
  const std::size_t wanted = round_up(bytes, commit_step);
  if (!os::commit(pointer_to(start + committed), wanted - committed)) return false;
  committed = wanted;
  return true;
}

bool page_alloc::init(page_count capacity) {
  UMBER_DCHECK(capacity.value != 0 && capacity <= max_capacity && reserved_ == 0);
  const std::size_t chunks = divide_up(capacity.value, chunk_bits);
  const auto part_size = [](std::size_t bytes) { return round_up(bytes, commit_step); };
  std::size_t total = part_size(chunks * sizeof(chunk));
  for (std::size_t nodes = chunks;; nodes = divide_up(nodes, fanout)) {
    total += part_size(nodes * sizeof(summary));
    if (nodes == 1) break;
  }
  void* const start = os::reserve(total, commit_step);
  if (start == nullptr) return false;
  reserved_ = total;
  capacity_ = {chunks * chunk_bits};
  std::uintptr_t next = address_of(start);
  chunks_ = {next, 0};
  next += part_size(chunks * sizeof(chunk));
  std::size_t nodes = chunks;
  for (part& p : levels_) {
    p = {next, 0};
    next += part_size(nodes * sizeof(summary));
    if (nodes == 1) break;
    nodes = divide_up(nodes, fanout);
  }
  return true;
}

void page_alloc::destroy() {
  if (reserved_ != 0) os::unmap(pointer_to(chunks_.start), reserved_);
  reserved_ = height_ = 0;
  capacity_ = free_ = free_unscavenged_ = {};
  end_ = hint_ = {};
  chunks_ = {};
  for (part& p : levels_) p = {};
}

std::size_t page_alloc::metadata_bytes() const {
  std::size_t total = chunks_.committed;
  for (const part& p : levels_) total += p.committed;
  return total;
}

// Memory for the bitmaps and summaries of pages [0, end). What was committed before a failure stays, unseen.
bool page_alloc::commit_for(page_id end) {
  if (!chunks_.commit_up_to(end.value / chunk_bits * sizeof(chunk))) return false;
  for (std::size_t l = 0;; ++l) {
    const std::size_t nodes = divide_up(end.value, pages_at(l));
    if (!levels_[l].commit_up_to(nodes * sizeof(summary))) return false;
    if (nodes == 1) return true;
  }
}

bool page_alloc::grow(page_run fresh) {
  UMBER_DCHECK(fresh.first >= end_ && fresh.first.value % chunk_bits == 0 && fresh.count.value % chunk_bits == 0);
  if (fresh.empty()) return true;
  if (fresh.end().value > capacity_.value || !commit_for(fresh.end())) return false;
  end_ = fresh.end();
  while (height_ == 0 || nodes_at(height_ - 1) != 1) ++height_;
  put(fresh, true);
  // A new root stands above the old one too, whose summary did not change when the fresh pages lie far off.
  for (std::size_t l = 1; l < height_; ++l) refresh_parents(l, 0, 0);
  for (std::size_t l = 1; l < height_; ++l)
    refresh_parents(l, fresh.first.value / pages_at(l), (end_.value - 1) / pages_at(l));
  return true;
}

page_alloc::summary page_alloc::summarize(const chunk& c) {
  const bitmap::runs free = bitmap::summarize(c.free, chunk_bits);
  summary s{static_cast<std::uint32_t>(free.start), static_cast<std::uint32_t>(free.longest),
            static_cast<std::uint32_t>(free.end), 0};
  std::uint64_t unscavenged[chunk_bits / bitmap::word_bits];
  std::uint64_t any_unscavenged = 0;
  std::uint64_t any_scavenged = 0;
  for (std::size_t i = 0; i < chunk_bits / bitmap::word_bits; ++i) {
    unscavenged[i] = c.free[i] & ~c.scavenged[i];
    any_unscavenged |= unscavenged[i];
    any_scavenged |= c.scavenged[i];
  }
  if (any_unscavenged != 0)
    s.unscavenged =
        any_scavenged == 0 ? s.longest : static_cast<std::uint32_t>(bitmap::summarize(unscavenged, chunk_bits).longest);
  return s;
}

// Plain 32-bit arithmetic without branches on the runs: this is half of what an allocation costs.
page_alloc::summary page_alloc::join(const summary* children, std::size_t count, std::size_t child_pages) {
  const auto larger = [](std::uint32_t a, std::uint32_t b) { return a > b ? a : b; };
  const auto full = static_cast<std::uint32_t>(child_pages);
  summary s;
  std::uint32_t carried = 0;
  bool whole = true;
  for (std::size_t i = 0; i < count; ++i) {
    const summary child = children[i];
    const std::uint32_t reached = carried + child.start - (is_planted(fault::page_summary_off_by_one) && carried > 1);
    s.unscavenged = larger(s.unscavenged, child.unscavenged);
    s.longest = larger(larger(s.longest, child.longest), reached);
    s.start = whole ? reached : s.start;
    whole = whole && child.start == full;
    carried = child.start == full ? reached : child.end;
  }
  // Children that the heap has not reached yet have nothing to give.
  s.end = count == fanout ? carried : 0;
  return s;
}

// Recomputes nodes [first, last] of a level from the level below it; whether any of them changed.
bool page_alloc::refresh_parents(std::size_t l, std::size_t first, std::size_t last) {
  bool changed = false;
  const std::size_t below = nodes_at(l - 1);
  for (std::size_t node = first; node <= last; ++node) {
    const std::size_t child = node * fanout;
    const std::size_t count = below - child < fanout ? below - child : fanout;
    const summary s = join(level(l - 1) + child, count, pages_at(l - 1));
    changed |= s != level(l)[node];
    level(l)[node] = s;
  }
  return changed;
}

// Brings the summaries in line with the bitmaps of chunks [first_chunk, last_chunk] [page_alloc.1].
void page_alloc::refresh(std::size_t first_chunk, std::size_t last_chunk) {
  for (std::size_t i = first_chunk; i <= last_chunk; ++i) level(0)[i] = summarize(chunk_at(i));
  for (std::size_t l = 1; l < height_; ++l) {
    first_chunk /= fanout;
    last_chunk /= fanout;
    if (!refresh_parents(l, first_chunk, last_chunk)) return;
  }
}

// What a search for a run learns from the summary of the next node on its way.
page_alloc::sight page_alloc::look(const summary& s, std::size_t base, std::size_t pages, search& state) {
  if (s.longest != 0 && state.first_free == not_found) state.first_free = base;
  if (state.carried + s.start >= state.wanted) return sight::run_into_it;
  if (s.longest >= state.wanted) return sight::run_within;
  state.carried = s.start == pages ? state.carried + pages : s.end;
  return sight::nothing;
}

// The lowest run of `state.wanted` free pages that begins at `from` or above.
std::size_t page_alloc::find(std::size_t from, search& state) const {
  if (from >= end_.value || root().longest < state.wanted) return not_found;
  // The first chunk is the only one of which a part is left out.
  std::size_t node = from / chunk_bits;
  const std::size_t bit = from % chunk_bits;
  const std::uint64_t* const free = chunk_at(node).free;
  const std::size_t any = bitmap::find_run(free, chunk_bits, 1, bit);
  if (any != not_found) state.first_free = node * chunk_bits + any;
  const std::size_t here = any == not_found ? any : bitmap::find_run(free, chunk_bits, state.wanted, any);
  if (here != not_found) return node * chunk_bits + here;
  const std::size_t tail = level(0)[node].end;
  state.carried = tail < chunk_bits - bit ? tail : chunk_bits - bit;
  for (std::size_t l = 0; l < height_; ++l) {
    const std::size_t nodes = nodes_at(l);
    for (++node; node % fanout != 0 && node < nodes; ++node) {
      const std::size_t base = node * pages_at(l);
      const std::size_t carried = state.carried;
      const sight seen = look(level(l)[node], base, pages_at(l), state);
      if (seen == sight::run_into_it) return base - carried;
      if (seen == sight::run_within) return find_within(l, node, state);
    }
    node = (node - 1) / fanout;
  }
  return not_found;
}

// The lowest run within a node whose summary promises one.
std::size_t page_alloc::find_within(std::size_t l, std::size_t node, search& state) const {
  while (l != 0) {
    // Was this node the first with a free page, then its children say more precisely where that is.
    if (state.first_free == node * pages_at(l)) state.first_free = not_found;
    --l;
    sight seen = sight::nothing;
    std::size_t carried = 0;
    // What is carried into the node stays carried: it was too short to reach a run of the wanted length there.
    for (node *= fanout;; ++node) {
      UMBER_DCHECK(node < nodes_at(l) && "[page_alloc.1]");
      carried = state.carried;
      seen = look(level(l)[node], node * pages_at(l), pages_at(l), state);
      if (seen != sight::nothing) break;
    }
    if (seen == sight::run_into_it) return node * pages_at(l) - carried;
  }
  const std::uint64_t* const free = chunk_at(node).free;
  const std::size_t base = node * chunk_bits;
  if (state.first_free == base) state.first_free = base + bitmap::find_run(free, chunk_bits, 1);
  const std::size_t bit = bitmap::find_run(free, chunk_bits, state.wanted);
  UMBER_DCHECK(bit != not_found && "[page_alloc.1]");
  return base + bit;
}

// The lowest aligned run, if it is among the lowest `tries` candidates.
std::size_t page_alloc::find_aligned(std::size_t n, std::size_t alignment, std::size_t tries) const {
  std::size_t from = hint_.value;
  for (; tries != 0; --tries) {
    search state{n};
    const std::size_t page = find(from, state);
    if (page == not_found) return not_found;
    const std::size_t aligned = round_up(page, alignment);
    if (aligned == page || is_free({{aligned}, {n}})) return aligned;
    from = aligned + alignment;
  }
  return not_found;
}

// A heap may have very many runs that fit but lie badly; one that fits wherever it lies is then found at once, a
// little higher. Only when there is none must every candidate be tried.
std::size_t page_alloc::find_aligned(std::size_t n, std::size_t alignment) const {
  const std::size_t lowest = find_aligned(n, alignment, aligned_tries);
  if (lowest != not_found) return lowest;
  search state{n + alignment - 1};
  const std::size_t roomy = find(hint_.value, state);
  return roomy != not_found ? round_up(roomy, alignment) : find_aligned(n, alignment, SIZE_MAX);
}

bool page_alloc::is_free(page_run run) const {
  if (run.first > end_ || run.count > end_ - run.first) return false;
  bool all = true;
  for_each_chunk(run, [&](std::size_t i, std::size_t bit, std::size_t n) {
    all = all && bitmap::all_in_range(chunk_at(i).free, bit, n);
  });
  return all;
}

// Free pages become allocated; returns how many were scavenged [page_alloc.3].
page_count page_alloc::claim(page_run run) {
  UMBER_DCHECK(!run.empty() && is_free(run) && run.first >= hint_ && "[page_alloc.2]");
  std::size_t scavenged = 0;
  for_each_chunk(run, [&](std::size_t i, std::size_t bit, std::size_t n) {
    chunk& c = chunk_at(i);
    bitmap::clear_range(c.free, bit, n);
    scavenged += bitmap::count_range(c.scavenged, bit, n);
    bitmap::clear_range(c.scavenged, bit, n);
  });
  free_ -= run.count;
  free_unscavenged_ -= run.count - page_count{scavenged};
  if (run.first <= hint_) hint_ = run.end();
  refresh(first_chunk_of(run), last_chunk_of(run));
  return {scavenged};
}

// Allocated pages become free.
void page_alloc::put(page_run run, bool scavenged) {
  for_each_chunk(run, [&](std::size_t i, std::size_t bit, std::size_t n) {
    chunk& c = chunk_at(i);
    UMBER_DCHECK(bitmap::none_in_range(c.free, bit, n) && bitmap::none_in_range(c.scavenged, bit, n));
    bitmap::set_range(c.free, bit, n);
    if (scavenged) bitmap::set_range(c.scavenged, bit, n);
  });
  free_ += run.count;
  if (!scavenged) free_unscavenged_ += run.count;
  if (run.first < hint_) hint_ = run.first;
  refresh(first_chunk_of(run), last_chunk_of(run));
}

page_alloc::allocation page_alloc::allocate(page_count n, page_count alignment) {
  UMBER_DCHECK(n.value != 0 && is_power_of_two(alignment.value));
  if (n > largest_free_run()) return {};
  std::size_t first = not_found;
  if (alignment.value == 1) {
    search state{n.value};
    first = find(hint_.value, state);
    if (first != not_found) hint_ = {state.first_free};
  } else {
    first = find_aligned(n.value, alignment.value);
  }
  if (first == not_found) return {};
  const page_run run{{first}, n};
  const page_count scavenged = claim(run);
  return {run, scavenged};
}

bool page_alloc::allocate_at(page_run exact, page_count& scavenged) {
  if (exact.empty() || !is_free(exact)) return false;
  scavenged = claim(exact);
  return true;
}

void page_alloc::free(page_run run) {
  UMBER_DCHECK(run.end() <= end_);
  if (!run.empty()) put(run, false);
}

page_cache page_alloc::allocate_cache() {
  if (free_.value == 0) return {};
  search state{1};
  const std::size_t page = find(hint_.value, state);
  UMBER_DCHECK(page != not_found && "[page_alloc.2]");
  chunk& c = chunk_at(page / chunk_bits);
  const std::size_t word = page % chunk_bits / bitmap::word_bits;
  const page_cache cache{{round_down(page, bitmap::word_bits)}, c.free[word], c.scavenged[word]};
  c.free[word] = c.scavenged[word] = 0;
  const page_count taken = {bitmap::count(cache.free)};
  free_ -= taken;
  free_unscavenged_ -= taken - page_count{bitmap::count(cache.scavenged)};
  hint_ = cache.base + page_cache::pages;
  refresh(page / chunk_bits, page / chunk_bits);
  return cache;
}

void page_alloc::free_cache(const page_cache& cache) {
  UMBER_DCHECK((cache.scavenged & ~cache.free) == 0 && "[page_cache.2]");
  if (cache.empty()) return;
  const std::size_t i = cache.base.value / chunk_bits;
  const std::size_t word = cache.base.value % chunk_bits / bitmap::word_bits;
  chunk& c = chunk_at(i);
  UMBER_DCHECK((c.free[word] & cache.free) == 0);
  c.free[word] |= cache.free;
  c.scavenged[word] |= cache.scavenged;
  const page_count returned = {bitmap::count(cache.free)};
  free_ += returned;
  free_unscavenged_ += returned - page_count{bitmap::count(cache.scavenged)};
  const page_id lowest = cache.base + page_count{static_cast<std::size_t>(std::countr_zero(cache.free))};
  if (lowest < hint_) hint_ = lowest;
  refresh(i, i);
}

page_run page_alloc::find_scavengeable(page_count max, page_count min_run) {
  const std::size_t wanted = min_run.value < 1 ? 1 : min_run > chunk_pages ? chunk_pages.value : min_run.value;
  if (max.value == 0 || height_ == 0 || root().unscavenged < wanted) return {};
  std::size_t node = 0;
  for (std::size_t l = height_ - 1; l != 0; --l) {
    const std::size_t end = (node + 1) * fanout;
    node = (end < nodes_at(l - 1) ? end : nodes_at(l - 1)) - 1;
    while (level(l - 1)[node].unscavenged < wanted) --node;
  }
  const chunk& c = chunk_at(node);
  std::uint64_t unscavenged[chunk_bits / bitmap::word_bits];
  for (std::size_t i = 0; i < chunk_bits / bitmap::word_bits; ++i) unscavenged[i] = c.free[i] & ~c.scavenged[i];
  const bitmap::found_run found = bitmap::find_last_run(unscavenged, chunk_bits, wanted);
  UMBER_DCHECK(found.length >= wanted && "[page_alloc.1]");
  const std::size_t n = found.length < max.value ? found.length : max.value;
  const page_run run{{node * chunk_bits + found.first + found.length - n}, {n}};
  static_cast<void>(claim(run));
  return run;
}

page_run page_alloc::find_scavenged(page_count max) {
  if (max.value == 0 || free_ == free_unscavenged_) return {};
  for (std::size_t page = hint_.value;; page = round_up(page + 1, chunk_bits)) {
    search any{1};
    page = find(page, any);
    UMBER_DCHECK(page != not_found && "[page_alloc.4]");
    const std::uint64_t* const scavenged = chunk_at(page / chunk_bits).scavenged;
    for (std::size_t word = 0; word < chunk_bits / bitmap::word_bits; ++word) {
      if (scavenged[word] == 0) continue;
      const auto first = static_cast<unsigned>(std::countr_zero(scavenged[word]));
      const auto count = static_cast<unsigned>(std::countr_one(scavenged[word] >> first));
      const page_id start{round_down(page, chunk_bits) + word * bitmap::word_bits + first};
      const page_run run{start, count < max.value ? page_count{count} : max};
      static_cast<void>(claim(run));
      return run;
    }
  }
}

void page_alloc::give_back_scavenged(page_run claimed, bool released) {
  if (!claimed.empty()) put(claimed, released);
}

bool page_alloc::valid_chunks() const {
  std::size_t free = 0;
  std::size_t scavenged = 0;
  for (std::size_t i = 0; i < nodes_at(0); ++i) {
    const chunk& c = chunk_at(i);
    if (summarize(c) != level(0)[i]) return false;
    for (std::size_t word = 0; word < chunk_bits / bitmap::word_bits; ++word) {
      if ((c.scavenged[word] & ~c.free[word]) != 0) return false;
      const std::size_t page = i * chunk_bits + word * bitmap::word_bits;
      if (c.free[word] != 0 && page + static_cast<std::size_t>(std::countr_zero(c.free[word])) < hint_.value)
        return false;
    }
    free += bitmap::count_range(c.free, 0, chunk_bits);
    scavenged += bitmap::count_range(c.scavenged, 0, chunk_bits);
  }
  return free == free_.value && free - scavenged == free_unscavenged_.value;
}

bool page_alloc::valid() const {
  if (height_ == 0) return end_.value == 0 && free_.value == 0 && free_unscavenged_.value == 0;
  if (!valid_chunks() || nodes_at(height_ - 1) != 1) return false;
  for (std::size_t l = 1; l < height_; ++l)
    for (std::size_t node = 0; node < nodes_at(l); ++node) {
      const std::size_t child = node * fanout;
      const std::size_t count = nodes_at(l - 1) - child < fanout ? nodes_at(l - 1) - child : fanout;
      if (join(level(l - 1) + child, count, pages_at(l - 1)) != level(l)[node]) return false;
    }
  return true;
}

}  // namespace umber::alloc

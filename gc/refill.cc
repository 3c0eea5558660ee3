#include "refill.h"

#include "ahead.h"
#include "assist.h"
#include "handshake.h"
#include "request.h"
#include "sweep.h"

#include "alloc/bitmap.h"
#include "alloc/os.h"

#include <bit>
#include <cstring>

namespace umber::gc {

namespace {

constexpr std::size_t most_swept = 4;

// Counts slots that came to hand, and their bytes, and starts a cycle if that is due. The bytes some at a time: all
// mutators add to one number.
void charge(mutator& m, std::size_t slots, std::size_t bytes) {
  managed_heap& h = *m.heap;
  // relaxed, both: this thread alone writes it, for whoever asks how many.
  m.slots_taken.store(m.slots_taken.load(std::memory_order_relaxed) + slots, std::memory_order_relaxed);
  m.uncounted += bytes;
  if (m.uncounted < h.worth_counting()) return;
  const std::size_t counted = m.uncounted;
  const std::size_t sum = count_allocated(m);
  // relaxed: a number that nothing else hangs on.
  if (UMBER_UNLIKELY(sum + h.external_since_plan() >= h.trigger.load(std::memory_order_relaxed))) start_cycle(h);
  pay_for(m, counted);
}

bool may_grow(managed_heap& h, std::size_t bytes) {
  // relaxed, both: a limit, not a lock.
  const std::size_t most = h.wanted_options.hard_limit.load(std::memory_order_relaxed);
  return h.heap_bytes.load(std::memory_order_relaxed) + h.external_now() + bytes <= most;
}

mspan* fresh_span(mutator& m, space& home, std::size_t bytes = 0, page_word word = {}) {
  const std::size_t size = home.is_large() ? bytes : info(home.cls).pages * page_size;
  if (!may_grow(*m.heap, size)) return nullptr;
  mspan* s = make_span(home, m.stock, bytes, word);
  if (s == nullptr) return nullptr;
  m.heap->heap_bytes.fetch_add(s->run.count.bytes(), std::memory_order_relaxed);  // relaxed: a number on its own
  look_ahead(*m.heap);
  return s;
}

mspan* find_span(mutator& m, space& home) {
  for (;;) {
    answer_pending(m);  // [refill.1]
    mspan* s = home.take_partial(m.epoch);
    if (s == nullptr) s = sweep_for(home, m, most_swept);
    if (s != nullptr) return s;
    // relaxed: its own thread asks again before it uses what it gets.
    if (!is_asked(m.question.load(std::memory_order_relaxed))) return fresh_span(m, home);
  }
}

bool refill(mutator& m, std::uint32_t id, space& home) {
  if (m.next_word(id)) return true;
  m.give_up_span(id);
  mspan* s = find_span(m, home);
  if (s == nullptr) return false;
  m.hold(id, s);
  return true;
}

void* take_slot(mutator& m, std::uint32_t id) {
  detail::allocation_entry& e = m.entries[id];
  std::uint64_t slot;
  if (!take_lowest_bit(e.next, slot)) return nullptr;
  return pointer_to(e.base + slot * e.slot_size);
}

void charge_for_word(mutator& m, std::uint32_t id) {
  const std::size_t slots = bitmap::count(m.entries[id].next);
  charge(m, slots, slots * m.entries[id].slot_size);
}

// Has slots at hand and pays for them; paying may answer a question, and so give them up again.
bool have_slots(mutator& m, std::uint32_t id, space& home) {
  while (m.entries[id].next == 0) {
    if (!refill(m, id, home)) return false;
    charge_for_word(m, id);
  }
  return true;
}

// The frequent case on its own: what is held has another word of slots, and nobody wants samples. Null: not so simple.
void* take_from_held(mutator& m, std::uint32_t id) {
  if (id >= m.entry_count || m.at_hand(id) != 0 || sampler::is_on() || !m.next_word(id)) return nullptr;
  charge_for_word(m, id);  // which may give it up
  return take_slot(m, id);
}

// A whole collection because there is no memory.
void collect_in_want(mutator& m) {
  const std::uint64_t before = os::now();
  collect_for(m);
  m.stalled(stall_cause::wait, before);
}

// Every allocation comes here and is a handshake, and every n-th collects first.
void torture(mutator& m) {
  answer_pending(m);
  if (++m.tortured % m.heap->options.torture == 0) collect_for(m);
}

void refuse_when_shut(const managed_heap& h) {
  // relaxed: set by this thread.
  if (UMBER_UNLIKELY(h.shut.load(std::memory_order_relaxed)))
    die_misuse("make", &h, "is called by a cleanup that runs because the heap is being destroyed");
}

// Whether the program says that it has made room; then all that it has dropped is collected.
bool program_makes_room(mutator& m) {
  const heap_options& options = m.heap->options;
  if (options.on_out_of_memory == nullptr || m.asking) return false;
  m.asking = true;
  const bool again = options.on_out_of_memory(options.out_of_memory_context);
  m.asking = false;
  if (again) collect_in_want(m);
  return again;
}

// The slot at hand is taken, and may be a sample: `is_due` if it is one for sure. Seeks the next.
void* take_watched_slot(mutator& m, std::uint32_t id, const space& home, const type_layout& layout, bool is_due) {
  const std::uint64_t before = is_due ? 0 : m.chance.draw(m.entries[id].slot_size);
  void* const p = take_slot(m, id);
  m.keep_back(id, before == 0 ? m.chance.draw(m.entries[id].slot_size) : before - 1);
  if (before == 0) m.heap->samples.add(address_of(p), m.entries[id].slot_size, layout, home.layout == nullptr);
  return p;
}

// A slot of the space, its memory as it was. `layout` is the type of the object, or of its elements.
void* allocate_slot(mutator& m, std::uint32_t id, space& home, const type_layout& layout) {
  if (UMBER_UNLIKELY(m.heap->options.torture != 0)) torture(m);
  refuse_when_shut(*m.heap);
  if (!m.make_room(id)) return nullptr;
  const bool was_empty = m.entries[id].next == 0;
  const bool is_due = was_empty && m.held[id].later != 0 && m.take_kept_back(id);
  if (!have_slots(m, id, home)) {
    collect_in_want(m);
    while (!have_slots(m, id, home))
      if (!program_makes_room(m)) return nullptr;
  }
  const bool is_watched = UMBER_UNLIKELY(sampler::is_on()) && was_empty;
  void* p = is_watched ? take_watched_slot(m, id, home, layout, is_due) : take_slot(m, id);
  if (UMBER_UNLIKELY(m.heap->options.torture != 0)) m.entry_count = 0;
  return p;
}

mspan* large_span(mutator& m, space& home, std::size_t bytes, page_word word) {
  answer_pending(m);
  if (mspan* s = fresh_span(m, home, bytes, word); s != nullptr) return s;
  static_cast<void>(sweep_for(home, m, SIZE_MAX));  // which gives back those that are dead
  answer_pending(m);
  return fresh_span(m, home, bytes, word);
}

// An object with pages of its own, zeroed but for the header of an array.
void* allocate_large(mutator& m, space& home, const type_layout& layout, std::size_t bytes, page_word word,
                     array_header header = {}) {
  if (m.heap->options.torture != 0) torture(m);
  refuse_when_shut(*m.heap);
  mspan* s = large_span(m, home, bytes, word);
  if (s == nullptr) {
    collect_in_want(m);
    while ((s = large_span(m, home, bytes, word)) == nullptr)
      if (!program_makes_room(m)) return nullptr;
  }
  const std::uintptr_t object = s->base;
  if ((s->flags & mspan::flag_zeroed) == 0) std::memset(pointer_to(object), 0, bytes);
  *pointer_to<std::uint64_t>(object) = header.bits;
  charge(m, 1, bytes);  // may answer a question: the span is in no list yet
  if (m.black) object_map::mark(object);
  s->free[0].store(0, std::memory_order_release);  // pairs with the acquire in for_each_object
  home.put(s, m.epoch);
  const std::size_t whole = s->run.count.bytes();
  if (UMBER_UNLIKELY(sampler::is_on()) && m.chance.draw(whole) == 0)
    m.heap->samples.add(object, whole, layout, home.layout == nullptr);
  return pointer_to(object);
}

}  // namespace

void* allocate_object(mutator& m, const type_layout& layout) {
  if (void* p = take_from_held(m, layout.id); UMBER_LIKELY(p != nullptr)) return std::memset(p, 0, layout.size);
  space* home = m.heap->space_for(layout.id, &layout);
  if (home == nullptr) return nullptr;
  if (home->is_large()) return allocate_large(m, *home, layout, layout.size, home->word);
  void* p = allocate_slot(m, layout.id, *home, layout);
  return p == nullptr ? nullptr : std::memset(p, 0, layout.size);
}

void* allocate_array(mutator& m, const type_layout& element, std::size_t count, std::size_t header_bytes) {
  if (count > array_header::most || (element.size != 0 && count > (SIZE_MAX / 2 - header_bytes) / element.size))
    return nullptr;
  const std::size_t bytes = header_bytes + count * element.size;
  const size_class c = bytes > max_small_size ? size_class{0} : class_for(bytes < 16 ? 16 : bytes);
  const std::uint32_t id = array_id(c, !element.has_pointers());
  const array_header header = array_header::make(count, element.id, header_bytes);
  void* p = nullptr;
  if (id < m.entry_count && (p = take_slot(m, id)) != nullptr) {
    std::memset(p, 0, bytes);
  } else {
    space* home = m.heap->space_for(id, nullptr);
    if (home == nullptr) return nullptr;
    if (home->is_large()) {
      const std::size_t whole = page_count::covering(bytes).bytes();
      p = allocate_large(m, *home, element, bytes,
                         element.has_pointers() ? page_word::array(whole) : page_word::noscan(whole), header);
    } else if ((p = allocate_slot(m, id, *home, element)) != nullptr) {
      std::memset(p, 0, bytes);
    }
    if (p == nullptr) return nullptr;
  }
  *static_cast<std::uint64_t*>(p) = header.bits;
  return p;
}

}  // namespace umber::gc

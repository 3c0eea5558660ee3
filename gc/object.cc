#include "object.h"

#include "alloc/os.h"
#include "alloc/sync.h"

namespace umber::gc {

namespace {

constinit mutex<rank::object_map> lock;
constinit std::atomic<std::size_t> covered{0};  // pages

constexpr std::size_t mark_bytes(std::size_t pages) { return pages * page_size / object_map::granule / 8; }
constexpr std::size_t word_bytes(std::size_t pages) { return pages * sizeof(std::uint64_t); }

// Where in an array that begins there the entry of address 0 would be, with one entry for so many bytes.
std::uintptr_t entry_of_null(const void* begin, std::size_t bytes_an_entry) {
  return address_of(begin) - window.base / bytes_an_entry * sizeof(std::uint64_t);
}

bool reserve_both() {
  static constinit bool done = false;
  if (done) return true;
  void* marks = os::reserve(mark_bytes(window.capacity), arena_size);
  if (marks == nullptr) return false;
  void* words = os::reserve(word_bytes(window.capacity), arena_size);
  if (words == nullptr) {
    os::unmap(marks, mark_bytes(window.capacity));
    return false;
  }
  object_map::marks_of_null = entry_of_null(marks, 64 * object_map::granule);
  object_map::words_of_null = entry_of_null(words, page_size);
  done = true;
  return true;
}

}  // namespace

bool object_map::covers(page_id end) {
  return end.value <= covered.load(std::memory_order_acquire);  // pairs with the release in cover
}

std::size_t object_map::bytes() {
  const std::size_t pages = covered.load(std::memory_order_relaxed);  // relaxed: a figure
  return mark_bytes(pages) + word_bytes(pages);
}

bool object_map::cover(page_id end) {
  if (UMBER_LIKELY(covers(end))) return true;
  const lock_guard guard(lock);
  const std::size_t first = covered.load(std::memory_order_relaxed);  // relaxed: locked
  if (end.value <= first) return true;
  if (!reserve_both()) return false;
  const std::size_t last = round_up(end.value, pages_per_arena);
  // What is committed twice after a failure in between does no harm.
  if (!os::commit(pointer_to(address_of(marks()) + mark_bytes(first)), mark_bytes(last - first))) return false;
  if (!os::commit(pointer_to(address_of(words()) + word_bytes(first)), word_bytes(last - first))) return false;
  covered.store(last, std::memory_order_release);  // pairs with the acquire in covers
  return true;
}

void object_map::set_words(page_run run, page_word word) {
  std::atomic<std::uint64_t>* const all = words();
  for (std::size_t i = run.first.value; i < run.end().value; ++i)
    all[i].store(word.bits, std::memory_order_relaxed);  // relaxed: published with the span's first object
}

}  // namespace umber::gc

// Marking: takes candidates, marks those that are not, and makes candidates of what they point to.
//
//   drain   takes the newest candidate of the chunk at hand
//             near the last one: it is looked at at once, for it is in the cache, or on its way
//             far: its mark bits and its first line are asked for, and it waits until 16 others have been
//           marks it, and queues its children, so that the first of them is taken next
//
// Memory latency is what marking costs: an object in random order is two misses (its mark bits, itself), 200 ns each
// where the next address is only known after them. Sixteen requests under way hide nearly all of it; but a heap walked
// in the order of its allocation is a stream that the hardware fetches by itself, and queueing would only break it up.
// So what is near is not queued.
//
// An atomic change of a mark word keeps the processor from looking ahead (a third of the time of marking, when each
// object had its own), so the marks of neighbours are gathered and written together. Two markers may so mark the same
// object, and scan it twice; that does no harm.
//
// Where there is no memory for a candidate its object is marked at once and `rescan` set: before marking ends the
// fields of all marked objects are looked at again. Slow, and correct.
//
// Invariants
//   [mark.1] when no chunk holds a candidate, no marker waits with one, and `rescan` is not set, no grey object exists.
// Concurrency
//   A marker belongs to one thread. Marks are atomic.
// Uses / used by
//   Uses managed_heap. Used by assist, weak, cycle.
#pragma once

#include "managed_heap.h"

namespace umber::gc {

class marker {
 public:
  explicit marker(managed_heap& h) : heap_(h) {}
  ~marker() { publish(); }
  marker(const marker&) = delete;
  marker& operator=(const marker&) = delete;

  void add(std::uintptr_t object) {
    if (object != 0) push(object);
  }
  // What the object points to, and not itself.
  void add_children(std::uintptr_t object) { scan(object, object_map::word_of(object)); }
  // Marks until about `most` objects have been looked at, or nothing is left that it could take. Bytes marked.
  std::size_t drain(std::size_t most);
  // Looks at the fields of all marked objects again.
  void rescan();
  // Whether it has candidates, and whether it has ever taken some.
  bool has_work() const { return waiting_ != 0 || (chunk_ != nullptr && chunk_->count != 0); }
  bool took_work() const { return took_work_; }
  // Gives half of what it has to everybody, the older half: if nobody else has anything to give.
  void share();
  // Gives all that it has to everybody, and its figures to the heap.
  void publish();
  std::size_t bytes() const { return bytes_; }  // marked since the last publish

 private:
  static constexpr std::size_t ring_size = 16;
  static constexpr std::size_t near = 2 * kib;
  static constexpr std::size_t prefetch_distance = kib;
  static constexpr std::size_t words_per_piece = 2048;

  void push(std::uintptr_t item) {
    if (UMBER_UNLIKELY(chunk_ == nullptr || !chunk_->has_room()) && !new_chunk(item)) return;
    chunk_->items[chunk_->count++] = item;
  }
  UMBER_SLOW bool new_chunk(std::uintptr_t item);
  bool take_chunk();
  UMBER_FAST bool delay(std::uintptr_t& object, page_word& word);
  bool take_delayed(std::uintptr_t& object, page_word& word);
  UMBER_FAST bool mark(std::uintptr_t object);
  void write_marks();
  UMBER_SLOW void check_owner(std::uintptr_t object) const;
  UMBER_FAST void look_at(std::uintptr_t object, page_word word);
  UMBER_FAST void scan_masked(std::uintptr_t object, std::uint64_t mask);
  void scan(std::uintptr_t object, page_word word);
  void scan_typed(std::uintptr_t object, const type_layout& layout);
  void scan_array(std::uintptr_t object);
  void scan_elements(std::uintptr_t object, std::size_t first, std::size_t end, const type_layout& layout);
  void push_piece(std::uintptr_t object, std::size_t first);
  void scan_piece(std::uintptr_t object);
  static void visit_slot(void* self, const void* slot);

  managed_heap& heap_;
  work_chunk* chunk_ = nullptr;
  std::atomic<std::uint64_t>* word_ = nullptr;  // of marks, that of the last object
  std::uint64_t known_ = 0;                     // its marks
  std::uint64_t fresh_ = 0;                     // of these, not written yet
  struct delayed {
    std::uintptr_t object;
    page_word word;
  };
  delayed ring_[ring_size];
  std::size_t next_ = 0;     // the oldest of the ring
  std::size_t waiting_ = 0;  // in the ring
  std::size_t bytes_ = 0;
  std::size_t objects_ = 0;
  bool took_work_ = false;
};

}  // namespace umber::gc

// Marking: takes candidates, marks those that are not, and makes candidates of what they point to.
//
//   drain   takes the newest candidate of the chunk at hand
//             near the last one: it is looked at at once, for it is in the cache, or on its way
//             far: its mark bits and its first line are asked for, and it waits until 16 others have been
//           marks it, queues its children, and goes on with the first of them
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
// A step of marking is short, whatever it meets: what is larger than a piece (16 KiB) is scanned piece by piece,
// arrays, objects with many fields and those with a `trace` of their own alike, and what is left of it waits with the
// candidates (work.h). A piece is a range of memory: elements of an array, pointers of a layout, or what a `trace`
// shows there. What is scanned whole counts as more than one object, if it is large.
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

  // Makes a candidate of an object, or of nothing.
  void add(std::uintptr_t object);
  // What the object points to, and not itself.
  void add_children(std::uintptr_t object) { scan(object, object_map::word_of(object)); }
  // Marks until about `most` objects have been looked at, or nothing is left that it could take. Bytes marked.
  std::size_t drain(std::size_t most);
  // Looks at the fields of all marked objects again.
  void rescan();
  // Whether it has candidates, and whether it has ever taken some.
  bool has_work() const { return r_.waiting != 0 || r_.top != r_.floor; }
  bool took_work() const { return took_work_; }
  // Writes the marks that were gathered.
  void show_marks();
  // Gives half of what it has to everybody, the older half: if nobody else has anything to give.
  void share();
  // Gives all that it has to everybody, and its figures to the heap.
  void publish();
  std::size_t bytes() const { return r_.bytes; }  // marked since the last publish

 private:
  static constexpr std::size_t ring_size = 16;
  static constexpr std::size_t near = 16 * kib;
  static constexpr std::size_t prefetch_distance = 4 * kib;
  static constexpr std::size_t piece_bytes = 16 * kib;
  static constexpr std::size_t bytes_like_an_object = 256;  // of what is scanned: as long as to look at an object

  // What is scanned in pieces: elements of one type. An object of a fixed size is the only one.
  struct elements {
    std::uintptr_t begin;
    std::size_t bytes;
    const type_layout* layout;

    static elements of(std::uintptr_t object, page_word word);
    bool in_pieces() const;
  };

  struct delayed {
    std::uintptr_t object;
    page_word word;
  };
  // What the inner loop keeps in registers: in memory each of these would be a chain of stores and loads from object to
  // object. It is a copy of the members while `drain` runs, and written back before anything out of line.
  struct registers {
    std::uintptr_t* top = nullptr;               // one past the newest candidate of the chunk
    std::uintptr_t* floor = nullptr;             // the chunk's first place
    std::uintptr_t* full = nullptr;              // the first `top` that leaves no room for the fields of any object
    std::atomic<std::uint64_t>* word = nullptr;  // of marks, that of the last object
    std::uint64_t written = 0;                   // its marks
    std::uint64_t marks = 0;                     // and with those that are not written yet
    std::size_t count = 0;                       // of these
    std::size_t slot_size = 0;                   // of the objects there
    std::size_t next = 0;                        // the oldest of the ring
    std::size_t waiting = 0;                     // in the ring
    std::size_t bytes = 0;
    std::size_t objects = 0;
    bool looks_twice = false;  // as the heap's when `drain` began
  };

  UMBER_FAST void push(registers& r, std::uintptr_t item);
  UMBER_SLOW bool new_chunk();
  UMBER_SLOW void mark_for_rescan(std::uintptr_t object);
  UMBER_SLOW void mark_fields_for_rescan(std::uintptr_t object, std::uint64_t mask);
  bool take_chunk();
  void use_chunk(work_chunk* chunk);
  void put_chunk();
  UMBER_FAST bool delay(registers& r, std::uintptr_t& object, page_word& word);
  UMBER_FAST void take_delayed(registers& r, std::uintptr_t& object, page_word& word);
  UMBER_FAST static bool mark(registers& r, std::uintptr_t object, page_word page);
  UMBER_FAST static void write_marks(registers& r);
  UMBER_SLOW void check_owner(std::uintptr_t object) const;
  UMBER_SLOW void look_twice(std::uintptr_t object);
  UMBER_FAST std::uintptr_t look_at(registers& r, std::uintptr_t object, page_word word, std::size_t& most);
  UMBER_FAST std::uintptr_t scan_masked(registers& r, std::uintptr_t object, std::uint64_t mask);
  std::size_t scan(std::uintptr_t object, page_word word);
  std::size_t scan_elements(std::uintptr_t object, const elements& all);
  void scan_all_masked(std::uintptr_t object, std::uint64_t mask);
  void scan_typed(std::uintptr_t object, const type_layout& layout);
  void scan_part(std::uintptr_t object, std::size_t first, std::size_t end, const type_layout& layout);
  void scan_range(const elements& all, std::size_t first, std::size_t end);
  bool push_piece(std::uintptr_t object, std::size_t first);
  void scan_piece(std::uintptr_t object);
  static void visit_slot(void* self, const void* slot);
  static void visit_overlaid(void* self, const void* slot);

  managed_heap& heap_;
  work_chunk* chunk_ = nullptr;
  registers r_;
  delayed ring_[ring_size];
  bool took_work_ = false;
};

}  // namespace umber::gc

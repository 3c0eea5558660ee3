// A thread that uses a managed heap: the slots it has at hand, its handles, and what its barrier has recorded.
//
// It answers the collector's questions itself, at a safepoint; while it is in a `blocking` region somebody answers for
// it (handshake.h). What an answer does to a mutator is here, each step one method.
//
//   white  it allocates objects without marks, and its handles have not been scanned
//   black  it allocates marked objects: the slots it has at hand are marked all at once, when they come to hand, so the
//          fast path does not know
//
// The barrier records into a buffer; a full one is emptied into chunks of candidates, which are the heap's as soon as
// they are full and at the latest when the mutator answers `flush`.
//
// In a heap that is tortured every second recorded object is handed over, and every safepoint is a handshake
// (`question::poll`, handshake.h).
//
// Invariants
//   [mutator.1] `entries[i].next` and `held[i].later` are bits of word `held[i].word` of `held[i].span`, and that
//   word's free bits are these
//               and those of objects made since it came to hand, or since the barrier went on, or since the mutator
//               became black.
//   [mutator.2] the bits at hand are marked exactly while the mutator is black.
// Concurrency
//   Everything belongs to the thread, or to who answers for it; `question` and `state` are atomic.
// Uses / used by
//   Uses space, work. Used by all above.
#pragma once

#include "locals.h"
#include "space.h"
#include "stalls.h"
#include "timeline.h"
#include "watchdog.h"
#include "work.h"

#include "alloc/sampler.h"

namespace umber::gc {

// poll: nobody asks, and the fast path of a safepoint is to believe that somebody does.
enum class question : std::uint32_t { none, barrier_on, settle, scan, flush, finish, park, poll };

struct held_span {
  mspan* span = nullptr;
  std::uint32_t word = 0;
  std::uint8_t sample_due = 0;  // the session (alloc/sampler.h) of which the next sample is the first slot of `later`
  std::uint64_t later = 0;      // slots at hand, too, that the entry gets when it is empty: from the next sample on
};

struct mutator : detail::mutator_state {
  enum run_state : std::uint32_t { running, blocked, answered_for };
  static constexpr std::size_t buffer_capacity = 512, tortured_capacity = 2;
  // Bits of store_mode: record what is overwritten; record what is stored; neither, but `checked_barrier` is asked.
  static constexpr std::uint32_t record_old = 1, record_new = 2, store_is_checked = 4;

  managed_heap* heap = nullptr;
  work_list* work = nullptr;
  std::atomic<std::uint32_t> state{running};
  std::uint32_t blocking_depth = 0;
  bool named = false;      // by the watchdog
  watched_thread watched;  // its as well; who asks
  bool of_heap = false;    // its thread is one of the heap's own
  bool asking = false;     // the program to make room
  std::uint32_t thread_id = 0;
  std::uint32_t capacity = 0;  // of entries and held
  held_span* held = nullptr;
  span_stock stock;
  mutator* next = nullptr;  // among all of the heap; guarded by its lock
  mutator* previous = nullptr;

  std::uint32_t epoch = 0;                       // sweeps it has answered for
  umber::barrier kind = umber::barrier::hybrid;  // as its heap's, at hand
  bool barrier = false;                          // its stores are recorded: what they overwrite, and what they store
  bool black = false;                            // its handles were scanned, its new objects are marked
  bool checks_stores = false;                    // its heap has a barrier checker
  bool contributed = false;                      // has made candidates since its last `flush`
  bool overflowed = false;                       // there was no memory for a candidate
  bool is_tortured = false;                      // its heap is
  std::size_t buffered = 0, buffer_limit = buffer_capacity;
  std::uintptr_t buffer[buffer_capacity];
  work_chunk* chunk = nullptr;
  local_slots locals;
  void* c_handles = nullptr;   // of the C interface
  std::uint32_t tortured = 0;  // allocations, for torture
  sampler::stream chance;
  std::int64_t debt = 0;                      // bytes of marking it owes
  std::atomic<std::uint64_t> slots_taken{0};  // for objects, those at hand included; written by its thread alone
  stall_record stalls;
  decltype(heap_options::on_stall) on_stall = nullptr;  // as its heap's, at hand, with the next
  void* stall_context = nullptr;
  std::size_t uncounted = 0;  // bytes that came to hand and that the heap has not been told of

  // Makes entries up to `id`; false: no memory.
  [[nodiscard]] bool make_room(std::uint32_t id);
  // Has the next slots of the held span at hand; false if there are none left.
  bool next_word(std::uint32_t id);
  void hold(std::uint32_t id, mspan* s);
  std::uint64_t at_hand(std::uint32_t id) const { return entries[id].next | held[id].later; }
  // Of the slots that the entry has, those after the lowest `most` come later: the first of them is a sample.
  void keep_back(std::uint32_t id, std::uint64_t most);
  // The entry, which is empty, gets what was kept back. True if its first slot is a sample.
  bool take_kept_back(std::uint32_t id);
  // Unused slots and spans go back.
  void give_up_spans();
  void give_up_span(std::uint32_t id);

  void tell_made();  // what it has made so far is no free slot to anybody
  void become_black();
  // Has stores recorded or not, as a white or a black mutator does.
  void set_colour(bool with_barrier, bool is_black);

  // Counts a stall that began then and is over now, and shows it on the time line; with bytes, if any were marked, and
  // how long the thread was busy, if it has looked.
  void stalled(stall_cause cause, std::uint64_t since, std::uint64_t bytes = 0,
               std::uint64_t busy_ns = stall_record::unknown);

  bool records_old() const { return (store_mode & record_old) != 0; }
  bool records_new() const { return (store_mode & record_new) != 0; }
  // What has its mark is looked at by a marker in any case. To ask here costs a load that the processor need not wait
  // for; to keep it in the buffer and ask there cost twice as much.
  UMBER_FAST void record(std::uintptr_t object) {
    if (object_map::is_marked(object)) return;
    buffer[buffered++] = object;
    if (UMBER_UNLIKELY(buffered == buffer_limit)) empty_full_buffer();
  }
  UMBER_WARM void empty_full_buffer();
  void empty_buffer();
  void add_candidate(std::uintptr_t object);
  void publish_chunk();
  void forget_candidates();
  void scan_handles();

 private:
  bool take_word(std::uint32_t id, std::size_t from);
};

// Whether the word of a mutator says that the collector waits for its answer.
inline bool is_asked(std::uint32_t word) {
  return word != static_cast<std::uint32_t>(question::none) && word != static_cast<std::uint32_t>(question::poll);
}

inline mutator& this_mutator() { return *static_cast<mutator*>(detail::current_mutator); }

}  // namespace umber::gc

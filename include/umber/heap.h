// A managed heap: typed objects that are never freed by hand, collected while the program runs.
//
//   struct node {
//     umber::field<node> left, right;
//   };
//   umber::heap heap;
//   umber::mutator attached(heap);  // this thread, for as long as the object lives
//   umber::local<node> root = umber::make<node>();
//   root->left = umber::make<node>();
//
// Many threads share a heap; each attaches itself. No thread ever waits for all others: the collector asks each one by
// itself at its next safepoint (see handle.h). A thread that computes without making objects calls `safepoint` now and
// then; one that waits does so inside a `blocking`.
//
// Constructors of managed objects may allocate and collect. Destructors run on a thread of the collector or on one that
// allocates, in no order, and must not touch managed objects (which is checked: handle.h). Types say where their fields
// are as told in layout.h.
#pragma once

#include <umber/handle.h>

#include <memory>
#include <new>
#include <type_traits>

namespace umber {

// How a heap collects: without stopping the world (hybrid), or as the field did on the way there, for comparison.
// stop_the_world marks while no mutator runs. insertion is Dijkstra's barrier: a stop at the end, to look at all
// handles again. deletion is Yuasa's: a stop at the start, for a snapshot of all handles.
enum class barrier : std::uint8_t { hybrid, deletion, insertion, stop_the_world, by_environment };

// What makes a thread wait for the engine: a question of the collector; marking in return for memory; sweeping for
// memory; a full barrier buffer; waiting for a collection, or for somebody who answers for it.
enum class stall_cause : std::uint8_t { handshake, assist, sweep, barrier, wait };
inline constexpr std::size_t stall_causes = 5;

// What the program does not choose, the environment of the process does: UMBER_GC is a list of these, with commas
// between them, such as UMBER_GC=50,minimum=64MiB,workers=2. What is not understood is said in one line, and ignored.
//
//   UMBER_GC=...                    option            if nobody says anything
//   off|PERCENT, percent=...        percent           100
//   minimum=SIZE                    minimum           4 MiB
//   limit=SIZE|off                  limit             UMBER_MEMORY_LIMIT=SIZE, or what the control group allows, or off
//   hard_limit=SIZE|off             hard_limit        off
//   workers=N|P%                    workers           25% of the processors, at least one
//   kind=hybrid|deletion|insertion|stop_the_world
//                                   kind              hybrid
//   attach_threads=on               attach_threads    off; of several heaps the first has it
//   idle_ms=N|off                   idle_ms           120000
//   watchdog_ms=N|off               watchdog_ms       100
//   torture=N                       torture           0
//
//   UMBER_GC_CHECK=marks,barriers,handles   turns on check_marks, check_barriers, track_handles, as said below
//   UMBER_TRACE=gc,pacer,perfetto:FILE      tells what the collector does (gc/trace.h, gc/timeline.h)
//
// Who finalizes and what is called are the program's alone. SIZE is 64MiB, say, or a number of bytes.
//
// A soft limit that the program chooses is the heap's: it counts objects, free slots, the malloc memory that objects
// own, and the heap's part of metadata and of free pages. One of the environment is the process's: heaps that have it
// count each other's memory, too, and that of malloc where it is umber's; not what a library has mapped itself.
struct heap_options {
  static constexpr std::size_t off = SIZE_MAX;
  static constexpr std::size_t by_environment = SIZE_MAX - 1;  // what the table above says

  std::size_t percent = by_environment;  // a cycle ends when the heap has grown by this much; `off`: never by itself
  std::size_t minimum = by_environment;  // bytes; below this no cycle starts by itself
  std::size_t limit = by_environment;    // soft, bytes: cycles start earlier, up to half of the CPU time; `off`: none
  std::size_t hard_limit = by_environment;  // bytes; beyond it making fails; `off`: never
  unsigned workers = 0;                     // marking threads; 0: by environment
  // A heap that has had no cycle for so long, milliseconds, has one if something was made in it since; after fifteen
  // times as long in any case; 0, off, or percent off: never.
  std::size_t idle_ms = by_environment;
  bool attach_threads = false;             // a thread that needs a mutator gets one, until it ends; for one heap
  barrier kind = barrier::by_environment;  // how it collects
  bool finalizer_thread = true;            // false: finalizers and cleanups run when the program calls run_finalizers
  // n: every n-th allocation collects, swept memory is poisoned, barriers hand over every second object that they
  // record, and each safepoint answers the collector, asked or not. 0: by environment.
  unsigned torture = 0;
  std::size_t watchdog_ms = by_environment;  // a thread that keeps the collector waiting for this long is named

  // Called on the thread that wants memory when a full collection has found none, before making fails. It may free
  // memory, drop handles and run finalizers; it must not throw, nor rely on making objects. True: collect, try again.
  bool (*on_out_of_memory)(void* context) noexcept = nullptr;
  void* out_of_memory_context = nullptr;

  // Called on a thread that was held up, when that is over: since when, by CLOCK_MONOTONIC, and for how long. It must
  // not touch managed objects, nor throw.
  void (*on_stall)(void* context, stall_cause cause, std::uint64_t since_ns, std::uint64_t ns) noexcept = nullptr;
  void* stall_context = nullptr;

  // Tools for tests, each also turned on by its name in UMBER_GC_CHECK=marks,barriers,handles.
  bool check_marks = false;     // after marking the heap is walked again, and what has no mark is reported
  bool check_barriers = false;  // a store that went around the barrier, or to no declared field, is reported
  bool track_handles = false;   // persistent handles that are left when the heap goes: where they were made
};

// Stalls by how long they were: counts[0] below shortest_ns, each further one up to twice as long, the last all above.
struct stall_histogram {
  static constexpr std::size_t buckets = 28;
  static constexpr std::uint64_t shortest_ns = 128;

  std::uint64_t count;
  std::uint64_t total_ns;
  std::uint64_t longest_ns;
  std::uint64_t counts[buckets];
};

// Whose processor time went where. What is short and frequent (sweeping for slots, emptying buffers) is taken from the
// clock on the wall, and cut where a thread was most likely not running; the rest from the thread's own clock.
struct cpu_times {
  std::uint64_t mark_ns;           // marking by the heap's threads
  std::uint64_t assist_ns;         // marking by mutators
  std::uint64_t sweep_ns;          // sweeping by the heap's thread
  std::uint64_t mutator_sweep_ns;  // sweeping by mutators, for slots
  std::uint64_t barrier_ns;        // mutators emptying what their barriers recorded, and answering the collector
  std::uint64_t mutator_ns;        // everything else that the process did, other heaps' collecting included
};

// The parts of a cycle, as they follow each other: rounds of handshakes, marking with its rounds of flushes, weak
// references with what follows them, the last round, sweeping.
enum class cycle_phase : std::uint8_t { barrier_on, settle, scan, mark, weak, finish, sweep };
inline constexpr std::size_t cycle_phases = 7;

// What one cycle was, from its first question to the last span swept.
struct cycle_statistics {
  std::uint64_t number;                  // counted from 1
  std::uint64_t began_ns;                // since the heap was made
  std::uint64_t phase_ns[cycle_phases];  // on the wall
  std::uint64_t longest_round_ns;        // of handshakes, from the question to the last answer
  cpu_times cpu;                         // in this time
  std::size_t began_bytes;               // the heap when marking began, with external bytes, as the next
  std::size_t peak_bytes;                // when marking ended
  std::size_t live_bytes;                // of that, not garbage
  std::size_t goal_bytes;                // what it was meant to be at the end of marking
  std::uint64_t marked_objects;
  std::size_t mutators;  // attached at the end
};

struct heap_statistics {
  std::uint64_t cycles;
  std::size_t live_bytes;       // marked by the last cycle
  std::size_t heap_bytes;       // in spans
  std::size_t allocated_bytes;  // since the last cycle ended; of other threads up to 32 KiB each are not in it yet
  std::size_t total_allocated_bytes;  // since the heap was made; as above
  std::uint64_t total_allocated_objects;
  std::size_t external_bytes;  // outside of the heap, owned by objects
  std::size_t goal_bytes;
  std::uint64_t marked_objects;    // in the last cycle
  cpu_times cpu;                   // since the heap was made; the marking of a cycle is counted when it ends
  std::uint64_t mark_ns;           // CPU time of marking, in all: cpu.mark_ns and cpu.assist_ns
  std::uint64_t assist_ns;         // of these, by mutators
  std::uint64_t sweep_ns;          // CPU time of sweeping, in all: cpu.sweep_ns and cpu.mutator_sweep_ns
  std::uint64_t longest_stall_ns;  // of any mutator, by the engine
  std::size_t mutators;            // attached now
  std::size_t percent;             // as the heap has it, and the next
  std::size_t limit;
  stall_histogram stalls[stall_causes];  // of all mutators since the heap was made, by cause
};

class heap;
class mutator;

namespace detail {
// What can be changed while a heap is in use.
enum class heap_setting : std::uint8_t { percent, minimum, limit, hard_limit, kind };
struct heap_state;
struct heap_access {
  static heap_state* state(const heap& h) noexcept;
};
UMBER_API heap_state* create_heap(const heap_options& options) noexcept;
UMBER_API void destroy_heap(heap_state* h) noexcept;
UMBER_API void collect(heap_state* h) noexcept;
UMBER_API void set(heap_state* h, heap_setting what, std::size_t value) noexcept;
UMBER_API bool write_snapshot(heap_state* h, const char* file) noexcept;
UMBER_API void read_statistics(heap_state* h, heap_statistics& into) noexcept;
UMBER_API std::size_t read_cycles(heap_state* h, std::uint64_t after, cycle_statistics* into,
                                  std::size_t capacity) noexcept;
UMBER_API std::size_t write_json(const heap_statistics& statistics, char* buffer, std::size_t capacity) noexcept;
UMBER_API mutator_state* attach(heap_state* h) noexcept;
UMBER_API void detach(mutator_state* m) noexcept;
UMBER_API void enter_blocking() noexcept;
UMBER_API void leave_blocking() noexcept;

// Memory for one object, or null; zeroed if the type has no slots.
UMBER_API void* allocate_slow(type_description& type) noexcept;

// Memory for one object, and the slot of the local that holds it.
struct fresh_object {
  void* memory;
  void** slot;
};
// Where there is nothing at hand; null memory: there is none. Takes no argument of the constructor, for what is passed
// on by reference would have to live in memory at each call of make.
UMBER_API fresh_object make_slowly(type_description& type) noexcept;
UMBER_API void* allocate_array(type_description& element, std::size_t count, std::size_t header_bytes) noexcept;
// The object's constructor has returned: its destructor is owed.
UMBER_API void constructed(void* object) noexcept;

// Takes the next slot at hand; false: there is none, which is for make_slowly.
inline bool allocate(mutator_state* m, const type_description& type, void*& memory) noexcept {
  const std::uint32_t id = type.id.load(std::memory_order_relaxed);  // relaxed: 0 has no slots
  if (__builtin_expect(id >= m->entry_count, false)) return false;
  allocation_entry& entry = m->entries[id];
  if (__builtin_expect(entry.next == 0, false)) return false;
  const auto slot = static_cast<std::uint32_t>(__builtin_ctzll(entry.next));
  entry.next &= entry.next - 1;
  memory = reinterpret_cast<void*>(entry.base + slot * static_cast<std::uint32_t>(entry.slot_size));
  return true;
}

}  // namespace detail

class heap {
 public:
  explicit heap(const heap_options& options = {}) : state_(detail::create_heap(options)) {
    if (state_ == nullptr) detail::throw_bad_alloc();
  }
  // No mutator may be attached any more. Cleanups that are left run (finalizer.h), then destructors of objects;
  // persistent and weak handles must be gone.
  ~heap() { detail::destroy_heap(state_); }
  heap(const heap&) = delete;
  heap& operator=(const heap&) = delete;

  // A whole cycle: what was unreachable when it was called is free, and swept, when it returns.
  void collect() { detail::collect(state_); }

  // Options that may change while the heap is in use, as heap_options has them, by_environment included. Any thread,
  // attached or not; nobody waits. A hard limit holds from now on. The others are taken between two cycles: at once, or
  // when the one under way has ended, and whoever has grown beyond the new goal is then collected. So does `kind`: all
  // of a cycle is of one kind, the next one is of the new.
  void set_percent(std::size_t percent) noexcept { detail::set(state_, detail::heap_setting::percent, percent); }
  void set_minimum(std::size_t bytes) noexcept { detail::set(state_, detail::heap_setting::minimum, bytes); }
  void set_limit(std::size_t bytes) noexcept { detail::set(state_, detail::heap_setting::limit, bytes); }
  void set_hard_limit(std::size_t bytes) noexcept { detail::set(state_, detail::heap_setting::hard_limit, bytes); }
  void set_kind(barrier kind) noexcept {
    detail::set(state_, detail::heap_setting::kind, static_cast<std::size_t>(kind));
  }

  heap_statistics statistics() const {
    heap_statistics result{};
    detail::read_statistics(state_, result);
    return result;
  }

  // The cycles that ended after the one of that number, the oldest first: as many as fit, of the last 256. How many.
  std::size_t cycles(std::uint64_t after, cycle_statistics* into, std::size_t capacity) const {
    return detail::read_cycles(state_, after, into, capacity);
  }

  // Collects, and writes what is left to a file in V8's format, by custom called *.heapsnapshot: `umber heap FILE` and
  // the DevTools of Chrome (Memory, Load) show it by types and retained sizes, with what keeps each object alive.
  // False: it failed, errno says why (ENOMEM: no memory for tables, 16 bytes an object and 8 a field), and no file is
  // left.
  //
  // Other threads go on meanwhile and see a cycle like any other, but that the heap grows until it has been walked once
  // more (some 50 ns an object) before it is swept. The file shows what this cycle kept alive: handles as they were
  // when the cycle scanned them, fields as they were when they were read, later; objects made in between, and what
  // pointed to them, are not all in it. Any thread may call, attached or not. snapshot.h in gc tells more.
  bool write_snapshot(const char* file) { return detail::write_snapshot(state_, file); }

  // The statistics as JSON, with the names of Go's runtime/metrics where the meaning is the same. The length of the
  // whole text without its final zero, as snprintf; 8 KiB hold it.
  std::size_t metrics_json(char* buffer, std::size_t capacity) const {
    return detail::write_json(statistics(), buffer, capacity);
  }

 private:
  friend class mutator;
  friend struct detail::heap_access;
  detail::heap_state* state_;
};
inline detail::heap_state* detail::heap_access::state(const heap& h) noexcept { return h.state_; }

// Attaches the calling thread to a heap. A thread is attached to one heap at a time.
class mutator {
 public:
  explicit mutator(heap& h) : state_(detail::attach(h.state_)) {
    if (state_ == nullptr) detail::throw_bad_alloc();
  }
  // All locals of the thread must be gone.
  ~mutator() { detail::detach(state_); }
  mutator(const mutator&) = delete;
  mutator& operator=(const mutator&) = delete;

 private:
  detail::mutator_state* state_;
};

// Around waiting: while it lives the collector does not wait for this thread, and the thread must not touch handles,
// fields or objects.
class blocking {
 public:
  blocking() { detail::enter_blocking(); }
  ~blocking() { detail::leave_blocking(); }
  blocking(const blocking&) = delete;
  blocking& operator=(const blocking&) = delete;
};

inline void safepoint() noexcept {
  // acquire: pairs with the release of who asks.
  if (__builtin_expect(detail::current_mutator->question.load(std::memory_order_acquire) != 0, false)) detail::answer();
}

// Keeps what `object` points to alive, and known to be, up to this line. A local that is still in its scope does so by
// itself: its slot is memory that the collector reads, which no compiler forgets. This says where the program relies on
// that, for who reads it and for who would end the scope earlier.
template <class T>
inline void keep_alive(const local<T>& object) noexcept {
  asm volatile("" : : "r"(object.get()) : "memory");
}

namespace detail {

struct maker {
  // Zeroed and held before it is constructed, as constructors may collect.
  template <class T, class... Arguments>
  [[gnu::always_inline]] static local<T> construct(fresh_object fresh, Arguments&&... arguments) {
    local<T> object(static_cast<T*>(fresh.memory), fresh.slot);
    __builtin_memset(fresh.memory, 0, sizeof(T));
    if constexpr (std::is_constructible_v<T, Arguments...>)
      ::new (fresh.memory) T(std::forward<Arguments>(arguments)...);
    else
      ::new (fresh.memory) T{std::forward<Arguments>(arguments)...};
    if constexpr (!std::is_trivially_destructible_v<T>) constructed(fresh.memory);
    return object;
  }
};

}  // namespace detail

// A new object. Throws std::bad_alloc, or what its constructor throws; then nothing is left behind. Inlined always: the
// call, and a handle that comes back through memory, were a fifth of its instructions.
template <class T, class... Arguments>
[[nodiscard, gnu::always_inline]] inline local<T> make(Arguments&&... arguments) {
  static_assert(alignof(T) <= 16, "managed objects are aligned to 16 bytes at most");
  detail::mutator_state* const owner = detail::current_mutator;
  detail::fresh_object fresh;
  if (__builtin_expect(detail::has_local(owner), true) &&
      __builtin_expect(detail::allocate(owner, detail::description_of<T>(), fresh.memory), true)) {
    fresh.slot = detail::next_local(owner, fresh.memory);
  } else {
    fresh = detail::make_slowly(detail::description_of<T>());
    if (fresh.memory == nullptr) detail::throw_bad_alloc();
  }
  return detail::maker::construct<T>(fresh, std::forward<Arguments>(arguments)...);
}

// A managed object of `size()` elements, made by make_array.
template <class T>
class array {
 public:
  std::size_t size() const noexcept { return header_ & ((std::size_t{1} << 40) - 1); }
  T* data() noexcept { return reinterpret_cast<T*>(reinterpret_cast<char*>(this) + header_bytes); }
  const T* data() const noexcept { return const_cast<array*>(this)->data(); }
  T& operator[](std::size_t i) noexcept { return data()[i]; }
  const T& operator[](std::size_t i) const noexcept { return data()[i]; }
  T* begin() noexcept { return data(); }
  T* end() noexcept { return data() + size(); }
  const T* begin() const noexcept { return data(); }
  const T* end() const noexcept { return data() + size(); }

  static constexpr std::size_t header_bytes = alignof(T) > 8 ? 16 : 8;

 private:
  std::uint64_t header_;  // the collector's: the length in the lower 40 bits, above it the id of the element type
};

// `count` elements, all zero (null fields). Throws std::bad_alloc.
template <class T>
[[nodiscard]] local<array<T>> make_array(std::size_t count) {
  static_assert(alignof(T) <= 16, "managed objects are aligned to 16 bytes at most");
  static_assert(std::is_trivially_destructible_v<T>, "elements of managed arrays have no destructors");
  void* memory = detail::allocate_array(detail::description_of<T>(), count, array<T>::header_bytes);
  if (__builtin_expect(memory == nullptr, false)) detail::throw_bad_alloc();
  return local<array<T>>(static_cast<array<T>*>(memory));
}

}  // namespace umber

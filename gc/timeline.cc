#include "timeline.h"

#include "output.h"

#include "alloc/check.h"
#include "alloc/metadata.h"
#include "alloc/os.h"
#include "alloc/os_threads.h"
#include "alloc/sync.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <new>

namespace umber::gc::timeline {

namespace {

constexpr std::size_t buffer_bytes = 64 * kib;
constexpr std::size_t longest_event = 512;  // as text
constexpr std::size_t longest_path = 4096;
constexpr std::uint32_t thread_name_bytes = 16;

struct event {
  const char* name;
  const char* value_name;  // null: it has none; of a counter null, too
  std::uint64_t begin;
  std::uint64_t duration;  // `is_counter`: none
  std::uint64_t value;
  std::uint64_t heap;

  static constexpr std::uint64_t is_counter = UINT64_MAX;
};

// The events of one thread that are not in the file yet. Threads use them one after the other.
struct track {
  enum state_of : std::uint32_t { free, in_use, left, emptied };
  static constexpr std::uint64_t capacity = 512;

  std::atomic<std::uint32_t> state{in_use};
  std::atomic<std::uint64_t> written{0};  // events; by the thread
  std::atomic<std::uint64_t> read{0};     // events; by who flushes
  std::atomic<std::uint64_t> dropped{0};
  track* next = nullptr;  // constant once listed
  // Of the thread, from the moment it takes the track.
  std::atomic<std::uint32_t> thread{0};
  std::uint32_t depth = 0;
  std::uint64_t heap = 0;
  char name[thread_name_bytes] = {};
  // Guarded by lock.
  std::uint32_t named = 0;  // the thread whose name is in the file
  event ring[capacity];
};

constinit mutex<rank::timeline> lock;
constinit bool tried_to_open = false;  // guarded by lock, as all below
constinit int file = -1;
alignas(output) constinit char out_storage[sizeof(output)] = {};
constinit output* out = nullptr;
constinit std::uint64_t process = 0;

constinit std::atomic<track*> tracks{nullptr};
constinit thread_local track* mine = nullptr;

std::uint32_t thread_of(const track& t) {
  return t.thread.load(std::memory_order_relaxed);  // relaxed: its events were published after it
}

output& begin_event(const char* phase, const char* name, std::uint64_t thread) {
  *out << ",\n{\"ph\":\"" << phase << "\",\"name\":\"" << name << "\",\"pid\":" << process;
  return *out << ",\"tid\":" << thread;
}

// Viewers add `ts` and `dur` as doubles of microseconds. Thousandths are rounded there, and what ends where the next
// begins would overlap it; 1024ths are exact (for 101 days), and as finer ones they keep the order of all instants.
constexpr std::uint64_t ticks_per_us = 1024;

std::uint64_t ticks(std::uint64_t ns) { return ns / 1000 * ticks_per_us + ns % 1000 * ticks_per_us / 1000; }

void add_time(const char* key, std::uint64_t in_ticks) {
  *out << ",\"" << key << "\":" << in_ticks / ticks_per_us << '.';
  constexpr std::uint64_t ten_digits = 10'000'000'000;
  const std::uint64_t fraction = in_ticks % ticks_per_us * (ten_digits / ticks_per_us);
  for (std::uint64_t at = ten_digits / 10; at != 0; at /= 10) *out << static_cast<char>('0' + fraction / at % 10);
}

void add_name(const track& t) {
  begin_event("M", "thread_name", thread_of(t)) << ",\"args\":{\"name\":\"";
  out->quoted(t.name, strnlen(t.name, sizeof t.name)) << "\"}}";
}

void add_event(const track& t, const event& e) {
  if (e.duration == event::is_counter) {
    *out << ",\n{\"ph\":\"C\",\"name\":\"heap " << e.heap << ' ' << e.name << "\",\"pid\":" << process;
    add_time("ts", ticks(e.begin));
    *out << ",\"args\":{\"bytes\":" << e.value << "}}";
    return;
  }
  begin_event("X", e.name, thread_of(t)) << ",\"cat\":\"gc\"";
  add_time("ts", ticks(e.begin));
  add_time("dur", ticks(e.begin + e.duration) - ticks(e.begin));
  *out << ",\"args\":{\"heap\":" << e.heap;
  if (e.value_name != nullptr) *out << ",\"" << e.value_name << "\":" << e.value;
  *out << "}}";
}

void add_dropped(const track& t, std::uint64_t count) {
  begin_event("i", "dropped", thread_of(t)) << ",\"cat\":\"gc\",\"s\":\"t\"";
  add_time("ts", ticks(os::now()));
  *out << ",\"args\":{\"events\":" << count << "}}";
}

// The file ends where a whole event does, whatever the disk took of the last one. [timeline.2]
void write_out(std::uint64_t whole) {
  out->flush();
  if (out->failure() == 0) return;
  detail::on.store(false, std::memory_order_relaxed);  // relaxed: a few events more are recorded in vain
  message line;
  line << "umber: UMBER_TRACE: no more is written: " << strerrordesc_np(out->failure());
  line.print();
  static_cast<void>(!ftruncate(file, static_cast<off_t>(whole)));
  close(file);
  out = nullptr;
}

// Makes room for one more event. False: the file is done with.
bool have_room() {
  if (out->room() < longest_event) write_out(out->written());
  return out != nullptr;
}

void drain(track& t) {
  // acquire: pairs with the release in record.
  const std::uint64_t end = t.written.load(std::memory_order_acquire);
  std::uint64_t at = t.read.load(std::memory_order_relaxed);  // relaxed: written with the lock held
  const std::uint64_t dropped = t.dropped.exchange(0, std::memory_order_relaxed);  // relaxed: a number on its own
  if (at == end && dropped == 0) return;
  if (t.named != thread_of(t) && have_room()) add_name(t);
  t.named = thread_of(t);
  for (; at != end && out != nullptr; ++at)
    if (have_room()) add_event(t, t.ring[at % track::capacity]);
  t.read.store(end, std::memory_order_release);  // pairs with the acquire in record
  if (dropped != 0 && out != nullptr && have_room()) add_dropped(t, dropped);
}

// The lock is held.
void drain_all() {
  detail::flush_wanted.store(false, std::memory_order_relaxed);  // relaxed: who sets it again is seen next time
  // acquire: pairs with the release in new_track.
  for (track* t = tracks.load(std::memory_order_acquire); t != nullptr && out != nullptr; t = t->next) {
    std::uint32_t expected = track::left;
    // acquire: pairs with the release in leave.
    const bool was_left = t->state.compare_exchange_strong(expected, track::emptied, std::memory_order_acquire,
                                                           std::memory_order_relaxed);
    if (was_left || expected == track::in_use) drain(*t);
    if (was_left) t->state.store(track::free, std::memory_order_release);  // pairs with the acquire in find_track
  }
  if (out != nullptr) write_out(out->written());
}

// One that no thread uses, or that this thread has used last: events of two threads never meet in a ring.
track* find_track(std::uint32_t thread) {
  // acquire: pairs with the release in new_track.
  for (track* t = tracks.load(std::memory_order_acquire); t != nullptr; t = t->next) {
    // relaxed, both: a guess, of which only this thread can make the second half wrong.
    std::uint32_t state = t->state.load(std::memory_order_relaxed);
    const bool was_mine = t->thread.load(std::memory_order_relaxed) == thread;
    if (state != track::free && !(state == track::left && was_mine)) continue;
    // acquire: pairs with the releases in drain_all and leave.
    if (t->state.compare_exchange_strong(state, track::in_use, std::memory_order_acquire, std::memory_order_relaxed))
      return t;
  }
  return nullptr;
}

track* new_track() {
  void* memory = metadata::allocate(sizeof(track));
  if (memory == nullptr) return nullptr;
  auto* t = new (memory) track;
  t->next = tracks.load(std::memory_order_relaxed);  // relaxed: exchanged below
  // release: pairs with the acquires of who walks them.
  while (!tracks.compare_exchange_weak(t->next, t, std::memory_order_release, std::memory_order_relaxed)) continue;
  return t;
}

// `path` with the number of the process for "%p"; false: it is too long.
bool expand(const char* path, std::size_t length, char (&into)[longest_path]) {
  std::size_t used = 0;
  for (std::size_t i = 0; i < length; ++i) {
    if (used + 24 > sizeof into) return false;
    if (path[i] != '%' || i + 1 == length || path[i + 1] != 'p') {
      into[used++] = path[i];
      continue;
    }
    ++i;
    for (std::uint64_t unit = 1'000'000'000, digits = 0; unit != 0; unit /= 10) {
      digits += process / unit != 0;
      if (digits != 0) into[used++] = static_cast<char>('0' + process / unit % 10);
    }
  }
  into[used] = '\0';
  return true;
}

void start(char* buffer) {
  out = new (out_storage) output(file, buffer, buffer_bytes);
  *out << "[\n{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":" << process << ",\"args\":{\"name\":\"";
  out->quoted(program_invocation_short_name, strnlen(program_invocation_short_name, 64)) << "\"}}";
  write_out(0);
  detail::on.store(out != nullptr, std::memory_order_relaxed);  // relaxed: nothing is read because of it
}

// exit() ends the file.
[[gnu::destructor]] void finish() {
  if (!is_on()) return;
  const lock_guard guard(lock);
  if (out == nullptr) return;
  drain_all();
  detail::on.store(false, std::memory_order_relaxed);  // relaxed: what is recorded from here on is lost
  if (out == nullptr) return;
  *out << "\n]\n";
  write_out(out->written());
  out = nullptr;
}

}  // namespace

namespace detail {

UMBER_WARM void record(const char* name, std::uint64_t begin, std::uint64_t end, const char* value_name,
                       std::uint64_t value) {
  track* const t = mine;
  if (t == nullptr) return;
  const std::uint64_t at = t->written.load(std::memory_order_relaxed);  // relaxed: ours
  // acquire: pairs with the release in drain; the place has been read.
  const std::uint64_t waiting = at - t->read.load(std::memory_order_acquire);
  if (UMBER_UNLIKELY(waiting >= track::capacity / 2)) {
    flush_wanted.store(true, std::memory_order_relaxed);  // relaxed, both: sooner or later
    if (waiting == track::capacity) return static_cast<void>(t->dropped.fetch_add(1, std::memory_order_relaxed));
  }
  t->ring[at % track::capacity] = {name, value_name, begin, end - begin, value, t->heap};
  t->written.store(at + 1, std::memory_order_release);  // pairs with the acquire in drain
}

void count(const char* name, std::uint64_t value) {
  const std::uint64_t now = os::now();
  record(name, now, now + event::is_counter, nullptr, value);
}

void flush_now() {
  const lock_guard guard(lock);
  if (out != nullptr) drain_all();
}

}  // namespace detail

void open(const char* path, std::size_t length) {
  const lock_guard guard(lock);
  if (tried_to_open) return;
  tried_to_open = true;
  process = static_cast<std::uint64_t>(getpid());
  char name[longest_path];
  const bool fits = expand(path, length, name);
  file = fits ? ::open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666) : -1;
  const int reason = fits ? errno : ENAMETOOLONG;
  auto* buffer = file < 0 ? nullptr : static_cast<char*>(metadata::allocate(buffer_bytes));
  if (buffer != nullptr) return start(buffer);
  message line;
  line << "umber: UMBER_TRACE: cannot write '" << (fits ? name : "perfetto:...")
       << "': " << strerrordesc_np(file < 0 ? reason : ENOMEM) << "; running without it";
  line.print();
}

void enter(std::uint64_t heap) {
  if (!is_on()) return;
  if (mine != nullptr) return static_cast<void>(++mine->depth);
  const std::uint32_t thread = os::thread_id();
  track* t = find_track(thread);
  if (t == nullptr && (t = new_track()) == nullptr) return;
  t->thread.store(thread, std::memory_order_relaxed);  // relaxed: as thread_of says
  t->depth = 1;
  t->heap = heap;
  prctl(PR_GET_NAME, t->name);
  mine = t;
}

void leave() {
  track* const t = mine;
  if (t == nullptr || --t->depth != 0) return;
  mine = nullptr;
  t->state.store(track::left, std::memory_order_release);  // pairs with the acquire of who flushes
}

void forget_in_child() {
  detail::on.store(false, std::memory_order_relaxed);  // relaxed: the child has one thread
  mine = nullptr;
}

}  // namespace umber::gc::timeline

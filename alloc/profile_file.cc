#include "profile_file.h"

#include "metadata.h"
#include "os.h"
#include "os_code.h"
#include "pprof.h"
#include "profile.h"
#include "sampler.h"
#include "sync.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>

// How many engines of the process write a profile; not hidden, so that one of them counts for all.
extern "C" {
[[gnu::visibility("default")]] constinit std::uint32_t umber_profile_writers = 0;
}

namespace umber::alloc::profile {

namespace {

constexpr std::size_t longest_name = 4096;

// Fields of the messages of profile.proto.
namespace of_profile {
enum : std::uint32_t {
  sample_type = 1,
  sample,
  mapping,
  location,
  function,
  string_table,
  drop_frames,
  keep_frames,
  time_nanos,
  duration_nanos,
  period_type,
  period,
  comment,
  default_sample_type
};
}  // namespace of_profile

constexpr char own_functions[] =
    "umber::(alloc|gc|detail)::.*|umber::make.*|umber_((aligned_)?alloc.*|malloc.*|calloc|realloc|new.*)|"
    "(__libc_)?(malloc|calloc|realloc|memalign)|reallocarray|posix_memalign|aligned_alloc|p?valloc|"
    "operator new.*";

// What a file is made with; there is one.
struct writer {
  pprof::gzip_file file;
  std::uint64_t heap_key, malloc_word, managed_word, bytes_word, type_key;  // strings
  // What is still to be written, in the order of addresses.
  os::code_place* places = nullptr;
  std::size_t place_count = 0;
  std::uint64_t mappings = 0;  // written so far
  const os::code_range* range = nullptr;
  std::size_t in_range = 0;  // places

  explicit writer(int descriptor) : file(descriptor) {}
};

constinit mutex<rank::profile_file> lock;
constinit void* writer_memory = nullptr;  // guarded by lock
// Constant after start_up, but for the child of a fork.
constinit char told_name[longest_name] = "";
constinit std::size_t told_length = 0;
constinit bool names_process = false;
constinit std::uint32_t number_in_process = 0;
constinit std::atomic<std::uint64_t> started_at{0};

std::uint64_t wall_clock() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

pprof::fields value_type(writer& w, const char* type, std::uint64_t unit) {
  pprof::fields v;
  v.number(1, w.file.string(type)).number(2, unit);
  return v;
}

void write_number(writer& w, std::uint32_t field, std::uint64_t value) {
  pprof::fields f;
  f.number(field, value);
  w.file.write(f.data(), f.size());
}

void write_head(writer& w) {
  const std::uint64_t count = w.file.string("count");
  w.bytes_word = w.file.string("bytes");
  w.file.message(of_profile::sample_type, value_type(w, "alloc_objects", count));
  w.file.message(of_profile::sample_type, value_type(w, "alloc_space", w.bytes_word));
  w.file.message(of_profile::sample_type, value_type(w, "inuse_objects", count));
  w.file.message(of_profile::sample_type, value_type(w, "inuse_space", w.bytes_word));
  w.file.message(of_profile::period_type, value_type(w, "space", w.bytes_word));
  write_number(w, of_profile::default_sample_type, w.file.string("inuse_space"));
  write_number(w, of_profile::drop_frames, w.file.string(own_functions));
  const site* newest = first_site();
  write_number(w, of_profile::period, newest != nullptr ? newest->every : sampler::mean());
  const std::uint64_t now = wall_clock();
  write_number(w, of_profile::time_nanos, now);
  const std::uint64_t since = started_at.load(std::memory_order_relaxed);  // relaxed: a figure
  write_number(w, of_profile::duration_nanos, since != 0 && since < now ? now - since : 0);
  w.heap_key = w.file.string("heap");
  w.malloc_word = w.file.string("malloc");
  w.managed_word = w.file.string("managed");
  w.type_key = w.file.string("type");
}

std::uint64_t add_build_id(writer& w, const os::code_range& range) {
  constexpr std::size_t most = 32;
  char text[2 * most];
  std::size_t length = 0;
  for (std::size_t i = 0; i < range.build_id_bytes && i < most; ++i)
    for (const int shift : {4, 0}) text[length++] = "0123456789abcdef"[range.build_id[i] >> shift & 15];
  return length == 0 ? 0 : w.file.string(text, length);
}

// The next `count` places, which lie in mapping number `mapping`, or in none. True if a function has a name.
bool add_places(writer& w, std::size_t count, std::uint64_t mapping) {
  bool any_name = false;
  for (; count > 0; --count, ++w.places, --w.place_count) {
    // The address is also the number of the location, and of its function.
    const std::uintptr_t address = w.places->address;
    pprof::fields l;
    l.number(1, address).number(2, mapping).number(3, address);
    if (w.places->function != nullptr) {
      const std::uint64_t name = w.file.string(w.places->function);
      pprof::fields f;
      f.number(1, address).number(2, name).number(3, name);
      w.file.message(of_profile::function, f);
      l.message(4, pprof::fields().number(1, address));
      any_name = true;
    }
    w.file.message(of_profile::location, l);
  }
  return any_name;
}

std::size_t places_below(const writer& w, std::uintptr_t end) {
  std::size_t n = 0;
  while (n < w.place_count && w.places[n].address < end) ++n;
  return n;
}

void add_mapping(void* context, const os::code_range& range) {
  auto& w = *static_cast<writer*>(context);
  add_places(w, places_below(w, range.start), 0);
  w.range = &range;
  ++w.mappings;
  w.in_range = places_below(w, range.end);
  const auto add = [](void* to) {
    auto& in = *static_cast<writer*>(to);
    const os::code_range& r = *in.range;
    const bool has_functions = add_places(in, in.in_range, in.mappings);
    pprof::fields m;
    m.number(1, in.mappings).number(2, r.start).number(3, r.end).number(4, r.offset);
    m.number(5, in.file.string(r.path, r.path_length)).number(6, add_build_id(in, r)).number(7, has_functions);
    in.file.message(of_profile::mapping, m);
  };
  if (w.in_range != 0)
    os::name_functions(range, w.places, w.in_range, add, context);
  else
    add(context);
}

// Memory for all places, which is given back.
class place_list {
 public:
  explicit place_list(const place* first) {
    for (const place* p = first; p != nullptr; p = p->next_of_all) ++count_;
    bytes_ = round_up((count_ + 1) * sizeof(os::code_place), os::machine_page_size());
    places_ = static_cast<os::code_place*>(os::reserve(bytes_, os::machine_page_size()));
    if (places_ == nullptr) return;
    if (!os::commit(places_, bytes_)) {
      os::unmap(places_, bytes_);
      places_ = nullptr;
      return;
    }
    os::code_place* at = places_;
    for (const place* p = first; p != nullptr; p = p->next_of_all) (at++)->address = p->address;
    std::sort(places_, places_ + count_,
              [](const os::code_place& a, const os::code_place& b) { return a.address < b.address; });
  }
  ~place_list() {
    if (places_ != nullptr) os::unmap(places_, bytes_);
  }
  place_list(const place_list&) = delete;
  place_list& operator=(const place_list&) = delete;
  os::code_place* get() const { return places_; }
  std::size_t count() const { return count_; }

 private:
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
  os::code_place* places_ = nullptr;
};

std::uint64_t scaled(std::uint64_t count, double each) {
  return static_cast<std::uint64_t>(static_cast<double>(count) * each + 0.5);
}

void add_sample(writer& w, const site& s) {
  // In this order no object is gone that was not taken. [profile.1]
  const std::uint64_t gone = s.gone.load(std::memory_order_acquire);    // pairs with the release in forget
  const std::uint64_t taken = s.taken.load(std::memory_order_relaxed);  // relaxed: at least as new
  const double weight = is_planted(fault::sample_weight_unscaled) ? 1 : 1 / sampler::probability(s.what.size, s.every);
  const double bytes = weight * static_cast<double>(s.what.size);
  pprof::fields calls;
  for (std::size_t i = 0; i < s.depth; ++i) calls.varint(s.calls[i]);
  pprof::fields values;
  values.varint(scaled(taken, weight)).varint(scaled(taken, bytes));
  values.varint(scaled(taken - gone, weight)).varint(scaled(taken - gone, bytes));
  pprof::fields sample;
  sample.message(1, calls).message(2, values);
  sample.message(3,
                 pprof::fields().number(1, w.heap_key).number(2, s.what.is_managed ? w.managed_word : w.malloc_word));
  sample.message(3, pprof::fields().number(1, w.bytes_word).number(3, s.what.size).number(4, w.bytes_word));
  if (s.what.type != nullptr) {
    const std::uint64_t type = w.file.string(s.what.type, s.what.type_length, s.what.is_array ? "[]" : "");
    sample.message(3, pprof::fields().number(1, w.type_key).number(2, type));
  }
  w.file.message(of_profile::sample, sample);
}

void add_comment_of_loss(writer& w, std::uint64_t count) {
  char text[160];
  const int length = std::snprintf(text, sizeof text, "%llu samples are missing: there was no room for their stacks",
                                   static_cast<unsigned long long>(count));
  write_number(w, of_profile::comment, w.file.string(text, static_cast<std::size_t>(length)));
  message line;
  line << "umber: profile: " << static_cast<std::size_t>(count)
       << " samples are missing: there was no room for their stacks; sample less often (every=)";
  line.print();
}

// 0, or an errno.
int write_all(int file) UMBER_REQUIRES(lock) {
  if (writer_memory == nullptr) writer_memory = metadata::allocate(sizeof(writer));
  if (writer_memory == nullptr) return ENOMEM;
  auto& w = *new (writer_memory) writer(file);
  write_head(w);
  // Sites first: the places of what is listed by now are listed by then. [profile.2]
  const site* const sites = first_site();
  const place_list all(first_place());
  if (all.get() == nullptr) return ENOMEM;
  w.places = all.get();
  w.place_count = all.count();
  os::each_code_range(add_mapping, &w);
  add_places(w, w.place_count, 0);
  for (const site* s = sites; s != nullptr; s = s->next_of_all) add_sample(w, *s);
  if (const std::uint64_t count = lost(); count != 0) add_comment_of_loss(w, count);
  return w.file.finish();
}

// `name` with the number of the process for "%p"; false: it is too long.
bool expand(const char* name, std::size_t length, char (&into)[longest_name]) {
  std::size_t used = 0;
  for (std::size_t i = 0; i < length; ++i) {
    if (used + 64 > sizeof into) return false;
    if (name[i] == '%' && i + 1 < length && name[i + 1] == 'p') {
      used += static_cast<std::size_t>(std::snprintf(into + used, 16, "%d", getpid()));
      ++i;
    } else {
      into[used++] = name[i];
    }
  }
  into[used] = '\0';
  return used != 0;
}

int write_named(const char* name) UMBER_REQUIRES(lock) {
  struct stat what;
  // A device or a pipe is written to as it is.
  const bool is_other = stat(name, &what) == 0 && !S_ISREG(what.st_mode);
  char other_name[longest_name + 32];
  std::snprintf(other_name, sizeof other_name, "%s.%d.tmp", name, getpid());
  const char* const written = is_other ? name : other_name;
  const int file = open(written, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0) return errno;
  int failure = write_all(file);
  if (close(file) != 0 && failure == 0) failure = errno;
  if (is_other) return failure;
  if (failure == 0 && rename(other_name, name) != 0) failure = errno;
  if (failure != 0) unlink(other_name);
  return failure;
}

void complain(const char* name, int failure) {
  message line;
  line << "umber: UMBER_PROFILE: cannot write '" << name << "': " << strerrordesc_np(failure);
  line.print();
}

}  // namespace

int write_file(const char* name, std::size_t length) {
  char expanded[longest_name];
  if (!expand(name, length, expanded)) return length == 0 ? ENOENT : ENAMETOOLONG;
  const int errno_before = errno;
  const lock_guard guard(lock);
  const int failure = write_named(expanded);
  errno = errno_before;
  return failure;
}

void begin_as_told(const options& told) {
  if (told.profile == nullptr) return;
  if (told.profile_length >= sizeof told_name - 8) return complain(told.profile, ENAMETOOLONG);
  std::memcpy(told_name, told.profile, told.profile_length);
  told_length = told.profile_length;
  names_process = std::strstr(told_name, "%p") != nullptr;
  auto* writers = static_cast<std::uint32_t*>(dlsym(RTLD_DEFAULT, "umber_profile_writers"));
  if (writers == nullptr) writers = &umber_profile_writers;  // linked into the program
  // relaxed, both: numbers.
  number_in_process = __atomic_add_fetch(writers, 1, __ATOMIC_RELAXED);
  if (number_in_process > 1)
    told_length += static_cast<std::size_t>(std::snprintf(told_name + told_length, 8, ".%u", number_in_process));
  started_at.store(wall_clock(), std::memory_order_relaxed);
  static_cast<void>(start(told.profile_every));
}

void finish_as_told() {
  if (told_length == 0) return;
  const int failure = write_file(told_name, told_length);
  if (failure != 0) complain(told_name, failure);
}

void leave_file_to_parent() {
  if (!names_process) told_length = 0;
}

void lock_file_for_fork() UMBER_THREAD_SAFETY(acquire_capability(lock)) { lock.lock(); }
void unlock_file_after_fork() UMBER_THREAD_SAFETY(release_capability(lock)) { lock.unlock(); }
void reset_file_in_child() { lock.reset_in_child(); }

}  // namespace umber::alloc::profile

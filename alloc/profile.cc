#include "profile.h"

#include "metadata.h"
#include "os_stacks.h"
#include "processors.h"
#include "sampler.h"
#include "sync.h"

#include <cerrno>
#include <cstring>

namespace umber::alloc::profile {

namespace {

constexpr std::size_t heads = 1 << 13;

constinit mutex<rank::profile> lock;
constinit site* sites_by_hash[heads] = {};  // guarded by lock, as the next three
constinit place* places_by_hash[heads] = {};
constinit std::size_t room = most_bytes;
constinit std::atomic<site*> all_sites{nullptr};  // written with the lock held, as the next
constinit std::atomic<place*> all_places{nullptr};
constinit std::atomic<std::uint64_t> lost_samples{0};

// Makes what may be asked from within, by the same thread, stay out.
class entered {
 public:
  entered() : first_(!this_thread.sampling) { this_thread.sampling = true; }
  ~entered() {
    if (first_) this_thread.sampling = false;
  }
  entered(const entered&) = delete;
  entered& operator=(const entered&) = delete;
  bool is_first() const { return first_; }

 private:
  bool first_;
};

std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
  hash = (hash ^ value) * 0x9e3779b97f4a7c15;
  return hash ^ hash >> 29;
}

struct stack {
  std::uintptr_t calls[most_depth];
  std::size_t depth;
};

std::uint64_t hash_of(const description& what, std::size_t every, const stack& at) {
  std::uint64_t hash = mix(mix(what.size, every), address_of(what.type));
  hash = mix(hash, (what.is_managed ? 1u : 0u) | (what.is_array ? 2u : 0u));
  for (std::size_t i = 0; i < at.depth; ++i) hash = mix(hash, at.calls[i]);
  return hash;
}

bool is_same(const site& s, const description& what, std::size_t every, const stack& at) {
  return s.what.size == what.size && s.every == every && s.what.type == what.type &&
         s.what.is_managed == what.is_managed && s.what.is_array == what.is_array && s.depth == at.depth &&
         std::memcmp(s.calls, at.calls, at.depth * sizeof *at.calls) == 0;
}

// Memory within the bound; null: that is used up, or the system's is.
void* take(std::size_t bytes) UMBER_REQUIRES(lock) {
  if (bytes > room) return nullptr;
  void* memory = metadata::allocate(bytes, alignof(site));
  if (memory != nullptr) room -= bytes;
  return memory;
}

// False: no room.
bool keep_place(std::uintptr_t address) UMBER_REQUIRES(lock) {
  place*& head = places_by_hash[mix(0, address) % heads];
  for (const place* p = head; p != nullptr; p = p->next)
    if (p->address == address) return true;
  void* memory = take(sizeof(place));
  if (memory == nullptr) return false;
  head = new (memory) place{head, all_places.load(std::memory_order_relaxed), address};  // relaxed: locked
  all_places.store(head, std::memory_order_release);  // pairs with the acquire in first_place
  return true;
}

site* make_site(const description& what, std::size_t every, std::uint64_t hash, const stack& at) UMBER_REQUIRES(lock) {
  for (std::size_t i = 0; i < at.depth; ++i)
    if (!keep_place(at.calls[i])) return nullptr;
  const std::size_t stack_bytes = at.depth * sizeof *at.calls;
  void* memory = take(sizeof(site) + stack_bytes);
  if (memory == nullptr) return nullptr;
  auto* calls = static_cast<std::uintptr_t*>(pointer_to(address_of(memory) + sizeof(site)));
  std::memcpy(calls, at.calls, stack_bytes);
  site* s = new (memory) site;
  s->what = what;
  s->every = every;
  s->hash = hash;
  s->depth = at.depth;
  s->calls = calls;
  site*& head = sites_by_hash[hash % heads];
  s->next = head;
  head = s;
  s->next_of_all = all_sites.load(std::memory_order_relaxed);  // relaxed: locked
  all_sites.store(s, std::memory_order_release);               // pairs with the acquire in first_site
  return s;
}

site* find_or_make(const description& what, std::size_t every, const stack& at) {
  const std::uint64_t hash = hash_of(what, every, at);
  const lock_guard guard(lock);
  for (site* s = sites_by_hash[hash % heads]; s != nullptr; s = s->next)
    if (s->hash == hash && is_same(*s, what, every, at)) return s;
  return make_site(what, every, hash, at);
}

}  // namespace

void prepare() {
  const entered now;
  if (now.is_first()) os::prepare_stacks();
}

int start(std::size_t every) {
  prepare();
  const lock_guard guard(lock);
  if (sampler::is_on()) return EBUSY;
  sampler::set(every);
  return 0;
}

void stop() {
  const lock_guard guard(lock);
  sampler::set(0);
}

site* note(const description& what) {
  const entered now;
  const std::size_t every = sampler::mean();
  if (!now.is_first() || every == 0) return nullptr;
  stack at;
  at.depth = os::call_stack(at.calls, most_depth);
  if (at.depth == 0) return nullptr;
  site* s = find_or_make(what, every, at);
  // relaxed, both: figures.
  if (s != nullptr)
    s->taken.fetch_add(1, std::memory_order_relaxed);
  else
    lost_samples.fetch_add(1, std::memory_order_relaxed);
  return s;
}

void forget(site* of) {
  if (is_planted(fault::sample_never_forgotten)) return;
  of->gone.fetch_add(1, std::memory_order_release);  // pairs with the acquire of who writes the file
}

const site* first_site() { return all_sites.load(std::memory_order_acquire); }  // pairs with the release in make_site
const place* first_place() { return all_places.load(std::memory_order_acquire); }  // pairs with that in keep_place
std::uint64_t lost() { return lost_samples.load(std::memory_order_relaxed); }      // relaxed: a figure

void set_room(std::size_t bytes) {
  const lock_guard guard(lock);
  room = bytes;
}

void lock_for_fork() UMBER_THREAD_SAFETY(acquire_capability(lock)) { lock.lock(); }
void unlock_after_fork() UMBER_THREAD_SAFETY(release_capability(lock)) { lock.unlock(); }
void reset_in_child() { lock.reset_in_child(); }

}  // namespace umber::alloc::profile

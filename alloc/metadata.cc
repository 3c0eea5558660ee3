#include "metadata.h"

#include "os.h"
#include "sync.h"

namespace umber::alloc::metadata {
namespace {

constexpr std::size_t chunk_size = mib;
// Committing costs a system call, not RSS: pages are backed when they are touched.
constexpr std::size_t commit_step = 64 * kib;
// What would waste much of a chunk's rest gets a range of its own.
constexpr std::size_t large = chunk_size / 4;

constinit mutex<rank::metadata> guard;

struct {
  std::uintptr_t next = 0;       // the first byte not handed out
  std::uintptr_t committed = 0;  // the first byte of the chunk that is not ready
  std::uintptr_t end = 0;
  std::size_t bytes = 0;
} constinit chunk UMBER_GUARDED_BY(guard);

void* allocate_range(std::size_t size, std::size_t alignment) UMBER_REQUIRES(guard) {
  const std::size_t page = os::machine_page_size();
  if (size > SIZE_MAX - page) return nullptr;
  size = round_up(size, page);
  void* const start = os::reserve(size, alignment);
  if (start == nullptr) return nullptr;
  if (!os::commit(start, size)) {
    os::unmap(start, size);
    return nullptr;
  }
  chunk.bytes += size;
  return start;
}

bool renew_chunk() UMBER_REQUIRES(guard) {
  const std::uintptr_t start = address_of(os::reserve(chunk_size, os::machine_page_size()));
  if (start == 0) return false;
  if (!os::commit(pointer_to(start), commit_step)) {
    os::unmap(pointer_to(start), chunk_size);
    return false;
  }
  chunk.next = start;
  chunk.committed = start + commit_step;
  chunk.end = start + chunk_size;
  chunk.bytes += commit_step;
  return true;
}

bool commit_up_to(std::uintptr_t wanted) UMBER_REQUIRES(guard) {
  if (wanted <= chunk.committed) return true;
  const std::size_t more = round_up(wanted - chunk.committed, commit_step);
  if (!os::commit(pointer_to(chunk.committed), more)) return false;
  chunk.committed += more;
  chunk.bytes += more;
  return true;
}

}  // namespace

void* allocate(std::size_t size, std::size_t alignment) {
  UMBER_DCHECK(is_power_of_two(alignment));
  const lock_guard lock(guard);
  if (size >= large || alignment >= large) return allocate_range(size, alignment);
  std::uintptr_t start = round_up(chunk.next, alignment);
  if (start + size > chunk.end) {
    if (!renew_chunk()) return nullptr;
    start = round_up(chunk.next, alignment);
  }
  if (!commit_up_to(start + size)) return nullptr;
  chunk.next = start + size;
  return pointer_to(start);
}

std::size_t bytes() {
  const lock_guard lock(guard);
  return chunk.bytes;
}

void lock_for_fork() UMBER_THREAD_SAFETY(acquire_capability(guard)) { guard.lock(); }
void unlock_after_fork() UMBER_THREAD_SAFETY(release_capability(guard)) { guard.unlock(); }

// The thread that took the lock is the child's only one, so this is an ordinary unlock that finds nobody to wake.
void reset_in_child() UMBER_THREAD_SAFETY(release_capability(guard)) { guard.unlock(); }

}  // namespace umber::alloc::metadata

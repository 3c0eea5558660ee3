// The C interface of <umber/umber_c.h>: malloc.h by its public names. The C++ interface is a header over this.
#include "malloc.h"
#include "private_heap.h"
#include "profile.h"
#include "profile_file.h"
#include "report.h"
#include "startup.h"
#include "stats.h"

#include <umber/umber_c.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace umber::alloc {

namespace {

// A static link takes from the archive what is mentioned, and nothing else mentions the constructor.
[[gnu::used]] void (*const keep_startup)(char**) = start_up;

int fail_with(int error) {
  if (error == 0) return 0;
  errno = error;
  return -1;
}

bool valid_alignment(std::size_t alignment) {
  if (UMBER_LIKELY(is_power_of_two(alignment))) return true;
  errno = EINVAL;
  return false;
}

private_heap* internal(umber_malloc_heap* heap) { return reinterpret_cast<private_heap*>(heap); }

umber_malloc_stats public_stats(const heap_stats& stats) {
  umber_malloc_stats result = {};
  result.live_bytes = stats.live_bytes;
  result.live_objects = stats.live_objects;
  result.free_slot_bytes = stats.free_slot_bytes;
  result.waste_bytes = stats.waste_bytes;
  result.free_page_bytes = stats.free_page_bytes;
  result.mapped_bytes = stats.mapped_bytes;
  result.released_bytes = stats.released_bytes;
  result.peak_used_bytes = stats.peak_used_bytes;
  result.metadata_bytes = stats.metadata_bytes;
  result.large_objects = stats.large_objects;
  result.large_bytes = stats.large_bytes;
  result.processors = stats.processors;
  result.idle_processors = stats.idle_processors;
  result.memory_limit = stats.memory_limit;
  result.cgroup_limit = stats.cgroup_limit;
  result.scavenged_bytes_total = stats.scavenged_bytes_total;
  result.scavenger_cpu_ns = stats.scavenger_cpu_ns;
  return result;
}

}  // namespace

}  // namespace umber::alloc

using namespace umber::alloc;

extern "C" {

const char* umber_version() noexcept { return UMBER_VERSION; }

void* umber_malloc(std::size_t n) noexcept { return allocate(n); }

void* umber_calloc(std::size_t count, std::size_t size) noexcept {
  std::size_t bytes = 0;
  if (!__builtin_mul_overflow(count, size, &bytes)) return allocate_zeroed(bytes);
  errno = ENOMEM;
  return nullptr;
}

void* umber_realloc(void* p, std::size_t n) noexcept { return reallocate(p, n); }

void* umber_aligned_alloc(std::size_t alignment, std::size_t n) noexcept {
  return valid_alignment(alignment) ? allocate_aligned(alignment, n) : nullptr;
}

void umber_free(void* p) noexcept { deallocate(p); }
void umber_free_sized(void* p, std::size_t n) noexcept { deallocate_resized(p, n); }
void umber_free_aligned_sized(void* p, std::size_t alignment, std::size_t n) noexcept {
  deallocate_sized(p, alignment, n);
}

std::size_t umber_usable_size(const void* p) noexcept { return usable_size(p); }
std::size_t umber_good_size(std::size_t n) noexcept { return good_size(n); }

umber_allocation umber_allocate_at_least(std::size_t n) noexcept {
  void* const p = allocate(n);
  return {p, p != nullptr ? usable_size(p) : 0};
}

std::size_t umber_release() noexcept { return release_memory(); }
std::size_t umber_set_memory_limit(std::size_t bytes) noexcept { return set_memory_limit(bytes); }

umber_malloc_heap* umber_malloc_heap_create() noexcept {
  private_heap* const heap = create_private_heap();
  if (heap == nullptr) errno = ENOMEM;
  return reinterpret_cast<umber_malloc_heap*>(heap);
}

void* umber_malloc_heap_allocate(umber_malloc_heap* heap, std::size_t n) noexcept {
  return umber_malloc_heap_allocate_aligned(heap, min_alignment, n);
}

void* umber_malloc_heap_allocate_aligned(umber_malloc_heap* heap, std::size_t alignment, std::size_t n) noexcept {
  if (!valid_alignment(alignment)) return nullptr;
  void* const p = allocate_in(internal(heap), n, alignment);
  if (p == nullptr) errno = ENOMEM;
  return p;
}

void umber_malloc_heap_destroy(umber_malloc_heap* heap) noexcept {
  if (heap != nullptr) destroy_private_heap(internal(heap));
}

void umber_get_malloc_stats(umber_malloc_stats* stats, std::size_t stats_size) noexcept {
  const umber_malloc_stats now = public_stats(collect_stats());
  std::memcpy(stats, &now, std::min(stats_size, sizeof now));
}

int umber_profile_start(std::size_t every) noexcept { return fail_with(every == 0 ? EINVAL : profile::start(every)); }
void umber_profile_stop() noexcept { profile::stop(); }
int umber_profile_write(const char* file) noexcept { return fail_with(profile::write_file(file, std::strlen(file))); }

std::size_t umber_malloc_stats_json(char* buf, std::size_t n) noexcept { return write_json(collect_stats(), buf, n); }

}  // extern "C"

/* umber's allocator for C (C99): explicit allocation, first-class heaps, statistics and limits; and, from heap_c.h, the
 * managed heap.
 *
 * Sizes are in bytes. A function that returns a block returns NULL with errno ENOMEM when there is no memory, and a
 * request above PTRDIFF_MAX is such a case. Blocks are aligned to 16 bytes, or to 8 if they are of 8 bytes or fewer.
 * A block of 0 bytes is a block like any other: unique, and to be freed.
 *
 * Every function may be called from any thread at any time, before main and after exit, and in the child of a fork.
 * None is async-signal-safe. A block may be freed by a thread other than the one that allocated it.
 *
 * In a program that runs with libumber_malloc, malloc and umber_malloc are one heap: either side may free the other's.
 * With libumber alone, malloc stays the C library's, and its blocks and these must not be mixed.
 *
 * Misuse (a pointer that is not an allocated block of this heap, freed twice, or freed with a wrong size) ends the
 * program: one line on stderr that says what was wrong, then abort. */
#ifndef UMBER_UMBER_C_H
#define UMBER_UMBER_C_H

#include <stddef.h>
#include <stdint.h>

#define UMBER_VERSION "0.1.0"
#define UMBER_API __attribute__((visibility("default")))

#ifdef __cplusplus
#define UMBER_NOEXCEPT noexcept
extern "C" {
#else
#define UMBER_NOEXCEPT
#endif

/* The version of the library that is running, which may be newer than UMBER_VERSION; never NULL. */
UMBER_API const char* umber_version(void) UMBER_NOEXCEPT;

/* A block of at least n bytes, uninitialised. */
UMBER_API void* umber_malloc(size_t n) UMBER_NOEXCEPT;
/* A block of count * size bytes, all zero; NULL and ENOMEM also when the product overflows. */
UMBER_API void* umber_calloc(size_t count, size_t size) UMBER_NOEXCEPT;
/* Resizes p to n bytes, perhaps by moving it; the contents stay up to the smaller size. NULL leaves p as it was. A null
 * p is umber_malloc(n). Unlike C's realloc, n == 0 is a block of 0 bytes and never a free. */
UMBER_API void* umber_realloc(void* p, size_t n) UMBER_NOEXCEPT;
/* A block of at least n bytes at a multiple of alignment; NULL and EINVAL when that is not a power of two. */
UMBER_API void* umber_aligned_alloc(size_t alignment, size_t n) UMBER_NOEXCEPT;

/* Frees a block; NULL is nothing to do. errno stays as it is. */
UMBER_API void umber_free(void* p) UMBER_NOEXCEPT;
/* The same for a caller that knows the n it asked umber_malloc, umber_calloc or umber_realloc for (or what
 * umber_allocate_at_least granted): faster, and a wrong n is reported as misuse. */
UMBER_API void umber_free_sized(void* p, size_t n) UMBER_NOEXCEPT;
/* The same for blocks of umber_aligned_alloc. */
UMBER_API void umber_free_aligned_sized(void* p, size_t alignment, size_t n) UMBER_NOEXCEPT;

/* Bytes that may be used at p, at least what was asked for; 0 for NULL. */
UMBER_API size_t umber_usable_size(const void* p) UMBER_NOEXCEPT;
/* Bytes that a request for n bytes would be given. */
UMBER_API size_t umber_good_size(size_t n) UMBER_NOEXCEPT;

/* A block and the bytes that may be used at it; {NULL, 0} and ENOMEM when there is no memory. */
typedef struct umber_allocation {
  void* ptr;
  size_t size;
} umber_allocation;

/* A block of n bytes or more, with its whole size: what a growing array wants (C++23's allocate_at_least, P0401). */
UMBER_API umber_allocation umber_allocate_at_least(size_t n) UMBER_NOEXCEPT;

/* Gives free memory back to the system now, from the caches of all threads that are not allocating at this moment;
 * returns the bytes given back. It costs milliseconds per gigabyte returned; without it the same happens in the
 * background within about a second. */
UMBER_API size_t umber_release(void) UMBER_NOEXCEPT;

/* A soft limit in bytes for what the heap keeps resident, SIZE_MAX for none; returns the previous one. Near the limit
 * free memory goes back to the system at once; an allocation that is within the system's means never fails by it. */
UMBER_API size_t umber_set_memory_limit(size_t bytes) UMBER_NOEXCEPT;

/* A heap of its own, whose blocks can be freed all at once. Several threads may use one heap at the same time, except
 * that nothing may run beside its destruction. Its blocks may also be freed or resized one by one, by umber_free and
 * the like; a block resized belongs to the process's heap if it had to move. (First-class heaps as in mimalloc.) */
typedef struct umber_malloc_heap umber_malloc_heap;

/* NULL and ENOMEM when there is no memory. */
UMBER_API umber_malloc_heap* umber_malloc_heap_create(void) UMBER_NOEXCEPT;
UMBER_API void* umber_malloc_heap_allocate(umber_malloc_heap* heap, size_t n) UMBER_NOEXCEPT;
/* NULL and EINVAL when alignment is not a power of two. */
UMBER_API void* umber_malloc_heap_allocate_aligned(umber_malloc_heap* heap, size_t alignment, size_t n) UMBER_NOEXCEPT;
/* Frees every block that is still allocated in the heap, and the heap; NULL is nothing to do. Costs the heap's pages,
 * not its blocks. */
UMBER_API void umber_malloc_heap_destroy(umber_malloc_heap* heap) UMBER_NOEXCEPT;

/* The state of the whole process's heap, first-class heaps included. Bytes, except where a name says otherwise. */
typedef struct umber_malloc_stats {
  size_t live_bytes;            /* in allocated blocks, as usable sizes */
  size_t live_objects;          /* allocated blocks */
  size_t free_slot_bytes;       /* free, between allocated blocks */
  size_t waste_bytes;           /* lost to rounding between block sizes and pages */
  size_t free_page_bytes;       /* free, in whole pages */
  size_t mapped_bytes;          /* all of the above together */
  size_t released_bytes;        /* of mapped_bytes, given back to the system */
  size_t peak_used_bytes;       /* the most that live, free slots and waste together ever were */
  size_t metadata_bytes;        /* the heap's own, beside mapped_bytes */
  size_t large_objects;         /* allocated blocks that have pages of their own */
  size_t large_bytes;           /* in these */
  size_t processors;            /* caches for threads */
  size_t idle_processors;       /* of these, without a thread */
  size_t memory_limit;          /* umber_set_memory_limit's; SIZE_MAX: none */
  size_t cgroup_limit;          /* the control group's; SIZE_MAX: none */
  size_t scavenged_bytes_total; /* given back to the system since the start */
  uint64_t scavenger_cpu_ns;    /* nanoseconds of processor time that this took in the background */
} umber_malloc_stats;

/* Fills the first stats_size bytes of *stats; pass sizeof(umber_malloc_stats), so that a program built against another
 * version gets the members it knows. Exact for every thread that is not allocating at this moment. The allocation
 * paths count nothing for this: it walks the heap, in time proportional to its pages in use. */
UMBER_API void umber_get_malloc_stats(umber_malloc_stats* stats, size_t stats_size) UMBER_NOEXCEPT;

/* The same as a JSON object with the names above as keys, and "classes": an array of {object_size, spans,
 * live_objects, free_slots} per block size in use (object_size 0: large blocks). Writes at most n bytes to buf, the
 * final zero included, and returns the length needed without it, as snprintf does; buf may be NULL if n is 0. */
UMBER_API size_t umber_malloc_stats_json(char* buf, size_t n) UMBER_NOEXCEPT;

/* The profile of allocations: which stacks allocate, and hold, how much; from samples, malloc's and managed objects
 * alike. UMBER_PROFILE=FILE[,every=512KiB] in the environment does all of this without the program. */

/* Begins to sample about one allocation every so many bytes (524288 costs next to nothing; 1: all). 0, or -1 and EBUSY
 * when it is on already, EINVAL for 0. */
UMBER_API int umber_profile_start(size_t every) UMBER_NOEXCEPT;
/* No more samples; frees of those that there are still count. */
UMBER_API void umber_profile_stop(void) UMBER_NOEXCEPT;
/* Writes what is known to a file for `go tool pprof`: a gzipped profile.proto with alloc_objects, alloc_space,
 * inuse_objects and inuse_space. It replaces the file when it is whole; "%p" in the name is the number of the process.
 * Managed objects count as in use until a collection finds them dead. 0, or -1 with errno. */
UMBER_API int umber_profile_write(const char* file) UMBER_NOEXCEPT;

#ifdef __cplusplus
}
#endif

#include <umber/heap_c.h>

#endif

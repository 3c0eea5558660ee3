/* The managed heap for C (C99): enough to put a language runtime on it. Included by <umber/umber_c.h>; in libumber.
 *
 * A thread attaches itself to a heap, describes its types once, and makes objects. What it needs across a *safepoint*
 * it keeps in a handle; a plain pointer is good until the next one. Safepoints are: making an object, a handle to a
 * weak reference, umber_safepoint, umber_collect, entering and leaving a blocking region.
 *
 *   umber_heap* heap = umber_heap_create(NULL);
 *   umber_attach(heap);
 *   size_t fields[] = {offsetof(struct node, next)};
 *   umber_type* type = umber_type_create("node", sizeof(struct node), fields, 1, NULL);
 *   umber_scope scope;
 *   umber_scope_open(&scope);
 *   void** first = umber_handle(umber_new(type));      // *first is the object, for as long as the scope is open
 *   struct node* second = umber_new(type);
 *   umber_store(&((struct node*)*first)->next, second);
 *   umber_scope_close(&scope);
 *
 * Functions that return an object return NULL when there is no memory, after a full collection. Unless said otherwise
 * the calling thread is attached; if it is not, one line says so and the program ends (of umber_store only while a heap
 * marks, or is tortured). */
#ifndef UMBER_HEAP_C_H
#define UMBER_HEAP_C_H

#include <umber/umber_c.h>

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct umber_heap umber_heap;
typedef struct umber_type umber_type;
typedef struct umber_persistent umber_persistent;
typedef struct umber_weak umber_weak;         /* a managed object itself */
typedef struct umber_weak_map umber_weak_map; /* as well */

/* As `barrier` of <umber/heap.h>: how a heap collects. */
typedef enum umber_barrier {
  UMBER_BARRIER_BY_ENVIRONMENT,
  UMBER_BARRIER_HYBRID,
  UMBER_BARRIER_DELETION,
  UMBER_BARRIER_INSERTION,
  UMBER_BARRIER_STOP_THE_WORLD
} umber_barrier;

/* As `stall_cause`, and the order of umber_heap_stats::stalls. */
enum { UMBER_STALL_HANDSHAKE, UMBER_STALL_ASSIST, UMBER_STALL_SWEEP, UMBER_STALL_BARRIER, UMBER_STALL_WAIT };

/* All of heap_options of <umber/heap.h>, where the environment's part (UMBER_GC) is told. A member that is 0, and one
 * that lies beyond `size`, is by the environment, or has the default; for a percentage of 0 there is only 1. SIZE_MAX:
 * off. */
typedef struct umber_heap_options {
  size_t size;         /* of this struct */
  size_t percent;      /* growth until a cycle ends; SIZE_MAX: no cycle by itself */
  size_t minimum;      /* bytes; below this no cycle starts by itself */
  size_t limit;        /* soft, bytes */
  size_t hard_limit;   /* bytes; beyond it making fails */
  unsigned workers;    /* marking threads */
  unsigned torture;    /* n: every n-th allocation collects, and more, as told in <umber/heap.h>; 0: no */
  bool polled;         /* finalizers and cleanups run when the program calls umber_run_finalizers, and on no thread */
  bool attach_threads; /* a thread that needs to be attached is, until it ends; for one heap at a time */
  /* Called on the thread that wants memory when a full collection has found none, before making fails. It may free
     memory, drop handles and run finalizers, and must not rely on making objects. True: collect, and try again. */
  bool (*on_out_of_memory)(void* context);
  void* out_of_memory_context;
  umber_barrier kind;
  bool check_marks; /* tools for tests, as UMBER_GC_CHECK=marks,barriers,handles */
  bool check_barriers;
  bool track_handles;
  /* Called on a thread that was held up, when that is over: why (UMBER_STALL_...), since when, by CLOCK_MONOTONIC, and
     for how long. It must not touch managed objects. */
  void (*on_stall)(void* context, uint8_t cause, uint64_t since_ns, uint64_t ns);
  void* stall_context;
  size_t idle_ms;     /* a heap in which something was made is collected then, if not before */
  size_t watchdog_ms; /* a thread that keeps the collector waiting for this long is named */
} umber_heap_options;

/* Any thread, attached or not. NULL: no memory, or no thread. */
UMBER_API umber_heap* umber_heap_create(const umber_heap_options* options) UMBER_NOEXCEPT;
/* No thread is attached any more, and no persistent handle is left. */
UMBER_API void umber_heap_destroy(umber_heap* heap) UMBER_NOEXCEPT;
/* A whole cycle: what was unreachable before is free when it returns. Any thread. */
UMBER_API void umber_collect(umber_heap* heap) UMBER_NOEXCEPT;

/* Options that may change while the heap is in use; values as in umber_heap_options, 0 included. Any thread, which does
 * not wait. A hard limit holds from now on, the others from the end of the cycle under way, if there is one. */
UMBER_API void umber_heap_set_percent(umber_heap* heap, size_t percent) UMBER_NOEXCEPT;
UMBER_API void umber_heap_set_minimum(umber_heap* heap, size_t bytes) UMBER_NOEXCEPT;
UMBER_API void umber_heap_set_limit(umber_heap* heap, size_t bytes) UMBER_NOEXCEPT;
UMBER_API void umber_heap_set_hard_limit(umber_heap* heap, size_t bytes) UMBER_NOEXCEPT;
UMBER_API void umber_heap_set_kind(umber_heap* heap, umber_barrier kind) UMBER_NOEXCEPT;

/* Stalls by how long they were: counts[0] below 128 ns, each further one up to twice as long, the last all above. */
typedef struct umber_stall_histogram {
  uint64_t count;
  uint64_t total_ns;
  uint64_t longest_ns;
  uint64_t counts[28];
} umber_stall_histogram;

/* Whose processor time went where, in nanoseconds; as cpu_times of <umber/heap.h>. */
typedef struct umber_cpu_times {
  uint64_t mark_ns;          /* marking by the heap's threads */
  uint64_t assist_ns;        /* marking by attached threads */
  uint64_t sweep_ns;         /* sweeping by the heap's thread */
  uint64_t mutator_sweep_ns; /* sweeping by attached threads */
  uint64_t barrier_ns;       /* attached threads at barriers, and answering the collector */
  uint64_t mutator_ns;       /* everything else that the process did */
} umber_cpu_times;

/* As heap_statistics of <umber/heap.h>. */
typedef struct umber_heap_stats {
  uint64_t cycles;
  size_t live_bytes;      /* marked by the last cycle */
  size_t heap_bytes;      /* in spans */
  size_t allocated_bytes; /* since the last cycle ended */
  size_t external_bytes;
  size_t goal_bytes;
  uint64_t marked_objects; /* in the last cycle */
  umber_cpu_times cpu;     /* since the heap was made; the marking of a cycle is counted when it ends */
  uint64_t longest_stall_ns;
  size_t mutators; /* threads attached now */
  size_t percent;
  size_t limit;
  umber_stall_histogram stalls[5]; /* by cause: handshake, assist, sweep, barrier, wait */
} umber_heap_stats;

/* Fills the first stats_size bytes of *stats; pass sizeof(umber_heap_stats). Any thread. Allocates nothing. */
UMBER_API void umber_get_heap_stats(umber_heap* heap, umber_heap_stats* stats, size_t stats_size) UMBER_NOEXCEPT;
/* Statistics as JSON, with the names of Go's runtime/metrics where the meaning is the same. Returns the length of the
   whole text without its final zero, as snprintf; 8 KiB hold it. */
UMBER_API size_t umber_heap_metrics_json(umber_heap* heap, char* buffer, size_t capacity) UMBER_NOEXCEPT;

/* A snapshot of the heap, as heap::write_snapshot of <umber/heap.h>. Any thread. 0, or -1 with errno. */
UMBER_API int umber_heap_write_snapshot(umber_heap* heap, const char* file) UMBER_NOEXCEPT;

/* 0, or -1 if there is no memory. A thread is attached to one heap at a time. */
UMBER_API int umber_attach(umber_heap* heap) UMBER_NOEXCEPT;
/* All scopes are closed. */
UMBER_API void umber_detach(void) UMBER_NOEXCEPT;
UMBER_API void umber_safepoint(void) UMBER_NOEXCEPT;
/* Around waiting: the collector does not wait for this thread, which touches no object and no handle meanwhile. */
UMBER_API void umber_blocking_enter(void) UMBER_NOEXCEPT;
UMBER_API void umber_blocking_leave(void) UMBER_NOEXCEPT;

/* A type of objects of `size` bytes with pointers to managed objects (or NULL) at the given offsets, which are
 * multiples of 8. `destroy`, if not NULL, is called for each dead object on a thread of the collector and touches no
 * managed object. The name is copied. Any thread; types live as long as the process and serve all heaps. NULL: no
 * memory, or an offset that is not one. */
UMBER_API umber_type* umber_type_create(const char* name, size_t size, const size_t* pointer_offsets, size_t count,
                                        void (*destroy)(void* object)) UMBER_NOEXCEPT;

/* Zeroed. */
UMBER_API void* umber_new(umber_type* type) UMBER_NOEXCEPT;
/* `count` elements of a type without `destroy`, zeroed, and what lies in an array. */
UMBER_API void* umber_new_array(umber_type* element, size_t count) UMBER_NOEXCEPT;
UMBER_API void* umber_array_data(void* array) UMBER_NOEXCEPT;
UMBER_API size_t umber_array_length(const void* array) UMBER_NOEXCEPT;

/* *slot = value, where slot is a pointer inside an object: every such store goes through here. Any number of threads
 * may load and store; a load is umber_load or a plain read by a thread that has synchronised with the store. */
UMBER_API void umber_store(void* slot, void* value) UMBER_NOEXCEPT;
UMBER_API void* umber_load(const void* slot) UMBER_NOEXCEPT;

/* Handles live as long as the scope that was opened last when they were made. Scopes nest. */
typedef struct umber_scope {
  void* reserved[4];
} umber_scope;
UMBER_API void umber_scope_open(umber_scope* scope) UMBER_NOEXCEPT;
UMBER_API void umber_scope_close(umber_scope* scope) UMBER_NOEXCEPT;
/* A place that holds `object`, and may be assigned to. NULL: no memory. */
UMBER_API void** umber_handle(void* object) UMBER_NOEXCEPT;

/* A root that may live anywhere. NULL: no memory. */
UMBER_API umber_persistent* umber_persistent_create(void* object) UMBER_NOEXCEPT;
UMBER_API void umber_persistent_set(umber_persistent* p, void* object) UMBER_NOEXCEPT;
UMBER_API void* umber_persistent_get(const umber_persistent* p) UMBER_NOEXCEPT;
UMBER_API void umber_persistent_destroy(umber_persistent* p) UMBER_NOEXCEPT;

/* A reference that does not keep its object alive. It is an object, and needs a handle or a field itself. */
UMBER_API umber_weak* umber_weak_create(void* object) UMBER_NOEXCEPT;
/* The object, or NULL if it is gone. */
UMBER_API void* umber_weak_lock(umber_weak* weak) UMBER_NOEXCEPT;

/* A map from objects to objects that keeps neither: an entry lives as long as its key, and keeps its value that long.
 * It is an object, and needs a handle or a field itself; keys are compared by identity. Not to be changed by two
 * threads at once, nor read by one while another changes it. NULL: no memory. */
UMBER_API umber_weak_map* umber_weak_map_create(void) UMBER_NOEXCEPT;
/* The value of a key; NULL if it has none. */
UMBER_API void* umber_weak_map_get(umber_weak_map* map, const void* key) UMBER_NOEXCEPT;
/* A safepoint; the map itself is in a handle. 0, or -1 if there is no memory. */
UMBER_API int umber_weak_map_set(umber_weak_map* map, void* key, void* value) UMBER_NOEXCEPT;
/* False: there was none. */
UMBER_API bool umber_weak_map_remove(umber_weak_map* map, const void* key) UMBER_NOEXCEPT;
/* How many keys are alive, as far as is known. */
UMBER_API size_t umber_weak_map_size(umber_weak_map* map) UMBER_NOEXCEPT;
/* Calls visit for each entry that is there from the beginning until its turn. Key and value are held meanwhile; it may
 * change the map. A safepoint; the map is in a handle. 0, or -1 if there is no memory: then nothing was called. */
UMBER_API int umber_weak_map_each(umber_weak_map* map, void (*visit)(void* context, void* key, void* value),
                                  void* context) UMBER_NOEXCEPT;

/* Calls finalizer(object, context) once when nobody can reach the object any more, which then lives again, with all
 * that it reaches, and is held during the call. Replaces the one that the object had; NULL takes it away. On a thread
 * of the heap, or in umber_run_finalizers; order and end are told in <umber/finalizer.h>. 0, or -1 if there is no
 * memory. */
UMBER_API int umber_set_finalizer(void* object, void (*finalizer)(void* object, void* context),
                                  void* context) UMBER_NOEXCEPT;

/* Names a cleanup. */
typedef struct umber_cleanup {
  void* entry;
  uint64_t serial;
} umber_cleanup;
/* Calls cleanup(argument) when the object is gone: the better choice, for the object is free at once. An object may
 * have many. The argument is no managed object. `id` may be NULL. 0, or -1 if there is no memory. */
UMBER_API int umber_add_cleanup(void* object, void (*cleanup)(void* argument), void* argument,
                                umber_cleanup* id) UMBER_NOEXCEPT;
/* The same with a managed object as argument, which the cleanup keeps, and from which `object` cannot be reached. */
UMBER_API int umber_add_cleanup_of(void* object, void (*cleanup)(void* kept), void* kept,
                                   umber_cleanup* id) UMBER_NOEXCEPT;
/* Takes it back. False: too late. */
UMBER_API bool umber_cancel_cleanup(const umber_cleanup* id) UMBER_NOEXCEPT;
/* Runs the finalizers and cleanups that are due, on this thread, which is attached to the heap. How many. */
UMBER_API size_t umber_run_finalizers(umber_heap* heap) UMBER_NOEXCEPT;

/* More (or less) memory outside of the heap is owned by its objects: it counts as heap. Any thread, attached or not. */
UMBER_API void umber_add_external_bytes(umber_heap* heap, ptrdiff_t bytes) UMBER_NOEXCEPT;
/* The same for the heap of an object, also while `destroy` runs for it. */
UMBER_API void umber_account_external(const void* object, ptrdiff_t bytes) UMBER_NOEXCEPT;

#ifdef __cplusplus
}
#endif

#endif

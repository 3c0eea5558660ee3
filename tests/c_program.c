/* A program in C that embeds the managed heap by including umber_c.h, and uses all of it: an interpreter's symbol
 * table, say. What goes wrong is one line, and status 1. */
#include <umber/umber_c.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                     \
  do {                                                                       \
    if (!(condition)) {                                                      \
      fprintf(stderr, "c_program.c:%d: not so: %s\n", __LINE__, #condition); \
      exit(1);                                                               \
    }                                                                        \
  } while (0)

struct symbol {
  struct symbol* next;
  struct symbol* value;
  size_t number;
};

static umber_type* symbol_type;
static int destroyed, finalized, cleaned, rooms_made;
static umber_persistent* came_back;

static void count_destroyed(void* object) {
  umber_account_external(object, -100);
  ++destroyed;
}
static void bring_back(void* object, void* context) {
  CHECK(((struct symbol*)object)->number == 7);
  CHECK(((struct symbol*)object)->next->number == 8);
  umber_persistent_set(came_back, object);
  ++*(int*)context;
}
static void count_cleaned(void* argument) { ++*(int*)argument; }
static void see_kept(void* kept) {
  CHECK(((struct symbol*)kept)->number == 11);
  ++cleaned;
}

static struct symbol* new_symbol(size_t number) {
  struct symbol* s = umber_new(symbol_type);
  CHECK(s != NULL);
  s->number = number;
  return s;
}

static void handles_and_fields(umber_heap* heap) {
  umber_scope scope;
  umber_scope_open(&scope);
  void** list = umber_handle(NULL);
  for (size_t i = 0; i < 1000; ++i) {
    struct symbol* fresh = new_symbol(i);
    umber_store(&fresh->next, *list);
    *list = fresh;
  }
  umber_collect(heap);
  size_t n = 1000;
  for (const struct symbol* s = *list; s != NULL; s = umber_load(&s->next)) CHECK(s->number == --n);
  CHECK(n == 0);
  umber_scope_close(&scope);
}

static void weak_references(umber_heap* heap) {
  umber_scope scope, inner;
  umber_scope_open(&scope);
  void** weak = umber_handle(NULL);
  umber_scope_open(&inner);
  void** object = umber_handle(new_symbol(1));
  *weak = umber_weak_create(*object);
  umber_collect(heap);
  CHECK(umber_weak_lock(*weak) == *object);
  umber_scope_close(&inner);
  umber_collect(heap);
  CHECK(umber_weak_lock(*weak) == NULL);
  umber_scope_close(&scope);
}

static void add_numbers(void* context, void* key, void* value) {
  CHECK(((struct symbol*)key)->number + 100 == ((struct symbol*)value)->number);
  new_symbol(0);
  *(size_t*)context += ((struct symbol*)key)->number;
}

static void weak_map(umber_heap* heap) {
  umber_scope scope, inner;
  umber_scope_open(&scope);
  void** map = umber_handle(umber_weak_map_create());
  void** kept = umber_handle(new_symbol(5));
  for (size_t i = 0; i < 10; ++i) {
    umber_scope_open(&inner);
    void** key = i == 5 ? kept : umber_handle(new_symbol(i));
    CHECK(umber_weak_map_set(*map, *key, new_symbol(i + 100)) == 0);
    CHECK(((struct symbol*)umber_weak_map_get(*map, *key))->number == i + 100);
    umber_scope_close(&inner);
  }
  umber_collect(heap);
  CHECK(umber_weak_map_size(*map) == 1);
  CHECK(((struct symbol*)umber_weak_map_get(*map, *kept))->number == 105);
  size_t sum = 0;
  CHECK(umber_weak_map_each(*map, add_numbers, &sum) == 0);
  CHECK(sum == 5);
  CHECK(umber_weak_map_remove(*map, *kept));
  CHECK(!umber_weak_map_remove(*map, *kept));
  CHECK(umber_weak_map_get(*map, *kept) == NULL);
  umber_scope_close(&scope);
}

static void finalizers(umber_heap* heap) {
  umber_scope scope;
  came_back = umber_persistent_create(NULL);
  umber_scope_open(&scope);
  void** dying = umber_handle(new_symbol(7));
  umber_store(&((struct symbol*)*dying)->next, new_symbol(8));
  CHECK(umber_set_finalizer(*dying, bring_back, &finalized) == 0);
  void** calm = umber_handle(new_symbol(9));
  CHECK(umber_set_finalizer(*calm, bring_back, &finalized) == 0);
  CHECK(umber_set_finalizer(*calm, NULL, NULL) == 0);
  umber_collect(heap);
  CHECK(umber_run_finalizers(heap) == 0);
  umber_scope_close(&scope);
  umber_collect(heap);
  CHECK(umber_run_finalizers(heap) == 1);
  CHECK(finalized == 1);
  CHECK(((struct symbol*)umber_persistent_get(came_back))->number == 7);
  umber_persistent_destroy(came_back);
  umber_collect(heap);
  CHECK(umber_run_finalizers(heap) == 0);
}

static void cleanups(umber_heap* heap) {
  umber_scope scope;
  umber_cleanup id;
  umber_scope_open(&scope);
  void** object = umber_handle(new_symbol(1));
  CHECK(umber_add_cleanup(*object, count_cleaned, &cleaned, NULL) == 0);
  CHECK(umber_add_cleanup(*object, count_cleaned, &cleaned, &id) == 0);
  CHECK(umber_add_cleanup_of(*object, see_kept, new_symbol(11), NULL) == 0);
  CHECK(umber_cancel_cleanup(&id));
  CHECK(!umber_cancel_cleanup(&id));
  umber_collect(heap);
  CHECK(umber_run_finalizers(heap) == 0);
  umber_scope_close(&scope);
  umber_collect(heap);
  CHECK(umber_run_finalizers(heap) == 2);
  CHECK(cleaned == 2);
}

static void external_memory(umber_heap* heap) {
  umber_heap_stats stats;
  umber_type* type = umber_type_create("owner", 32, NULL, 0, count_destroyed);
  CHECK(type != NULL);
  for (int i = 0; i < 10; ++i) umber_account_external(umber_new(type), 100);
  umber_add_external_bytes(heap, 50);
  umber_get_heap_stats(heap, &stats, sizeof stats);
  CHECK(stats.external_bytes + 100 * (size_t)destroyed == 1050);
  umber_collect(heap);
  CHECK(destroyed == 10);
  umber_get_heap_stats(heap, &stats, sizeof stats);
  CHECK(stats.external_bytes == 50);
  umber_add_external_bytes(heap, -50);
}

static void blocking(umber_heap* heap) {
  umber_blocking_enter();
  umber_collect(heap);
  umber_blocking_leave();
  umber_safepoint();
}

static void statistics(umber_heap* heap) {
  umber_heap_stats stats;
  umber_get_heap_stats(heap, &stats, sizeof stats);
  CHECK(stats.cycles >= 10);
  CHECK(stats.mutators == 1);
  CHECK(stats.cpu.mark_ns > 0);
  CHECK(stats.percent == 50);
  uint64_t cycles_only[2] = {0, 42};
  umber_get_heap_stats(heap, (umber_heap_stats*)cycles_only, sizeof cycles_only[0]);
  CHECK(cycles_only[0] == stats.cycles && cycles_only[1] == 42);
  char text[8192];
  CHECK(umber_heap_metrics_json(heap, text, sizeof text) < sizeof text);
  CHECK(strstr(text, "\"/umber/mutators:threads\":1,") != NULL);
}

static int stalls_seen;
static void see_stall(void* context, uint8_t cause, uint64_t since_ns, uint64_t ns) {
  CHECK(cause <= UMBER_STALL_WAIT);
  CHECK(since_ns != 0 && ns < UINT64_C(3600000000000));
  ++*(int*)context;
}

/* Each kind of collector, with its checks; what is kept is there, and somebody was told of each stall. */
static void each_kind(void) {
  for (int kind = UMBER_BARRIER_BY_ENVIRONMENT; kind <= UMBER_BARRIER_STOP_THE_WORLD; ++kind) {
    umber_heap_options options;
    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    options.percent = SIZE_MAX;
    options.kind = (umber_barrier)kind;
    options.check_marks = options.check_barriers = options.track_handles = true;
    options.on_stall = see_stall;
    options.stall_context = &stalls_seen;
    options.idle_ms = SIZE_MAX;
    options.watchdog_ms = 5000;
    options.workers = 1;
    umber_heap* heap = umber_heap_create(&options);
    CHECK(heap != NULL && umber_attach(heap) == 0);
    stalls_seen = 0;
    handles_and_fields(heap);
    umber_heap_stats stats;
    umber_get_heap_stats(heap, &stats, sizeof stats);
    uint64_t stalls = 0;
    for (int cause = 0; cause <= UMBER_STALL_WAIT; ++cause) stalls += stats.stalls[cause].count;
    CHECK(stalls == (uint64_t)stalls_seen);
    umber_detach();
    umber_heap_destroy(heap);
  }
}

/* A program that was compiled when the struct ended earlier: what it does not know has its default. */
static void older_struct(void) {
  umber_heap_options options;
  memset(&options, 0xff, sizeof options);
  options.size = offsetof(umber_heap_options, minimum);
  options.percent = 77;
  umber_heap* heap = umber_heap_create(&options);
  umber_heap_stats stats;
  CHECK(heap != NULL);
  umber_get_heap_stats(heap, &stats, sizeof stats);
  CHECK(stats.percent == 77 && stats.goal_bytes < 100 << 20);
  umber_heap_destroy(heap);
}

static bool make_room(void* context) {
  ++*(int*)context;
  umber_persistent_set(came_back, NULL);
  return rooms_made == 1;
}

static void out_of_memory(void) {
  stalls_seen = 0;
  umber_heap_options options;
  memset(&options, 0, sizeof options);
  options.size = sizeof options;
  options.hard_limit = 1 << 20;
  options.on_out_of_memory = make_room;
  options.on_stall = see_stall;
  options.stall_context = &stalls_seen;
  options.out_of_memory_context = &rooms_made;
  umber_heap* heap = umber_heap_create(&options);
  CHECK(heap != NULL && umber_attach(heap) == 0);
  came_back = umber_persistent_create(umber_new_array(symbol_type, 20000));
  CHECK(umber_array_length(umber_persistent_get(came_back)) == 20000);
  CHECK(umber_array_data(umber_persistent_get(came_back)) != NULL);
  void* second = umber_new_array(symbol_type, 30000); /* only when the first is gone */
  CHECK(second != NULL && rooms_made == 1);
  CHECK(umber_new_array(symbol_type, 3000000) == NULL);
  CHECK(rooms_made == 2);
  CHECK(stalls_seen > 0);
  umber_persistent_destroy(came_back);
  umber_detach();
  umber_heap_destroy(heap);
}

int main(void) {
  umber_heap_options options;
  memset(&options, 0, sizeof options);
  options.size = sizeof options;
  options.percent = 50;
  options.torture = 5;
  options.polled = true;
  umber_heap* heap = umber_heap_create(&options);
  CHECK(heap != NULL);
  CHECK(umber_attach(heap) == 0);
  const size_t pointers[] = {offsetof(struct symbol, next), offsetof(struct symbol, value)};
  symbol_type = umber_type_create("symbol", sizeof(struct symbol), pointers, 2, NULL);
  CHECK(symbol_type != NULL);
  handles_and_fields(heap);
  weak_references(heap);
  weak_map(heap);
  finalizers(heap);
  cleanups(heap);
  external_memory(heap);
  blocking(heap);
  statistics(heap);
  umber_detach();
  umber_heap_destroy(heap);
  each_kind();
  older_struct();
  out_of_memory();
  return 0;
}

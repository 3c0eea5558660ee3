// The managed heap as C sees it: the same heap, objects and handles, under names that C can call.
#include "attach.h"
#include "refill.h"
#include "request.h"

#include "alloc/metadata.h"

#include <umber/external.h>
#include <umber/finalizer.h>
#include <umber/heap.h>
#include <umber/umber_c.h>
#include <umber/weak_map.h>

#include <new>

using namespace umber;
using namespace umber::detail;

namespace {

using gc::type_layout;

// Handles of scopes: slots as locals have them.
struct handle_block {
  handle_block* previous;
  handle_block* next;  // kept for the next scope
  std::size_t count;
  void** slots[500];
};

// What an umber_scope holds.
struct scope_state {
  handle_block* block;  // the last one when it was opened
  std::size_t count;    // in it
};
static_assert(sizeof(scope_state) <= sizeof(umber_scope));

constexpr char attach_first[] = "needs a thread that is attached: call umber_attach first";

gc::mutator& here(const char* call) { return gc::attached_or_die(call, attach_first); }

handle_block* last_block(const gc::mutator& m) { return static_cast<handle_block*>(m.c_handles); }

handle_block* next_block(gc::mutator& m) {
  handle_block* last = last_block(m);
  handle_block* block = last == nullptr ? nullptr : last->next;
  if (block == nullptr) {
    block = static_cast<handle_block*>(alloc::metadata::allocate(sizeof(handle_block)));
    if (block == nullptr) return nullptr;
    block->previous = last;
    if (last != nullptr) last->next = block;
  }
  block->count = 0;
  m.c_handles = block;
  return block;
}

const type_layout& layout(const umber_type* type) { return *reinterpret_cast<const type_layout*>(type); }
heap_state* state(umber_heap* heap) { return reinterpret_cast<heap_state*>(heap); }
weak_table& table(umber_weak_map* map) { return *reinterpret_cast<weak_table*>(map); }
root_slot* slot_of(umber_persistent* p) { return reinterpret_cast<root_slot*>(p); }

static_assert(sizeof(stall_cause) == sizeof(std::uint8_t) &&
              UMBER_STALL_WAIT == static_cast<std::uint8_t>(stall_cause::wait));
static_assert(UMBER_BARRIER_STOP_THE_WORLD == static_cast<int>(umber::barrier::stop_the_world) + 1);

std::size_t or_by_environment(std::size_t chosen) { return chosen != 0 ? chosen : heap_options::by_environment; }

umber::barrier kind_of(const char* call, umber_barrier kind) {
  if (kind == UMBER_BARRIER_BY_ENVIRONMENT) return umber::barrier::by_environment;
  const auto number = static_cast<unsigned>(kind);
  if (number > UMBER_BARRIER_STOP_THE_WORLD) alloc::die_misuse(call, "the kind is none of enum umber_barrier");
  return static_cast<umber::barrier>(number - 1);
}

static_assert(sizeof(umber_stall_histogram) == sizeof(stall_histogram) && stall_causes == 5);
static_assert(sizeof(umber_cpu_times) == sizeof(cpu_times));

umber_heap_stats as_c(const heap_statistics& s) {
  umber_heap_stats result{.cycles = s.cycles,
                          .live_bytes = s.live_bytes,
                          .heap_bytes = s.heap_bytes,
                          .allocated_bytes = s.allocated_bytes,
                          .external_bytes = s.external_bytes,
                          .goal_bytes = s.goal_bytes,
                          .marked_objects = s.marked_objects,
                          .cpu = {},
                          .longest_stall_ns = s.longest_stall_ns,
                          .mutators = s.mutators,
                          .percent = s.percent,
                          .limit = s.limit,
                          .stalls = {}};
  __builtin_memcpy(&result.cpu, &s.cpu, sizeof(result.cpu));
  __builtin_memcpy(&result.stalls, &s.stalls, sizeof(result.stalls));
  return result;
}

// A function of C and its argument, as a call to be made later.
deferred_call call_of(void (*run)(const deferred_call::closure_words&, void*) noexcept, const void* function,
                      void* argument) {
  return {.run = run, .closure = {alloc::address_of(function), alloc::address_of(argument)}};
}
template <class F>
F function_of(const deferred_call::closure_words& closure) {
  return reinterpret_cast<F>(closure[0]);
}
void* argument_of(const deferred_call::closure_words& closure) { return alloc::pointer_to(closure[1]); }

using finalizer_function = void (*)(void* object, void* context);
using cleanup_function = void (*)(void* argument);

int add_cleanup_call(void* object, const deferred_call& call, void* kept, umber_cleanup* id) {
  cleanup_id added;
  if (!add_cleanup(object, call, kept, added)) return -1;
  if (id != nullptr) *id = {added.entry, added.serial};
  return 0;
}

}  // namespace

extern "C" {

umber_heap* umber_heap_create(const umber_heap_options* given) noexcept {
  heap_options options;
  umber_heap_options chosen{};
  if (given != nullptr) __builtin_memcpy(&chosen, given, given->size < sizeof(chosen) ? given->size : sizeof(chosen));
  options.percent = or_by_environment(chosen.percent);
  options.minimum = or_by_environment(chosen.minimum);
  options.limit = or_by_environment(chosen.limit);
  options.hard_limit = or_by_environment(chosen.hard_limit);
  options.kind = kind_of("umber_heap_create", chosen.kind);
  options.workers = chosen.workers;
  options.torture = chosen.torture;
  options.finalizer_thread = !chosen.polled;
  options.attach_threads = chosen.attach_threads;
  options.idle_ms = or_by_environment(chosen.idle_ms);
  options.watchdog_ms = or_by_environment(chosen.watchdog_ms);
  options.check_marks = chosen.check_marks;
  options.check_barriers = chosen.check_barriers;
  options.track_handles = chosen.track_handles;
  // C has no noexcept; that the functions do not throw is in the contract.
  options.on_out_of_memory = reinterpret_cast<bool (*)(void*) noexcept>(chosen.on_out_of_memory);
  options.out_of_memory_context = chosen.out_of_memory_context;
  options.on_stall = reinterpret_cast<decltype(options.on_stall)>(chosen.on_stall);
  options.stall_context = chosen.stall_context;
  return reinterpret_cast<umber_heap*>(create_heap(options));
}

void umber_heap_destroy(umber_heap* heap) noexcept { destroy_heap(state(heap)); }
void umber_collect(umber_heap* heap) noexcept { collect(state(heap)); }

void umber_heap_set_percent(umber_heap* heap, size_t percent) noexcept {
  set(state(heap), heap_setting::percent, or_by_environment(percent));
}
void umber_heap_set_minimum(umber_heap* heap, size_t bytes) noexcept {
  set(state(heap), heap_setting::minimum, or_by_environment(bytes));
}
void umber_heap_set_limit(umber_heap* heap, size_t bytes) noexcept {
  set(state(heap), heap_setting::limit, or_by_environment(bytes));
}
void umber_heap_set_hard_limit(umber_heap* heap, size_t bytes) noexcept {
  set(state(heap), heap_setting::hard_limit, or_by_environment(bytes));
}
void umber_heap_set_kind(umber_heap* heap, umber_barrier kind) noexcept {
  set(state(heap), heap_setting::kind, static_cast<std::size_t>(kind_of("umber_heap_set_kind", kind)));
}

int umber_heap_write_snapshot(umber_heap* heap, const char* file) noexcept {
  return write_snapshot(reinterpret_cast<heap_state*>(heap), file) ? 0 : -1;
}

void umber_get_heap_stats(umber_heap* heap, umber_heap_stats* stats, size_t stats_size) noexcept {
  heap_statistics figures{};
  read_statistics(state(heap), figures);
  const umber_heap_stats all = as_c(figures);
  __builtin_memcpy(static_cast<void*>(stats), &all, stats_size < sizeof(all) ? stats_size : sizeof(all));
}

size_t umber_heap_metrics_json(umber_heap* heap, char* buffer, size_t capacity) noexcept {
  heap_statistics figures{};
  read_statistics(state(heap), figures);
  return write_json(figures, buffer, capacity);
}

int umber_attach(umber_heap* heap) noexcept { return attach(state(heap)) == nullptr ? -1 : 0; }

void umber_detach() noexcept {
  if (gc::is_forked()) return;
  if (gc::attached() == nullptr) alloc::die_misuse("umber_detach", attach_first);
  const gc::mutator& m = gc::this_mutator();
  const handle_block* block = last_block(m);
  if (block != nullptr && (block->previous != nullptr || block->count != 0))
    alloc::die_misuse("umber_detach", "scopes are still open");
  detach(current_mutator);
}

void umber_safepoint() noexcept {
  here("umber_safepoint");
  safepoint();
}
void umber_blocking_enter() noexcept {
  here("umber_blocking_enter");
  enter_blocking();
}
void umber_blocking_leave() noexcept {
  if (gc::is_forked()) return;
  here("umber_blocking_leave");
  leave_blocking();
}

umber_type* umber_type_create(const char* name, size_t size, const size_t* pointer_offsets, size_t count,
                              void (*destroy)(void*)) noexcept {
  return reinterpret_cast<umber_type*>(gc::make_runtime_layout(name, size, pointer_offsets, count, destroy));
}

void* umber_new(umber_type* type) noexcept {
  void* object = gc::allocate_object(here("umber_new"), layout(type));
  if (object != nullptr && layout(type).destroy != nullptr) constructed(object);
  return object;
}

void* umber_new_array(umber_type* element, size_t count) noexcept {
  if (layout(element).destroy != nullptr)
    alloc::die_misuse("umber_new_array", "elements cannot be of a type with destroy");
  const std::size_t header = layout(element).description->alignment > 8 ? 16 : 8;
  return gc::allocate_array(here("umber_new_array"), layout(element), count, header);
}

void* umber_array_data(void* array) noexcept {
  return static_cast<char*>(array) + gc::array_header::of(alloc::address_of(array)).bytes();
}

size_t umber_array_length(const void* array) noexcept {
  return gc::array_header::of(alloc::address_of(array)).length();
}

void umber_store(void* slot, void* value) noexcept {
  auto* place = static_cast<std::atomic<void*>*>(slot);
  if (barrier_needed()) {
    here("umber_store");
    umber::detail::barrier(place, value);
  }
  place->store(value, std::memory_order_release);  // pairs with the acquire in umber_load
}

void* umber_load(const void* slot) noexcept {
  return static_cast<const std::atomic<void*>*>(slot)->load(std::memory_order_acquire);  // pairs with umber_store
}

void umber_scope_open(umber_scope* scope) noexcept {
  handle_block* block = last_block(here("umber_scope_open"));
  new (scope->reserved) scope_state{block, block == nullptr ? 0 : block->count};
}

void umber_scope_close(umber_scope* scope) noexcept {
  gc::mutator& m = here("umber_scope_close");
  const auto opened = *reinterpret_cast<const scope_state*>(scope->reserved);
  for (handle_block* block = last_block(m); block != nullptr; block = last_block(m)) {
    const bool is_first = block == opened.block || (opened.block == nullptr && block->previous == nullptr);
    const std::size_t keep = block == opened.block ? opened.count : 0;
    while (block->count > keep) drop_local(&m, block->slots[--block->count]);
    if (is_first) return;
    m.c_handles = block->previous;
  }
}

void** umber_handle(void* object) noexcept {
  gc::mutator& m = here("umber_handle");
  handle_block* block = last_block(m);
  if (block == nullptr || block->count == sizeof(block->slots) / sizeof(block->slots[0])) block = next_block(m);
  void** slot = block == nullptr ? nullptr : take_local_slowly(object);
  if (slot != nullptr) block->slots[block->count++] = slot;
  return slot;
}

umber_persistent* umber_persistent_create(void* object) noexcept {
  here("umber_persistent_create");
  root_slot* root = make_root(object);
  if (root == nullptr) return nullptr;
  umber_store(&root->object, object);
  return reinterpret_cast<umber_persistent*>(root);
}

void umber_persistent_set(umber_persistent* p, void* object) noexcept { umber_store(&slot_of(p)->object, object); }

void* umber_persistent_get(const umber_persistent* p) noexcept {
  return umber_load(&slot_of(const_cast<umber_persistent*>(p))->object);
}

void umber_persistent_destroy(umber_persistent* p) noexcept {
  if (p != nullptr) drop_root(slot_of(p));
}

umber_weak* umber_weak_create(void* object) noexcept {
  here("umber_weak_create");
  const local<char> kept(static_cast<char*>(object));
  return reinterpret_cast<umber_weak*>(make_weak_box(object));
}

void* umber_weak_lock(umber_weak* weak) noexcept {
  here("umber_weak_lock");
  return lock_weak(reinterpret_cast<weak_box*>(weak));
}

umber_weak_map* umber_weak_map_create() noexcept {
  here("umber_weak_map_create");
  return static_cast<umber_weak_map*>(allocate_slow(description_of<weak_table>()));
}

void* umber_weak_map_get(umber_weak_map* map, const void* key) noexcept {
  here("umber_weak_map_get");
  return table(map).get(key);
}

int umber_weak_map_set(umber_weak_map* map, void* key, void* value) noexcept {
  here("umber_weak_map_set");
  const local<char> kept_key(static_cast<char*>(key)), kept_value(static_cast<char*>(value));
  return table(map).set(key, value) ? 0 : -1;
}

bool umber_weak_map_remove(umber_weak_map* map, const void* key) noexcept {
  here("umber_weak_map_remove");
  return table(map).remove(key);
}
size_t umber_weak_map_size(umber_weak_map* map) noexcept {
  here("umber_weak_map_size");
  return table(map).size();
}

int umber_weak_map_each(umber_weak_map* map, void (*visit)(void*, void*, void*), void* context) noexcept {
  here("umber_weak_map_each");
  return table(map).for_each([&](void* key, void* value) { visit(context, key, value); }) ? 0 : -1;
}

int umber_set_finalizer(void* object, void (*finalizer)(void*, void*), void* context) noexcept {
  here("umber_set_finalizer");
  if (finalizer == nullptr) return set_finalizer(object, nullptr) ? 0 : -1;
  const auto run = [](const deferred_call::closure_words& closure, void* kept) noexcept {
    function_of<finalizer_function>(closure)(kept, argument_of(closure));
  };
  const deferred_call call = call_of(run, reinterpret_cast<const void*>(finalizer), context);
  return set_finalizer(object, &call) ? 0 : -1;
}

int umber_add_cleanup(void* object, void (*cleanup)(void*), void* argument, umber_cleanup* id) noexcept {
  here("umber_add_cleanup");
  const auto run = [](const deferred_call::closure_words& closure, void*) noexcept {
    function_of<cleanup_function>(closure)(argument_of(closure));
  };
  return add_cleanup_call(object, call_of(run, reinterpret_cast<const void*>(cleanup), argument), nullptr, id);
}

int umber_add_cleanup_of(void* object, void (*cleanup)(void*), void* kept, umber_cleanup* id) noexcept {
  here("umber_add_cleanup_of");
  const auto run = [](const deferred_call::closure_words& closure, void* held) noexcept {
    function_of<cleanup_function>(closure)(held);
  };
  return add_cleanup_call(object, call_of(run, reinterpret_cast<const void*>(cleanup), nullptr), kept, id);
}

bool umber_cancel_cleanup(const umber_cleanup* id) noexcept {
  here("umber_cancel_cleanup");
  return cancel_cleanup({id->entry, id->serial});
}
size_t umber_run_finalizers(umber_heap* heap) noexcept {
  here("umber_run_finalizers");
  return run_finalizers(state(heap));
}
void umber_add_external_bytes(umber_heap* heap, ptrdiff_t bytes) noexcept { add_external(state(heap), bytes); }
void umber_account_external(const void* object, ptrdiff_t bytes) noexcept { add_external_of(object, bytes); }

}  // extern "C"

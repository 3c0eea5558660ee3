// The table of workloads: what each is called in the field, what it asks of an allocator, and the function that does
// it. The order is the order of the report: from one thread and one size to whole programs, then what only memory
// shows.
#include "workloads.h"

namespace bench {

namespace {

constexpr unsigned per_core = 0;

constexpr workload table[] = {
    {"pair-64", "fast", "malloc then free at once, 64 B", 1, [](const params& p) { return immediate_pair(p, 64); }},
    {"pair-1k", "fast", "malloc then free at once, 1 KiB", 1, [](const params& p) { return immediate_pair(p, 1024); }},
    {"pair-8k", "fast", "malloc then free at once, 8 KiB", 1, [](const params& p) { return immediate_pair(p, 8192); }},
    {"pair-64k", "fast", "malloc then free at once, 64 KiB", 1,
     [](const params& p) { return immediate_pair(p, 65536); }},
    {"batch-64", "fast", "1000 blocks of 64 B, freed in order", 1,
     [](const params& p) { return batch_in_order(p, 64); }},
    {"batch-1k", "fast", "1000 blocks of 1 KiB, freed in order", 1,
     [](const params& p) { return batch_in_order(p, 1024); }},
    {"batch-8k", "fast", "1000 blocks of 8 KiB, freed in order", 1,
     [](const params& p) { return batch_in_order(p, 8192); }},
    {"batch-64k", "fast", "1000 blocks of 64 KiB, freed in order", 1,
     [](const params& p) { return batch_in_order(p, 65536); }},
    {"batch-reverse", "fast", "1000 blocks of 64 B, freed last first", 1, batch_reverse},
    {"random-16-512", "fast", "100,000 live blocks of 16 to 512 B, freed in random order", 1, random_sizes},
    {"larson", "threads", "a server's slots replaced at random and handed to new threads", per_core, larson},
    {"larson-sized", "threads", "larson with sized operator delete", per_core, larson_sized},
    {"xmalloc", "threads", "producers allocate batches, consumers free them", per_core, xmalloc},
    {"remote-64", "threads", "one thread allocates batches of 1000, another frees them", 2, remote_free},
    {"local-64", "threads", "remote-64 where the allocating thread frees: the twin to divide by", 2, local_free},
    {"cache-scratch-1", "threads", "passive false sharing, one thread", 1, cache_scratch},
    {"cache-scratch-n", "threads", "passive false sharing: blocks inherited from another thread", per_core,
     cache_scratch},
    {"cache-thrash-1", "threads", "active false sharing, one thread", 1, cache_thrash},
    {"cache-thrash-n", "threads", "active false sharing: threads write small blocks of their own", per_core,
     cache_thrash},
    {"sh6", "threads", "SmartHeap's mix: small sizes most, freed last-first with survivors", per_core, sh6},
    {"sh8", "threads", "SmartHeap's mix with blocks exchanged between threads", per_core, sh8},
    {"mstress", "threads", "mimalloc's stress test: sizes up to 80 KB, blocks retained and passed on", per_core,
     mstress},
    {"rptest", "threads", "rpmalloc's benchmark: 16 B to 16 KB, falling odds, cross-thread frees", per_core, rptest},
    {"alloc-test-1", "threads", "random slots of random sizes, one thread", 1, alloc_test},
    {"alloc-test-n", "threads", "random slots of random sizes, a thread per core", per_core, alloc_test},
    {"thread-churn", "threads", "thousands of short threads, each freeing what the last one left", per_core,
     thread_churn},
    {"contention-2", "contention", "2 threads replacing blocks of 16 to 512 B", 2, contention},
    {"contention-8", "contention", "8 threads replacing blocks of 16 to 512 B", 8, contention},
    {"contention-64", "contention", "64 threads replacing blocks of 16 to 512 B", 64, contention},
    {"contention-512", "contention", "512 threads replacing blocks of 16 to 512 B", 512, contention},
    {"large", "programs", "blocks of 1 to 16 MiB replaced at random", 1, large},
    {"realloc-growth", "programs", "buffers grown by realloc from 16 B to 4 MiB", 1, realloc_growth},
    {"string-map", "programs", "hash and tree maps of strings, filled and thinned", 1, string_map},
    {"object-tree", "programs", "binary trees built and taken down", 1, object_tree},
    {"cfrac-like", "programs", "a continued fraction in bignums of a few words", 1, cfrac},
    {"espresso-like", "programs", "covers of cubes: intersected, absorbed, thrown away", 1, espresso},
    {"hoarding", "programs", "12 phases of 200 MB of rising object size, 1 object in 500 survives", 1, hoarding},
    {"idle-return", "memory", "800 MB of mixed sizes freed, then nothing for 5 s", 1, idle_return},
    {"idle-return-foreign", "memory", "the same, freed by a thread that never allocated", 1, idle_return_foreign},
    {"short-threads", "memory", "20,000 short threads with cross frees", 1, short_threads},
    {"idle-threads", "memory", "10,000 live idle threads that have each allocated once", 10000, idle_threads},
};

}  // namespace

std::span<const workload> all_workloads() { return table; }

}  // namespace bench

// The workloads of every program, in the order in which they are listed.
#include "harness.h"

namespace bench {

namespace {

constexpr workload table[] = {
    {"binary_trees",
     "trees of many depths, made, walked and dropped beside one that lives",
     binary_trees,
     {.may_have_threads = true, .depth = 18}},
    {"gcbench", "trees from the top down and from the bottom up, three times", gcbench, {.depth = 18}},
    {"message_ring",
     "1 KiB messages into 200,000 slots over a live tree",
     message_ring,
     {.depth = 23, .may_be_random = true, .is_paced = true, .rate = 250000}},
    {"graph_mutate",
     "swaps of links between random nodes, with a thread allocating beside",
     graph_mutate,
     {.depth = 20, .has_beside = true, .is_paced = true}},
    {"lru_cache",
     "a map and a list of strings, the least recently used of which go",
     lru_cache,
     {.may_have_threads = true, .depth = 17, .is_paced = true}},
    {"large_arrays",
     "arrays of 64 KiB to 2 MiB, of numbers and of links, replaced",
     large_arrays,
     {.may_have_threads = true, .depth = 6, .is_paced = true}},
    {"ast",
     "syntax trees of eight types, built, evaluated and rewritten",
     ast,
     {.may_have_threads = true, .depth = 8, .is_paced = true}},
    {"threads",
     "1 to 64 threads making short lists, of which some are handed on",
     threads,
     {.threads = 4, .may_have_threads = true, .depth = 10, .is_paced = true}},
    {"churn_survive",
     "small objects, of which --survival replace others that live",
     churn_survive,
     {.may_have_threads = true, .depth = 18, .has_survival = true, .is_paced = true}},
    {"leak_slow",
     "small objects, of which one in ten stays for good",
     leak_slow,
     {.may_have_threads = true, .is_paced = true}},
    {"finalizer_storm",
     "objects with a finalizer each",
     finalizer_storm,
     {.may_have_threads = true, .depth = 12, .is_paced = true}},
    {"weak_cache",
     "objects found by weak references, of which the last 1024 are held",
     weak_cache,
     {.may_have_threads = true, .depth = 16, .is_paced = true}},
    {"idle_return",
     "a large tree is dropped, and nothing done: what the system gets back, and when",
     idle_return,
     {.depth = 21, .idles = true}},
    {"allocate", "objects of 16 bytes, without collecting", allocate, {.collects_by_itself = false}},
    {"recording", "operations that do nothing: what the measuring itself costs", recording},
#ifdef BENCH_HAS_COLLECTOR
    {"full_collection",
     "whole collections of a live tree of 64-byte nodes",
     full_collection,
     {.depth = 23, .may_be_random = true, .collects_by_itself = false}},
    {"linked_list",
     "whole collections of a list in random order, where each object is found through another",
     linked_list,
     {.collects_by_itself = false}},
#endif
};

}  // namespace

std::span<const workload> common_workloads() { return table; }

}  // namespace bench

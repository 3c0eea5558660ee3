// The workloads, declared by the file that holds them. Names and descriptions are in the table of workloads.cc.
#pragma once

#include "harness.h"

#include <span>

namespace bench {

// Returns the table of all workloads, in the order in which they are run and shown.
[[nodiscard]] std::span<const workload> all_workloads();

// fast_path.cc
outcome immediate_pair(const params& chosen, std::size_t size);
outcome batch_in_order(const params& chosen, std::size_t size);
outcome batch_reverse(const params& chosen);
outcome random_sizes(const params& chosen);

// larson.cc
outcome larson(const params& chosen);
outcome larson_sized(const params& chosen);

// xmalloc.cc
outcome xmalloc(const params& chosen);
outcome remote_free(const params& chosen);
outcome local_free(const params& chosen);

// cache_effects.cc
outcome cache_scratch(const params& chosen);
outcome cache_thrash(const params& chosen);

// smart_heap.cc
outcome sh6(const params& chosen);
outcome sh8(const params& chosen);

// mstress.cc, rptest.cc, alloc_test.cc, large.cc, realloc_growth.cc
outcome mstress(const params& chosen);
outcome rptest(const params& chosen);
outcome alloc_test(const params& chosen);
outcome large(const params& chosen);
outcome realloc_growth(const params& chosen);

// string_map.cc, object_tree.cc, cfrac.cc, espresso.cc
outcome string_map(const params& chosen);
outcome object_tree(const params& chosen);
outcome cfrac(const params& chosen);
outcome espresso(const params& chosen);

// thread_churn.cc, contention.cc
outcome thread_churn(const params& chosen);
outcome short_threads(const params& chosen);
outcome contention(const params& chosen);

// hoarding.cc, idle_return.cc, idle_threads.cc
outcome hoarding(const params& chosen);
outcome idle_return(const params& chosen);
outcome idle_return_foreign(const params& chosen);
outcome idle_threads(const params& chosen);

}  // namespace bench

// Redis is a host of two programs: the server runs under the allocator, the load comes from redis-benchmark without it.
#pragma once

#include "bench_job.h"

namespace umber::tool {

// Starts a server on a unix socket in a temporary folder, loads it, and takes the time of the load and the server's
// peak memory. The checksum is of the data set that the server holds in the end, which is the same in every run.
[[nodiscard]] measurement measure_redis(const job& row, const allocator& under, double timeout_seconds);

}  // namespace umber::tool

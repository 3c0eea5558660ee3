// What a run prints: the object of bench/run.md.
#pragma once

#include "recorder.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <vector>

namespace bench {

[[nodiscard]] nlohmann::ordered_json to_json(const histogram& h);

// All of the object that was measured: everything but what the run was and what it computed.
[[nodiscard]] nlohmann::ordered_json to_json(const measurement& m);

}  // namespace bench

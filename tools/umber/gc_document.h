// The JSON document of bench/results.md.
#pragma once

#include <string>

#include "gc_results.h"

namespace umber::tool {

struct gc_occasion {
  // As a shell takes it.
  std::string command;
  // UTC, as 2026-01-31T12:00:00Z.
  std::string started;
  double seconds = 0;
};

[[nodiscard]] std::string gc_document(const gc_results& all, const gc_occasion& occasion);

}  // namespace umber::tool

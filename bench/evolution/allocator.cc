// The table, in the order of history.
#include "allocator.h"

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace evolution {

std::span<const allocator> all_allocators() {
  static const allocator table[] = {bump,   first_fit, next_fit, best_fit,    segregated,
                                    arenas, central,   mcache,   umber_itself};
  return table;
}

const allocator& chosen_allocator() {
  const char* wanted = std::getenv("UMBER_EVOLUTION");
  for (const allocator& each : all_allocators()) {
    if (wanted != nullptr && std::string_view(wanted) == each.name) return each;
  }
  std::fputs("umber-evolution: set UMBER_EVOLUTION to one of:", stderr);
  for (const allocator& each : all_allocators()) std::fprintf(stderr, " %s", each.name);
  std::fputs("\n", stderr);
  std::_Exit(2);
}

}  // namespace evolution

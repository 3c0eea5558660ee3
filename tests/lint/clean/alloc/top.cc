#include <umber/api.h>

#include "alloc/middle.h"
#include "base.h"

namespace umber::alloc {
namespace {

constexpr int table[] = {
@repeat 100   1,
};

// No longer than a screen allows.
int exactly_sixty() {
@repeat 57   static_cast<void>(table[0]);
  return 1'000 + '{' + sizeof("}{ // not a comment");
}

}  // namespace
}  // namespace umber::alloc

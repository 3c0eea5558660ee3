#include "alloc/middle.h"

TEST_CASE("middle: a raised flag publishes what came before [middle.1]") {}
TEST_CASE(
    "middle: two that raise flags "
    "(litmus: nowhere)") {}

#include "middle.h"

std::atomic<int> a{0};

void f() {
  // seq_cst: pairs with the load in g.
  a.store(1, std::memory_order_seq_cst);
}

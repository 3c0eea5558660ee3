#include "middle.h"

std::atomic<int> a{0};

void f() {
  a.store(1, std::memory_order_relaxed);
  a.store(1, std::memory_order_release);
}

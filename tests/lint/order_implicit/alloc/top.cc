#include "middle.h"

std::atomic<int> a{0};

int f(std::atomic<int>* p) {
  a.store(1);
  a.fetch_add(
      f(p));
  int expected = 0;
  p->compare_exchange_strong(expected, 1);
  a.exchange(p->load());
  return a.exchange(p->load(std::memory_order_relaxed));
}

#include "base.h"
// int old = compute(small);
// return old;
// table[3]->slot = old;
// if (small) {
// release(span, pages);

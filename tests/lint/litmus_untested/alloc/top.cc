#include "middle.h"

// One of the two sees the other (litmus: nowhere).
void f() {}

#include "base.h"
#include "gc/cycle.h"

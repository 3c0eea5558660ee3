#include "base.h"
// -------- helpers --------

#include "base.h"
#if defined(__aarch64__)
#endif

#include "bottom.h"

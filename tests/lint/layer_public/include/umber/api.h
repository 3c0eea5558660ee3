// The public word.
#pragma once
#include "alloc/base.h"

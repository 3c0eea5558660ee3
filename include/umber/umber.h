// All of umber for C++20.
#pragma once

#include <umber/malloc.h>
